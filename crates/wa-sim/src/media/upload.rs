//! `POST {path}/{token}?auth=&token=[&file_offset=][&resume=1]`: what a client does before it sends a file.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use bytes::BytesMut;
use futures_util::StreamExt as _;
use serde::Deserialize;
use serde_json::json;

use super::token_of;
use crate::fault::MediaFault;
use crate::ledger::{Direction, Entry};
use crate::server::{Hangup, Site};

#[derive(Debug, Deserialize)]
pub(crate) struct UploadQuery {
    #[serde(default)]
    auth: String,
    #[serde(default)]
    token: String,
    file_offset: Option<usize>,
    resume: Option<String>,
}

/// An upload that was refused: status, and what the client did wrong.
struct Refused(StatusCode, &'static str);

/// Takes one upload, or tells how much of it is already here.
pub(crate) async fn upload(
    State(site): State<Arc<Site>>,
    Extension(hangup): Extension<Hangup>,
    uri: Uri,
    Query(query): Query<UploadQuery>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let phone = site.media.owner_of(&query.auth).unwrap_or_default();
    let asks = query.resume.is_some();
    // A fault spends itself on bodies, not on the question how much is here.
    let fault = if asks {
        None
    } else {
        site.faults.on_media(&phone, Direction::FromClient)
    };
    let done = match fault {
        Some(MediaFault::Status(status)) => {
            return StatusCode::from_u16(status)
                .unwrap_or(StatusCode::SERVICE_UNAVAILABLE)
                .into_response();
        }
        _ if phone.is_empty() => Err(Refused(StatusCode::UNAUTHORIZED, "unknown upload ticket")),
        Some(MediaFault::Cut) => {
            take_half(&site, &query, &headers, body).await;
            hangup.hang_up().await
        }
        None => match destination(&uri, &query) {
            Ok(kind) if asks => Ok(progress(&site, kind, &query.token)),
            Ok(kind) => take(&site, kind, &query, body).await,
            Err(refused) => Err(refused),
        },
    };
    note(&site, &phone, uri.path(), done.as_ref().err());
    match done {
        Ok(reply) => Json(reply).into_response(),
        Err(Refused(status, why)) => (status, Json(json!({ "error": why }))).into_response(),
    }
}

/// The media kind: the path's segment before the token, which must be the token of the query too.
fn destination<'a>(uri: &'a Uri, query: &UploadQuery) -> Result<&'a str, Refused> {
    let mut segments = uri.path().rsplit('/');
    let (token, kind) = (
        segments.next().unwrap_or_default(),
        segments.next().unwrap_or_default(),
    );
    if token.is_empty() || token != query.token {
        return Err(Refused(StatusCode::BAD_REQUEST, "token of path and query differ"));
    }
    if kind.is_empty()
        || !kind
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    {
        return Err(Refused(StatusCode::NOT_FOUND, "no such upload path"));
    }
    Ok(kind)
}

/// `complete`, or how many bytes are here, as text; clients start over on `0`.
fn progress(site: &Site, kind: &str, token: &str) -> serde_json::Value {
    match site.media.finished(kind, token) {
        Some(stored) => {
            json!({ "resume": "complete", "url": stored.url, "direct_path": stored.direct_path })
        }
        None => json!({ "resume": site.media.partial_len(token).to_string() }),
    }
}

async fn take(
    site: &Arc<Site>,
    kind: &str,
    query: &UploadQuery,
    body: Body,
) -> Result<serde_json::Value, Refused> {
    let mut bytes = resumed(site, query)?;
    let mut chunks = body.into_data_stream();
    while let Some(chunk) = chunks.next().await {
        let Ok(chunk) = chunk else {
            // The line broke: what came is kept for the next attempt.
            site.media.keep_partial(&query.token, bytes);
            return Err(Refused(StatusCode::BAD_REQUEST, "body broke off"));
        };
        if bytes.len() + chunk.len() > site.media.max_bytes {
            return Err(Refused(StatusCode::PAYLOAD_TOO_LARGE, "file too large"));
        }
        bytes.extend_from_slice(&chunk);
    }
    if bytes.is_empty() {
        return Err(Refused(StatusCode::BAD_REQUEST, "empty body"));
    }
    let (site, kind, token) = (site.clone(), kind.to_owned(), query.token.clone());
    let stored = tokio::task::spawn_blocking(move || {
        let bytes = bytes.freeze();
        (token_of(&bytes) == token).then(|| site.media.store(&kind, &token, bytes))
    })
    .await
    .map_err(|_| Refused(StatusCode::INTERNAL_SERVER_ERROR, "not stored"))?
    .ok_or(Refused(
        StatusCode::BAD_REQUEST,
        "token is not the SHA-256 of the body",
    ))?;
    Ok(json!({ "url": stored.url, "direct_path": stored.direct_path }))
}

/// What is here already, up to the offset at which the client goes on.
fn resumed(site: &Site, query: &UploadQuery) -> Result<BytesMut, Refused> {
    let mut bytes = site.media.take_partial(&query.token);
    let offset = query.file_offset.unwrap_or(0);
    if offset > bytes.len() {
        site.media.keep_partial(&query.token, bytes);
        return Err(Refused(
            StatusCode::BAD_REQUEST,
            "file_offset beyond what is here",
        ));
    }
    bytes.truncate(offset);
    Ok(bytes)
}

/// A cut upload: the first half arrives and stays.
async fn take_half(site: &Site, query: &UploadQuery, headers: &HeaderMap, body: Body) {
    let announced = headers
        .get(header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse().ok());
    let half = announced.unwrap_or(0_usize) / 2;
    let Ok(mut bytes) = resumed(site, query) else {
        return;
    };
    let end = bytes.len() + half;
    let mut chunks = body.into_data_stream();
    while bytes.len() < end {
        let Some(Ok(chunk)) = chunks.next().await else {
            break;
        };
        bytes.extend_from_slice(&chunk);
    }
    bytes.truncate(end);
    site.media.keep_partial(&query.token, bytes);
}

fn note(site: &Site, phone: &str, path: &str, refused: Option<&Refused>) {
    // An outdated ticket and a broken line are life, not a client's mistake.
    let mistake =
        refused.filter(|Refused(status, why)| *status == StatusCode::BAD_REQUEST && *why != "body broke off");
    site.ledger.record(Entry {
        direction: Direction::FromClient,
        device: phone.to_owned(),
        tag: "media".into(),
        id: None,
        kind: Some("upload".into()),
        summary: refused.map_or_else(
            || path.to_owned(),
            |Refused(status, why)| format!("{path}: {status} {why}"),
        ),
        violation: mistake.map(|Refused(_, why)| (*why).to_owned()),
    });
}
