//! `GET {direct_path}`: hands out blobs whole or by range, and breaks off when a fault says so.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};

use crate::fault::MediaFault;
use crate::ledger::{Direction, Entry};
use crate::server::Site;

/// Serves the blob at the request's path.
pub(crate) async fn download(
    State(site): State<Arc<Site>>,
    uri: Uri,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let phone = owner(&site, uri.path(), query.as_deref());
    let fault = site.faults.on_media(&phone, Direction::ToClient);
    if let Some(MediaFault::Status(status)) = fault {
        return StatusCode::from_u16(status)
            .unwrap_or(StatusCode::SERVICE_UNAVAILABLE)
            .into_response();
    }
    let path = uri.path().to_owned();
    let found = tokio::task::spawn_blocking({
        let (site, path) = (site.clone(), path.clone());
        move || site.media.get(&path)
    });
    let Ok(Some(blob)) = found.await else {
        return (StatusCode::NOT_FOUND, "nothing here\n").into_response();
    };
    note(&site, &phone, &path, blob.len());
    let mut reply = answer(&blob, headers.get(header::RANGE), fault.is_some());
    let kind = infer::get(&blob).map_or("application/octet-stream", |kind| kind.mime_type());
    reply
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    reply
}

/// The phone whose ticket the request carries, if it carries one; some clients write `&auth=` into the path.
fn owner(site: &Site, path: &str, query: Option<&str>) -> String {
    let ticket = path.split('&').chain(query.unwrap_or_default().split('&'));
    ticket
        .filter_map(|pair| pair.strip_prefix("auth="))
        .find_map(|ticket| site.media.owner_of(ticket))
        .unwrap_or_default()
}

fn answer(blob: &Bytes, range: Option<&HeaderValue>, cut: bool) -> Response {
    let total = blob.len();
    let wanted = range
        .and_then(|range| range.to_str().ok())
        .and_then(|range| Wanted::parse(range, total));
    let (status, part) = match wanted {
        None => (StatusCode::OK, blob.clone()),
        Some(Wanted::Part(first, end)) => (StatusCode::PARTIAL_CONTENT, blob.slice(first..end)),
        Some(Wanted::Unsatisfiable) => {
            let range = [(header::CONTENT_RANGE, format!("bytes */{total}"))];
            return (StatusCode::RANGE_NOT_SATISFIABLE, range).into_response();
        }
    };
    let mut headers = HeaderMap::new();
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(part.len()));
    if let Some(Wanted::Part(first, end)) = wanted {
        let range = format!("bytes {first}-{}/{total}", end.saturating_sub(1));
        headers.extend(HeaderValue::from_str(&range).map(|range| (header::CONTENT_RANGE, range)));
    }
    let body = if cut { broken_half(&part) } else { Body::from(part) };
    (status, headers, body).into_response()
}

/// Half of what the headers announce, then an error, at which the server closes the connection.
fn broken_half(part: &Bytes) -> Body {
    let half = part.slice(..part.len() / 2);
    let broken = async {
        // The server writes out what it has only when the body makes it wait.
        tokio::task::yield_now().await;
        Err(std::io::Error::from(std::io::ErrorKind::ConnectionAborted))
    };
    Body::from_stream(stream::iter([Ok(half)]).chain(stream::once(broken)))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wanted {
    /// From the first byte to before the end.
    Part(usize, usize),
    Unsatisfiable,
}

impl Wanted {
    /// A single byte range; anything else is ignored, as RFC 9110 allows.
    fn parse(range: &str, total: usize) -> Option<Self> {
        let (first, last) = range.trim().strip_prefix("bytes=")?.split_once('-')?;
        let (first, end) = match (first.is_empty(), last.is_empty()) {
            (true, true) => return None,
            (true, false) => (total.saturating_sub(last.parse().ok()?), total),
            (false, true) => (first.parse().ok()?, total),
            (false, false) => {
                let (first, last): (usize, usize) = (first.parse().ok()?, last.parse().ok()?);
                if last < first {
                    return None;
                }
                (first, last.saturating_add(1).min(total))
            }
        };
        Some(if first < end {
            Self::Part(first, end)
        } else {
            Self::Unsatisfiable
        })
    }
}

fn note(site: &Site, phone: &str, path: &str, length: usize) {
    site.ledger.record(Entry {
        direction: Direction::ToClient,
        device: phone.to_owned(),
        tag: "media".into(),
        id: None,
        kind: Some("download".into()),
        summary: format!("{path}: {length} bytes"),
        violation: None,
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_as_rfc_9110_says() {
        for (range, wanted) in [
            ("bytes=0-9", Some(Wanted::Part(0, 10))),
            ("bytes=90-", Some(Wanted::Part(90, 100))),
            ("bytes=-10", Some(Wanted::Part(90, 100))),
            ("bytes=-1000", Some(Wanted::Part(0, 100))),
            ("bytes=95-1000", Some(Wanted::Part(95, 100))),
            ("bytes=100-", Some(Wanted::Unsatisfiable)),
            ("bytes=-0", Some(Wanted::Unsatisfiable)),
            ("bytes=9-0", None),
            ("bytes=0-1,5-6", None),
            ("items=0-1", None),
        ] {
            assert_eq!(Wanted::parse(range, 100), wanted, "{range}");
        }
    }
}
