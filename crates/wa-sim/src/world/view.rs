//! What the control API shows of the world: plain values, no protocol types.

use serde::{Deserialize, Serialize};

/// A simulated phone and the devices linked to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PhoneView {
    /// Digits in international form.
    pub phone: String,
    /// The account's LID, as a JID.
    pub lid: String,
    pub name: String,
    /// Phone-number JIDs of the linked companions.
    pub devices: Vec<String>,
    pub online: bool,
    pub script: Script,
    /// Who types to this person now.
    pub typing: Vec<TypingView>,
}

/// What somebody does in a conversation before there is a message.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TypingState {
    #[default]
    Composing,
    Recording,
    Paused,
}

/// Somebody who types or records.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TypingView {
    /// JID of the chat: the peer's phone number, or the group.
    pub chat: String,
    /// Phone-number JID of who does it.
    pub sender: String,
    pub state: TypingState,
}

/// What a phone does by itself with the messages it receives.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Script {
    /// Nothing but delivery receipts.
    #[default]
    None,
    /// Marks as read and writes the same text back.
    Echo,
    /// Marks as read.
    Read,
    /// Not even delivery receipts: its devices alone speak for the account.
    Silent,
}

/// A message as the person sees it: decrypted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageView {
    pub id: String,
    /// JID of the chat: the peer's phone number, or the group.
    pub chat: String,
    /// Phone-number JID of the author.
    pub sender: String,
    pub from_me: bool,
    /// Unix seconds.
    pub timestamp: u64,
    /// `text`, `image`, `video`, `audio`, `document`, `sticker`, `reaction`, `location`, `contact`, `poll`,
    /// `revoke`, `edit` or `other`.
    pub kind: String,
    pub text: Option<String>,
    pub media: Option<MediaView>,
    /// Furthest receipt seen for a message of one's own: `sent`, `delivered`, `read`, `played`.
    pub status: String,
    /// Id of the message that a reaction is about.
    pub target: Option<String>,
    pub edited: bool,
}

/// The attachment of a message, after download and decryption.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MediaView {
    pub mimetype: String,
    pub file_name: Option<String>,
    pub size: u64,
    /// Hex digest of the plaintext.
    pub sha256: String,
}

/// A call that a phone made or received.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallView {
    pub call_id: String,
    pub from: String,
    pub to: String,
    pub state: CallState,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CallState {
    Ringing,
    Rejected,
    Accepted,
    Ended,
}

/// A file that a person sends.
#[derive(Debug, Clone)]
pub struct OutgoingMedia {
    pub bytes: Vec<u8>,
    pub mimetype: String,
    pub caption: Option<String>,
    pub file_name: Option<String>,
}

/// Changes of a group's participants, by phone number.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ParticipantChanges {
    pub add: Vec<String>,
    pub remove: Vec<String>,
    pub promote: Vec<String>,
    pub demote: Vec<String>,
}

/// Why a request to the simulated world was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SimError {
    #[error("no such {what}: {id}")]
    NotFound { what: &'static str, id: String },
    #[error("{0}")]
    Conflict(String),
    #[error("{0}")]
    Invalid(String),
    #[error("timed out waiting for {0}")]
    TimedOut(&'static str),
}
