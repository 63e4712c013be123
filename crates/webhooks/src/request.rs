//! From a stored delivery to a signed request (Standard Webhooks): the bytes that were recorded with
//! the event, so that every retry has the same body, and the time of this attempt.

use std::fmt;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue};
use standardwebhooks::{
    HEADER_WEBHOOK_ID, HEADER_WEBHOOK_SIGNATURE, HEADER_WEBHOOK_TIMESTAMP, Webhook, WebhookError,
};
use wagate_domain::model::{CustomHeader, Delivery, SigningSecret, Timestamp};

/// One attempt, ready to be posted.
#[derive(Clone, PartialEq, Eq)]
pub struct Request {
    /// Where to.
    pub url: String,
    /// All headers but `Host` and `Content-Length`, which the client knows. Those that the endpoint's owner
    /// chose are marked as sensitive.
    pub headers: HeaderMap,
    /// The signed bytes.
    pub body: Bytes,
}

impl fmt::Debug for Request {
    /// Neither the body nor the address: both hold what is not ours to show.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
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
    /// A secret cannot be read, or there is none; that may be repaired.
    #[error("the endpoint's secret is not valid")]
    Secret,
}

/// Signs the delivery as an attempt at `now`.
pub(crate) fn sign(
    delivery: &Delivery,
    user_agent: &HeaderValue,
    now: Timestamp,
) -> Result<Request, Unsigned> {
    let id = delivery.event.to_string();
    let signature = signatures(&delivery.secrets, &id, now, &delivery.body)?;
    let mut headers = HeaderMap::with_capacity(5 + delivery.headers.len());
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
    add_custom(&mut headers, &delivery.headers);
    Ok(Request {
        url: delivery.url.clone(),
        headers,
        body: delivery.body.clone(),
    })
}

/// One signature per secret, the newest first, so that receivers can change secrets without losing anything.
fn signatures(secrets: &[SigningSecret], id: &str, now: Timestamp, body: &[u8]) -> Result<String, Unsigned> {
    let mut all = String::new();
    for secret in secrets {
        let key = Webhook::new(secret.reveal()).map_err(|_| Unsigned::Secret)?;
        let one = key.sign(id, now.as_secs(), body).map_err(|error| match error {
            WebhookError::InvalidPayload => Unsigned::Body,
            _ => Unsigned::Secret,
        })?;
        if !all.is_empty() {
            all.push(' ');
        }
        all.push_str(&one);
    }
    if all.is_empty() {
        Err(Unsigned::Secret)
    } else {
        Ok(all)
    }
}

/// The owner's headers come after ours and replace none of them.
fn add_custom(headers: &mut HeaderMap, custom: &[CustomHeader]) {
    let ours: Vec<HeaderName> = headers.keys().cloned().collect();
    for header in custom {
        let name = HeaderName::try_from(header.name());
        let value = HeaderValue::try_from(header.value().reveal());
        if let (Ok(name), Ok(mut value)) = (name, value)
            && !ours.contains(&name)
        {
            value.set_sensitive(true);
            headers.append(name, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use wagate_domain::model::{DeliveryId, DeviceId, EventId, WebhookId};
    use wagate_domain::ports::IdSource;
    use wagate_domain::testing::FakeIds;

    use super::*;

    fn delivery(secrets: &[[u8; 32]], headers: &[(&str, &str)]) -> Delivery {
        let ids = FakeIds::new();
        Delivery {
            id: DeliveryId::new(ids.next()),
            event: EventId::new(ids.next()),
            webhook: WebhookId::new(ids.next()),
            device: DeviceId::new(ids.next()),
            url: "https://one.example/hook".into(),
            headers: headers
                .iter()
                .map(|(name, value)| CustomHeader::new(name, *value).unwrap())
                .collect(),
            secrets: secrets.iter().map(SigningSecret::from_bytes).collect(),
            body: Bytes::from_static("{\"text\":\"grüße\"}".as_bytes()),
            attempts: 0,
            queued_at: Timestamp(0),
        }
    }

    /// The verifier compares with the clock of the machine.
    fn now() -> Timestamp {
        Timestamp::from_secs(i64::try_from(UNIX_EPOCH.elapsed().unwrap().as_secs()).unwrap())
    }

    fn signed(delivery: &Delivery) -> Request {
        sign(delivery, &HeaderValue::from_static("wagate/1"), now()).unwrap()
    }

    #[test]
    fn every_secret_signs_and_each_signature_verifies_alone() {
        let secrets = [[1; 32], [2; 32]];
        let request = signed(&delivery(&secrets, &[]));
        let header = request.headers[HEADER_WEBHOOK_SIGNATURE].to_str().unwrap();
        let each: Vec<&str> = header.split(' ').collect();
        assert_eq!(each.len(), 2);
        for (secret, signature) in secrets.iter().zip(&each) {
            let receiver = Webhook::new(SigningSecret::from_bytes(secret).reveal()).unwrap();
            let mut headers = request.headers.clone();
            receiver.verify(&request.body, &headers).expect("one of two");
            headers.insert(HEADER_WEBHOOK_SIGNATURE, signature.parse().unwrap());
            receiver.verify(&request.body, &headers).expect("this one");
            receiver.verify(b"{}", &headers).expect_err("another body");
        }
        let stranger = Webhook::new(SigningSecret::from_bytes(&[3; 32]).reveal()).unwrap();
        stranger
            .verify(&request.body, &request.headers)
            .expect_err("another secret");
    }

    #[test]
    fn headers_of_the_owner_are_added_and_replace_none_of_ours() {
        let chosen = [
            ("X-Tenant", "7"),
            ("authorization", "Basic eA=="),
            ("x-tenant", "8"),
        ];
        let request = signed(&delivery(&[[1; 32]], &chosen));
        let tenants: Vec<_> = request.headers.get_all("x-tenant").iter().collect();
        assert_eq!(tenants, ["7", "8"]);
        assert!(request.headers["authorization"].is_sensitive());
        assert_eq!(request.headers["user-agent"], "wagate/1");
        assert_eq!(request.headers["content-type"], "application/json");
        let mut headers = HeaderMap::new();
        headers.insert("x-tenant", HeaderValue::from_static("ours"));
        add_custom(&mut headers, &delivery(&[], &chosen).headers);
        assert_eq!(headers["x-tenant"], "ours");
        assert_eq!(headers.get_all("x-tenant").iter().count(), 1);
    }

    #[test]
    fn without_text_or_secret_nothing_is_signed() {
        let agent = HeaderValue::from_static("wagate/1");
        let none = delivery(&[], &[]);
        assert_eq!(sign(&none, &agent, now()).unwrap_err(), Unsigned::Secret);
        let poison = Delivery {
            body: Bytes::from_static(b"\xff\xfe"),
            ..delivery(&[[1; 32]], &[])
        };
        assert_eq!(sign(&poison, &agent, now()).unwrap_err(), Unsigned::Body);
    }
}
