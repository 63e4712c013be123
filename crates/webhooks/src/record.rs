//! What is kept of an attempt: both heads as text, the start of the answer's body. No resolved address, no
//! credential of the endpoint's owner.

use std::fmt::Write as _;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use url::Url;
use wagate_domain::model::{Attempt, Timestamp};

use crate::post::{Response, ResponseBody};
use crate::request::Request;

/// Most bytes of a head.
const MAX_HEAD: usize = 4_096;
/// What of an answer's body is read: enough to keep the connection for the next delivery.
const MAX_READ: usize = 64 * 1_024;
/// In place of what may be a credential.
const HIDDEN: &str = "[hidden]";

/// An attempt at which nothing was sent.
pub(crate) fn unsent(at: Timestamp, error: String) -> Attempt {
    Attempt {
        at,
        took: Duration::ZERO,
        status: None,
        error: Some(error),
        request_head: String::new(),
        response_head: String::new(),
        response_body: Bytes::new(),
    }
}

/// The head of a request as it leaves; a header that the client adds by itself is not shown.
pub(crate) fn request_head(request: &Request) -> String {
    let mut head = String::from("POST ");
    if let Ok(url) = Url::parse(&request.url) {
        head.push_str(url.path());
        if url.query().is_some() {
            head.push('?');
            head.push_str(HIDDEN);
        }
        head.push_str(" HTTP/1.1\nhost: ");
        head.push_str(url.host_str().unwrap_or_default());
        if let Some(port) = url.port() {
            let _infallible = write!(head, ":{port}");
        }
        head.push('\n');
    }
    push_headers(&mut head, &request.headers);
    let _infallible = writeln!(head, "content-length: {}", request.body.len());
    cut(head)
}

/// The head of an answer.
pub(crate) fn response_head(response: &Response) -> String {
    let reason = response.status.canonical_reason().unwrap_or_default();
    let line = format!("{:?} {} {reason}", response.version, response.status.as_u16());
    let mut head = format!("{}\n", line.trim_end());
    push_headers(&mut head, &response.headers);
    cut(head)
}

fn push_headers(head: &mut String, headers: &HeaderMap) {
    for (name, value) in headers {
        if head.len() > MAX_HEAD {
            return;
        }
        let shown = if value.is_sensitive() {
            HIDDEN.into()
        } else {
            String::from_utf8_lossy(value.as_bytes())
        };
        let _infallible = writeln!(head, "{name}: {shown}");
    }
}

fn cut(mut head: String) -> String {
    head.truncate(head.floor_char_boundary(MAX_HEAD));
    head.truncate(head.trim_end().len());
    head
}

/// Reads a body into `kept`, which holds what has come also when the future is dropped. A body that is
/// short is read to its end, so that the connection serves the next delivery.
pub(crate) async fn read_body(body: &mut dyn ResponseBody, kept: &mut BytesMut) {
    let mut read = 0;
    while read < MAX_READ
        && let Some(piece) = body.piece().await
    {
        let wanted = piece.len().min(Attempt::MAX_BODY - kept.len());
        kept.extend_from_slice(&piece[..wanted]);
        read += piece.len();
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use async_trait::async_trait;
    use http::{HeaderValue, StatusCode, Version};

    use super::*;

    fn request(url: &str) -> Request {
        let mut headers = HeaderMap::new();
        headers.insert("webhook-id", HeaderValue::from_static("evt_1"));
        let mut secret = HeaderValue::from_static("Basic eA==");
        secret.set_sensitive(true);
        headers.insert("authorization", secret);
        Request {
            url: url.into(),
            headers,
            body: Bytes::from_static(b"{}"),
        }
    }

    fn response(headers: HeaderMap) -> Response {
        Response {
            version: Version::HTTP_11,
            status: StatusCode::CREATED,
            headers,
            body: Box::new(None),
        }
    }

    #[test]
    fn a_request_is_shown_without_what_may_be_a_credential() {
        let head = request_head(&request("https://one.example:8443/a b/hook?key=secret"));
        assert_eq!(
            head,
            "POST /a%20b/hook?[hidden] HTTP/1.1\nhost: one.example:8443\nwebhook-id: evt_1\n\
             authorization: [hidden]\ncontent-length: 2"
        );
        let plain = request_head(&request("https://one.example"));
        assert!(
            plain.starts_with("POST / HTTP/1.1\nhost: one.example\n"),
            "{plain}"
        );
    }

    #[test]
    fn an_answer_is_shown_up_to_a_limit() {
        let mut headers = HeaderMap::new();
        headers.insert("x-odd", HeaderValue::from_bytes(b"caf\xe9").unwrap());
        assert_eq!(
            response_head(&response(headers.clone())),
            "HTTP/1.1 201 Created\nx-odd: caf\u{fffd}"
        );
        for number in 0..100 {
            let name: http::HeaderName = format!("x-{number}").parse().unwrap();
            headers.insert(name, HeaderValue::from_bytes(&[0xe9; 100]).unwrap());
        }
        let head = response_head(&response(headers));
        assert!((MAX_HEAD - 3..=MAX_HEAD).contains(&head.len()), "{}", head.len());
    }

    struct Pieces(VecDeque<Bytes>);

    #[async_trait]
    impl ResponseBody for Pieces {
        async fn piece(&mut self) -> Option<Bytes> {
            self.0.pop_front()
        }
    }

    #[tokio::test]
    async fn a_short_body_is_read_to_its_end_and_a_long_one_is_left() {
        for (pieces, kept_bytes, left) in [(0, 0, 0), (3, 9_000, 0), (9, 20_000, 0), (99, 20_000, 99 - 22)] {
            let mut body = Pieces((0..pieces).map(|_| Bytes::from_static(&[b'x'; 3_000])).collect());
            let mut kept = BytesMut::new();
            read_body(&mut body, &mut kept).await;
            assert_eq!((kept.len(), body.0.len()), (kept_bytes, left), "{pieces}");
        }
    }
}
