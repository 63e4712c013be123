//! Messages out and in.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::event::Failure;
use super::{DeviceId, Jid, MediaFile, MediaKind, Timestamp};
use crate::{Error, Result};

/// WhatsApp's id of a message, unique per sender. Chosen by us for what we send.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MessageId(pub String);

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A client's name for one request, so that a retry does not do it twice: 1 to 255 printable ASCII
/// characters.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct IdempotencyKey(String);

impl IdempotencyKey {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for IdempotencyKey {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        if text.is_empty() || text.len() > 255 || !text.bytes().all(|b| (0x20..0x7f).contains(&b)) {
            return Err(Error::invalid(
                "idempotency_key",
                "Idempotency-Key must be 1 to 255 printable ASCII characters",
            ));
        }
        Ok(Self(text.into()))
    }
}

/// A client's key and what it asked for under it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Idempotency {
    /// The client's key.
    pub key: IdempotencyKey,
    /// SHA-256 of the request: the same key with another request is refused.
    pub fingerprint: [u8; 32],
}

/// What a message says.
#[derive(Debug, Clone)]
pub enum Content {
    /// Plain text.
    Text(String),
    /// A file.
    Media {
        /// The file.
        file: MediaFile,
        /// Text under it; not shown for audio and stickers.
        caption: Option<String>,
        /// Name shown for a document.
        file_name: Option<String>,
    },
}

/// A message ready to be sent.
#[derive(Debug, Clone)]
pub struct OutgoingMessage {
    /// Chosen before sending, stored, and kept over every retry.
    pub id: MessageId,
    /// The recipient as WhatsApp knows it.
    pub to: Jid,
    /// What it says.
    pub content: Content,
}

/// What WhatsApp's server accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentMessage {
    /// The message's id.
    pub id: MessageId,
    /// Whom it went to.
    pub to: Jid,
    /// When the server accepted it.
    pub at: Timestamp,
}

/// How far an outgoing message has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MessageStatus {
    /// Stored; perhaps already on the wire.
    Queued,
    /// The server refused it, or it never reached the server.
    Failed,
    /// It may or may not have reached the server.
    Unknown,
    /// The server accepted it.
    Sent,
    /// A device of the recipient has it.
    Delivered,
    /// The recipient opened it.
    Read,
    /// The recipient listened to it.
    Played,
}

impl MessageStatus {
    /// Stable name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
            Self::Sent => "sent",
            Self::Delivered => "delivered",
            Self::Read => "read",
            Self::Played => "played",
        }
    }
}

impl FromStr for MessageStatus {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        [
            Self::Queued,
            Self::Failed,
            Self::Unknown,
            Self::Sent,
            Self::Delivered,
            Self::Read,
            Self::Played,
        ]
        .into_iter()
        .find(|status| status.as_str() == text)
        .ok_or_else(|| Error::invalid("status", "no such message status"))
    }
}

/// A message of ours as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredSend {
    /// Its id at WhatsApp.
    pub id: MessageId,
    /// Who sent it.
    pub device: DeviceId,
    /// The recipient: as the client wrote it, and WhatsApp's address once that is known.
    pub to: String,
    /// How far it came.
    pub status: MessageStatus,
    /// Why it failed; `None` unless it has.
    pub failure: Option<Failure>,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When it came as far as it is.
    pub updated_at: Timestamp,
}

/// The stored answer to a request with an idempotency key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub enum Answer {
    /// The server accepted the message.
    Sent {
        /// Whom it went to.
        to: Jid,
        /// When.
        at: Timestamp,
    },
    /// The number has no WhatsApp account; nothing was sent.
    NotOnWhatsApp,
    /// WhatsApp refused the message.
    Refused {
        /// WhatsApp's code.
        wa_code: Option<u16>,
        /// A plain sentence.
        text: String,
    },
}

/// A message that arrived, or that the account sent from another of its devices.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReceivedMessage {
    /// WhatsApp's id.
    pub id: MessageId,
    /// The conversation: the other person (by phone number when it is known) or the group.
    pub chat: Jid,
    /// Who wrote it, by phone number when it is known.
    pub sender: Jid,
    /// The writer's hidden identity when known.
    pub sender_lid: Option<Jid>,
    /// The chat's hidden identity when it is a person's and known.
    pub chat_lid: Option<Jid>,
    /// Written by this account on another of its devices.
    pub from_me: bool,
    /// Name that the writer shows to others.
    pub push_name: Option<String>,
    /// When it was written, by WhatsApp's clock.
    pub at: Timestamp,
    /// What kind of message, in the words of the classic webhook: `conversation`, `extendedText`,
    /// `image`, `video`, `audio`, `document`, `sticker`, `location`, `contact`, `reaction` …
    pub kind: String,
    /// Text, caption or button title; empty when there is none.
    pub text: String,
    /// The attached file.
    pub media: Option<ReceivedMedia>,
    /// The whole message as WhatsApp's protobuf in JSON.
    pub raw: serde_json::Value,
}

/// A file attached to a received message. The bytes stay at WhatsApp.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReceivedMedia {
    /// `image`, `video`, `audio`, `document` or `sticker`.
    pub kind: String,
    /// MIME type as the sender declared it.
    pub mimetype: Option<String>,
    /// File name as the sender declared it.
    pub file_name: Option<String>,
    /// Bytes, as the sender declared them.
    pub size: Option<u64>,
}

impl ReceivedMedia {
    /// Describes a file of this kind.
    pub fn new(kind: MediaKind) -> Self {
        Self {
            kind: kind.as_str().into(),
            mimetype: None,
            file_name: None,
            size: None,
        }
    }
}
