//! What clients see of messages of theirs.

use serde::Serialize;
use utoipa::ToSchema;
use wagate_domain::model::event::Failure;
use wagate_domain::model::{MessageId, MessageStatus, SentMessage, StoredSend, Token};

use super::view::time;

/// A message that WhatsApp's server accepted.
#[derive(Serialize, ToSchema)]
#[schema(as = SentMessage)]
pub(super) struct SentView {
    /// Its id at WhatsApp.
    #[schema(value_type = String)]
    id: MessageId,
    /// The device's token.
    device: String,
    /// The recipient as WhatsApp knows it.
    to: String,
    /// `sent`.
    status: &'static str,
    /// When the server accepted it.
    #[schema(format = DateTime)]
    sent_at: String,
}

impl SentView {
    pub(super) fn new(device: &Token, message: SentMessage) -> Self {
        Self {
            id: message.id,
            device: device.to_string(),
            to: message.to.to_string(),
            status: MessageStatus::Sent.as_str(),
            sent_at: time(message.at),
        }
    }
}

/// A message of ours.
#[derive(Serialize, ToSchema)]
#[schema(as = Message)]
pub(super) struct MessageView {
    /// Its id at WhatsApp.
    #[schema(value_type = String)]
    id: MessageId,
    /// The device's token.
    device: String,
    /// The recipient: as it was given, and as WhatsApp knows it once that is known.
    to: String,
    /// `queued`, `sent`, `delivered`, `read`, `played`, `failed`, or `unknown`: nobody knows whether it left.
    status: &'static str,
    /// Why it failed.
    #[schema(required = true)]
    failure: Option<FailureView>,
    /// When it was asked for.
    #[schema(format = DateTime)]
    created_at: String,
    /// When it came as far as it is.
    #[schema(format = DateTime)]
    updated_at: String,
}

/// Why a message failed.
#[derive(Serialize, ToSchema)]
#[schema(as = Failure)]
pub(super) struct FailureView {
    /// Stable code, such as `whatsapp_refused` or `not_on_whatsapp`.
    code: String,
    /// WhatsApp's own code, when it gave one.
    #[schema(required = true)]
    wa_code: Option<u16>,
    /// A plain sentence.
    text: String,
}

impl MessageView {
    pub(super) fn new(device: &Token, send: StoredSend) -> Self {
        Self {
            id: send.id,
            device: device.to_string(),
            to: send.to,
            status: send.status.as_str(),
            failure: send.failure.map(FailureView::from),
            created_at: time(send.created_at),
            updated_at: time(send.updated_at),
        }
    }
}

impl From<Failure> for FailureView {
    fn from(failure: Failure) -> Self {
        Self {
            code: failure.code,
            wa_code: failure.wa_code,
            text: failure.text,
        }
    }
}
