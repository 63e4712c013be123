//! `/sim/phones/{phone}/messages`: the person writes, sends files, reads.

use std::sync::Arc;

use axum::extract::{Path, State};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::Deserialize;
use serde_json::{Value, json};

use super::fetch::fetch;
use super::reply::{Body, Problem, Query, Reply, done, recipient};
use crate::server::Site;
use crate::world::view::OutgoingMedia;

const UNKNOWN_TYPE: &str = "application/octet-stream";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NewMessage {
    to: String,
    text: Option<String>,
    media_url: Option<String>,
    media_base64: Option<String>,
    mimetype: Option<String>,
    caption: Option<String>,
    file_name: Option<String>,
}

pub(super) async fn send(
    State(site): State<Arc<Site>>,
    Path(phone): Path<String>,
    Body(new): Body<NewMessage>,
) -> Reply<Value> {
    let to = recipient("to", &new.to)?;
    let (bytes, fetched_type) = match (new.text, new.media_base64, new.media_url) {
        (Some(text), None, None) => {
            let id = site.world.send_text(&phone, &to, &text)?;
            return done(json!({ "id": id }));
        }
        (None, Some(base64), None) => (decoded(&base64)?, None),
        (None, None, Some(url)) => {
            // Before a slow fetch: a phone that is not there has nothing to send.
            site.world.phone(&phone)?;
            fetch(&url, site.remote_media).await?
        }
        _ => {
            let message = "give exactly one of text, media_base64 and media_url";
            return Err(Problem::invalid("body", message));
        }
    };
    let guessed = || infer::get(&bytes).map(|kind| kind.mime_type().to_owned());
    let mimetype = new
        .mimetype
        .or(fetched_type)
        .or_else(guessed)
        .unwrap_or_else(|| UNKNOWN_TYPE.into());
    let media = OutgoingMedia {
        bytes,
        mimetype,
        caption: new.caption,
        file_name: new.file_name,
    };
    // Encrypting a large file takes its time.
    let sending = tokio::task::spawn_blocking(move || site.world.send_media(&phone, &to, &media));
    let id = sending.await.map_err(|error| Problem::internal(&error))??;
    done(json!({ "id": id }))
}

fn decoded(base64: &str) -> Result<Vec<u8>, Problem> {
    // Browsers hand out data URLs.
    let bare = match base64.split_once(";base64,") {
        Some((head, bare)) if head.starts_with("data:") => bare,
        _ => base64,
    };
    BASE64_STANDARD
        .decode(bare.trim())
        .map_err(|error| Problem::invalid("media_base64", error.to_string()))
}

#[derive(Deserialize)]
pub(super) struct MessagesQuery {
    /// Only this chat: a phone number or a JID.
    chat: Option<String>,
}

pub(super) async fn list(
    State(site): State<Arc<Site>>,
    Path(phone): Path<String>,
    Query(query): Query<MessagesQuery>,
) -> Reply<Value> {
    let mut messages = site.world.messages(&phone)?;
    if let Some(chat) = query.chat {
        messages.retain(|message| {
            message.chat == chat || message.chat.strip_suffix("@s.whatsapp.net") == Some(chat.as_str())
        });
    }
    done(json!({ "data": messages }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Read {
    chat: String,
    id: String,
}

pub(super) async fn read(
    State(site): State<Arc<Site>>,
    Path(phone): Path<String>,
    Body(read): Body<Read>,
) -> Reply<Value> {
    site.world
        .mark_read(&phone, &recipient("chat", &read.chat)?, &read.id)?;
    done(json!({}))
}
