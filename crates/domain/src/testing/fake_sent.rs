//! What a fake server keeps of a message that it accepted.

use bytes::Bytes;

use crate::model::{Content, Jid, MediaKind, MessageId, OutgoingMessage};
use crate::{Error, Result};

/// A message that the fake server accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FakeSent {
    /// Its id.
    pub id: MessageId,
    /// Whom it went to.
    pub to: Jid,
    /// Text, or the caption.
    pub text: Option<String>,
    /// The file.
    pub media: Option<FakeSentMedia>,
}

/// A file that the fake server accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FakeSentMedia {
    /// How WhatsApp shows it.
    pub kind: MediaKind,
    /// MIME type by content.
    pub mimetype: String,
    /// Name shown for it.
    pub file_name: Option<String>,
    /// All of it.
    pub bytes: Bytes,
}

/// Reads the file now: it is gone when the send is over.
pub(super) fn record(message: &OutgoingMessage) -> Result<FakeSent> {
    let (text, media) = match &message.content {
        Content::Text(text) => (Some(text.clone()), None),
        Content::Media {
            file,
            caption,
            file_name,
        } => {
            let media = FakeSentMedia {
                kind: file.kind(),
                mimetype: file.mimetype().into(),
                file_name: file_name.clone(),
                bytes: std::fs::read(file.path()).map_err(Error::internal)?.into(),
            };
            (caption.clone(), Some(media))
        }
    };
    Ok(FakeSent {
        id: message.id.clone(),
        to: message.to.clone(),
        text,
        media,
    })
}
