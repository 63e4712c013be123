//! What happens to a device, as the driver reports it and the gateway records it.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{Contact, EndReason, Jid, MessageId, MessageStatus, ReceivedMessage, Timestamp, WebhookId};
use crate::{Error, Result};

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// When, by WhatsApp's clock where it told.
    pub at: Timestamp,
    /// What.
    pub body: EventBody,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", content = "data", rename_all = "snake_case")]
pub enum EventBody {
    /// A message arrived, or the account wrote one elsewhere.
    MessageReceived(Box<ReceivedMessage>),
    /// Somebody's device confirmed our messages.
    ReceiptReceived(Receipt),
    /// Somebody calls, or a call changed.
    CallReceived(IncomingCall),
    /// A code to scan is ready. The code itself is not part of the event: it lets anybody in.
    QrIssued {
        /// When the code stops being valid.
        expires_at: Timestamp,
    },
    /// The device is now linked to this account.
    Paired {
        /// The companion's address.
        jid: Jid,
        /// The account's hidden identity.
        lid: Option<Jid>,
    },
    /// The session is usable.
    Connected,
    /// The connection was lost; it will be tried again.
    Disconnected,
    /// The link or the connection ended for good.
    Ended(EndReason),
    /// Something about the own account changed; `None` leaves a field as it is.
    ProfileChanged {
        /// Name that the account shows to others.
        push_name: Option<String>,
        /// Address of the profile picture; an empty one says there is none.
        picture_url: Option<String>,
    },
    /// Contacts changed in the phone's address book, or names were seen.
    ContactsChanged(Vec<Contact>),
    /// Contacts were taken out of the phone's address book.
    ContactsRemoved(Vec<Jid>),
    /// A message of ours has come further.
    MessageProgressed(Progress),
    /// A webhook endpoint was switched off because its receiver does not take events any more.
    WebhookDisabled {
        /// Which.
        webhook: WebhookId,
        /// Why, in a few words.
        reason: String,
    },
}

/// What kind of event clients see it as; `None` in [`EventBody::kind`] for what stays inside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EventKind {
    /// `message.received`, classic `message`.
    Message,
    /// `message.sent`, `message.delivered` …: a message of ours has come so far.
    Progress(MessageStatus),
    /// `receipt.received`, classic `receipt`.
    Receipt,
    /// `call.received`, classic `incoming_call`.
    Call,
    /// `session.qr`, classic `qr`.
    Qr,
    /// `session.connected`, classic `connected`.
    Connected,
    /// `session.disconnected`, classic `disconnected`.
    Disconnected,
    /// `session.ended`, classic `logged_out` when the link is gone, else `disconnected`.
    Ended,
    /// `webhook.disabled`.
    WebhookDisabled,
}

impl EventKind {
    /// Every kind, in the order of the documentation.
    pub const ALL: [Self; 15] = [
        Self::Message,
        Self::Progress(MessageStatus::Queued),
        Self::Progress(MessageStatus::Sent),
        Self::Progress(MessageStatus::Delivered),
        Self::Progress(MessageStatus::Read),
        Self::Progress(MessageStatus::Played),
        Self::Progress(MessageStatus::Failed),
        Self::Progress(MessageStatus::Unknown),
        Self::Receipt,
        Self::Call,
        Self::Qr,
        Self::Connected,
        Self::Disconnected,
        Self::Ended,
        Self::WebhookDisabled,
    ];

    /// Dotted name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Message => "message.received",
            Self::Progress(MessageStatus::Queued) => "message.queued",
            Self::Progress(MessageStatus::Failed) => "message.failed",
            Self::Progress(MessageStatus::Unknown) => "message.unknown",
            Self::Progress(MessageStatus::Sent) => "message.sent",
            Self::Progress(MessageStatus::Delivered) => "message.delivered",
            Self::Progress(MessageStatus::Read) => "message.read",
            Self::Progress(MessageStatus::Played) => "message.played",
            Self::Receipt => "receipt.received",
            Self::Call => "call.received",
            Self::Qr => "session.qr",
            Self::Connected => "session.connected",
            Self::Disconnected => "session.disconnected",
            Self::Ended => "session.ended",
            Self::WebhookDisabled => "webhook.disabled",
        }
    }
}

impl fmt::Display for EventKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for EventKind {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.as_str() == text)
            .ok_or_else(|| Error::invalid("type", format!("there is no event type {text:?}")))
    }
}

impl EventBody {
    /// The kind of event that clients see, if they see it at all.
    pub fn kind(&self) -> Option<EventKind> {
        Some(match self {
            Self::MessageReceived(_) => EventKind::Message,
            Self::ReceiptReceived(_) => EventKind::Receipt,
            Self::CallReceived(_) => EventKind::Call,
            Self::QrIssued { .. } => EventKind::Qr,
            Self::Connected => EventKind::Connected,
            Self::Disconnected => EventKind::Disconnected,
            Self::Ended(_) => EventKind::Ended,
            Self::MessageProgressed(progress) => EventKind::Progress(progress.status),
            Self::WebhookDisabled { .. } => EventKind::WebhookDisabled,
            Self::Paired { .. }
            | Self::ProfileChanged { .. }
            | Self::ContactsChanged(_)
            | Self::ContactsRemoved(_) => {
                return None;
            }
        })
    }

    /// What makes a redelivery of the same thing recognisable within one device; `None` for events
    /// that are never redelivered.
    pub fn dedupe_key(&self) -> Option<String> {
        match self {
            Self::MessageReceived(message) => Some(format!(
                "message/{}/{}/{}",
                message.chat,
                message.sender.account(),
                message.id
            )),
            Self::ReceiptReceived(receipt) => {
                let ids: Vec<&str> = receipt.ids.iter().map(|id| id.0.as_str()).collect();
                Some(format!(
                    "receipt/{}/{}/{}/{}",
                    receipt.chat,
                    receipt.sender,
                    receipt.kind.as_str(),
                    ids.join(",")
                ))
            }
            Self::CallReceived(call) => Some(format!("call/{}/{}", call.call_id, call.state.as_str())),
            Self::MessageProgressed(progress) => {
                Some(format!("progress/{}/{}", progress.id, progress.status.as_str()))
            }
            _ => None,
        }
    }

    /// The conversation that it belongs to: events of one conversation reach an endpoint in order, those
    /// of different ones do not wait for each other. `None` for what is about the device as a whole.
    pub fn chat(&self) -> Option<&Jid> {
        match self {
            Self::MessageReceived(message) => Some(&message.chat),
            Self::ReceiptReceived(receipt) => Some(&receipt.chat),
            Self::CallReceived(call) => Some(call.from_phone.as_ref().unwrap_or(&call.from)),
            Self::MessageProgressed(progress) => progress.chat.as_ref(),
            _ => None,
        }
    }
}

/// How far messages of ours have come with somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReceiptKind {
    /// A device has them.
    Delivered,
    /// A person opened them.
    Read,
    /// The account opened them on another of its devices.
    ReadSelf,
    /// A person listened to them.
    Played,
}

impl ReceiptKind {
    /// Stable name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Read => "read",
            Self::ReadSelf => "read-self",
            Self::Played => "played",
        }
    }
}

/// Somebody's device confirmed messages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// The conversation.
    pub chat: Jid,
    /// The chat's hidden identity when it is a person's and known.
    #[serde(default)]
    pub chat_lid: Option<Jid>,
    /// Who confirmed.
    pub sender: Jid,
    /// The hidden identity of who confirmed, when known.
    #[serde(default)]
    pub sender_lid: Option<Jid>,
    /// How far.
    pub kind: ReceiptKind,
    /// Which messages.
    pub ids: Vec<MessageId>,
}

/// How far a message of ours has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// Which message.
    pub id: MessageId,
    /// The conversation, when known.
    pub chat: Option<Jid>,
    /// The chat's hidden identity when it is a person's and known.
    #[serde(default)]
    pub chat_lid: Option<Jid>,
    /// How far.
    pub status: MessageStatus,
    /// Why it failed; `None` unless it has.
    pub failure: Option<Failure>,
}

/// Why a message failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// Stable code, such as `whatsapp_refused` or `not_on_whatsapp`.
    pub code: String,
    /// WhatsApp's own code when it gave one: 463, 479 …
    pub wa_code: Option<u16>,
    /// A plain sentence.
    pub text: String,
}

/// What a call is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallState {
    /// It rings.
    Ringing,
    /// It rang while we were away.
    Missed,
    /// It is over, or taken elsewhere.
    Ended,
}

impl CallState {
    /// Stable name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ringing => "ringing",
            Self::Missed => "missed",
            Self::Ended => "ended",
        }
    }
}

/// Somebody calls.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IncomingCall {
    /// WhatsApp's id of the call.
    pub call_id: String,
    /// Who calls, as the call addresses them; answers go there.
    pub from: Jid,
    /// Who calls, by phone number when known.
    pub from_phone: Option<Jid>,
    /// With picture.
    pub video: bool,
    /// What it is doing.
    pub state: CallState,
}
