//! What happens to a device, as the driver reports it and the gateway records it.

use serde::{Deserialize, Serialize};

use super::{Contact, EndReason, Jid, MessageId, ReceivedMessage, Timestamp};

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
}

/// What kind of event clients see it as; `None` in [`EventBody::kind`] for what stays inside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EventKind {
    /// `message.received`, classic `message`.
    Message,
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
}

impl EventKind {
    /// Dotted name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Message => "message.received",
            Self::Receipt => "receipt.received",
            Self::Call => "call.received",
            Self::Qr => "session.qr",
            Self::Connected => "session.connected",
            Self::Disconnected => "session.disconnected",
            Self::Ended => "session.ended",
        }
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
    /// Who confirmed.
    pub sender: Jid,
    /// How far.
    pub kind: ReceiptKind,
    /// Which messages.
    pub ids: Vec<MessageId>,
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
