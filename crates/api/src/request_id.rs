//! Every response carries `x-request-id`, and every log line of a request its `request_id`, so that
//! what a client reports is found again.

use std::future::{Ready, ready};

use actix_web::dev::{Service, ServiceRequest, ServiceResponse, Transform, forward_ready};
use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use actix_web::{Error, HttpMessage};
use futures::future::LocalBoxFuture;
use tracing::Instrument;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Longest id that is taken over from a client, in characters.
const MAX_LEN: usize = 128;

/// The request's id, in its extensions for whoever answers.
#[derive(Debug, Clone)]
pub(crate) struct RequestId(pub(crate) HeaderValue);

/// Middleware that gives every request an id: the client's when it sends a sane one, else a new one.
#[derive(Debug, Clone, Copy, Default)]
pub struct RequestIds;

impl<S, B> Transform<S, ServiceRequest> for RequestIds
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: 'static,
{
    type Response = ServiceResponse<B>;
    type Error = Error;
    type Transform = WithRequestId<S>;
    type InitError = ();
    type Future = Ready<Result<Self::Transform, Self::InitError>>;

    fn new_transform(&self, service: S) -> Self::Future {
        ready(Ok(WithRequestId { service }))
    }
}

/// What [`RequestIds`] makes of a service.
#[derive(Debug)]
pub struct WithRequestId<S> {
    service: S,
}

impl<S, B> Service<ServiceRequest> for WithRequestId<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: 'static,
{
    type Response = ServiceResponse<B>;
    type Error = Error;
    type Future = LocalBoxFuture<'static, Result<Self::Response, Self::Error>>;

    forward_ready!(service);

    fn call(&self, request: ServiceRequest) -> Self::Future {
        let id = incoming(request.headers()).unwrap_or_else(new_id);
        // The path only: a query may hold a token.
        let span = tracing::info_span!(
            "request",
            request_id = id.to_str().unwrap_or_default(),
            method = %request.method(),
            path = request.path(),
        );
        request.extensions_mut().insert(RequestId(id.clone()));
        let response = span.in_scope(|| self.service.call(request));
        let answered = async move {
            let mut response = response.await?;
            response.headers_mut().insert(REQUEST_ID, id);
            Ok(response)
        };
        Box::pin(answered.instrument(span))
    }
}

/// The client's own id, when it is one that a log can hold.
fn incoming(headers: &HeaderMap) -> Option<HeaderValue> {
    let id = headers.get(REQUEST_ID)?;
    let text = id.to_str().ok()?;
    let sane = (1..=MAX_LEN).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b':'));
    sane.then(|| id.clone())
}

fn new_id() -> HeaderValue {
    HeaderValue::try_from(format!("req_{}", ulid::Ulid::generate()))
        .unwrap_or(HeaderValue::from_static("req_"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_over_sane_ids_only() {
        let long = "x".repeat(MAX_LEN + 1);
        for (text, sane) in [
            ("abc-1.2_3:4", true),
            ("", false),
            ("a b", false),
            ("a\"b", false),
            (long.as_str(), false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(REQUEST_ID, HeaderValue::try_from(text).unwrap());
            assert_eq!(incoming(&headers).is_some(), sane, "{text}");
        }
    }

    #[test]
    fn new_ids_differ() {
        assert_ne!(new_id(), new_id());
    }
}
