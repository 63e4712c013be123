//! From a stored delivery to a signed request (Standard Webhooks): the bytes that were recorded with
//! the event, so that every retry has the same body, and the time of this attempt.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue};
use standardwebhooks::{
    HEADER_WEBHOOK_ID, HEADER_WEBHOOK_SIGNATURE, HEADER_WEBHOOK_TIMESTAMP, Webhook, WebhookError,
};
use wagate_domain::model::{Delivery, Timestamp};

/// One attempt, ready to be posted.
#[derive(Clone, PartialEq, Eq)]
pub struct Request {
    /// Where to.
    pub url: String,
    /// All headers but `Host` and `Content-Length`, which the client knows.
    pub headers: HeaderMap,
    /// The signed bytes.
    pub body: Bytes,
}

impl std::fmt::Debug for Request {
    /// Neither the body nor the address: both hold what is not ours to show.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Request")
            .field("bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// Why a delivery cannot become a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unsigned {
    /// The format signs text, and the body is none. No retry changes that.
    #[error("the body is not text")]
    Body,
    /// The secret cannot be read; it may be repaired.
    #[error("the endpoint's secret is not valid")]
    Secret,
}

/// Signs the delivery as an attempt at `now`.
pub(crate) fn sign(
    delivery: &Delivery,
    user_agent: &HeaderValue,
    now: Timestamp,
) -> Result<Request, Unsigned> {
    let key = Webhook::new(delivery.secret.reveal()).map_err(|_| Unsigned::Secret)?;
    let id = delivery.event.to_string();
    let signature = key
        .sign(&id, now.as_secs(), &delivery.body)
        .map_err(|error| match error {
            WebhookError::InvalidPayload => Unsigned::Body,
            _ => Unsigned::Secret,
        })?;
    let mut headers = HeaderMap::with_capacity(5);
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(USER_AGENT, user_agent.clone());
    for (name, value) in [
        (HEADER_WEBHOOK_ID, id),
        (HEADER_WEBHOOK_TIMESTAMP, now.as_secs().to_string()),
        (HEADER_WEBHOOK_SIGNATURE, signature),
    ] {
        let value = HeaderValue::try_from(value).map_err(|_| Unsigned::Secret)?;
        headers.insert(HeaderName::from_static(name), value);
    }
    Ok(Request {
        url: delivery.url.clone(),
        headers,
        body: delivery.body.clone(),
    })
}
