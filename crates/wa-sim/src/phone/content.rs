//! What a person sees of a message: its kind, its words and its file.

use crate::world::view::{MediaView, MessageView};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use wacore::download::{DownloadUtils, MediaType};
use waproto::whatsapp as wa;
use waproto::whatsapp::message::protocol_message::Type;

/// A message on a phone: what is shown, and what receipts and retries need.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Message {
    pub view: MessageView,
    /// The author's device as the stanza named it; receipts go there.
    pub author: String,
    /// Encoded `Message`, kept of one's own messages to answer retry receipts.
    pub sent: Vec<u8>,
}

/// The readable part of a message.
#[derive(Debug, Clone, Default)]
pub struct Content {
    pub kind: &'static str,
    pub text: Option<String>,
    pub file: Option<FileRef>,
    pub target: Option<String>,
}

/// Where a file lies and how to open it.
#[derive(Debug, Clone)]
pub struct FileRef {
    pub media_type: MediaType,
    pub direct_path: String,
    pub key: Vec<u8>,
    pub sha256: Vec<u8>,
    pub encrypted_sha256: Vec<u8>,
    pub mimetype: String,
    pub file_name: Option<String>,
}

/// A change of an earlier message.
#[derive(Debug, Clone)]
pub enum Change {
    Revoke { id: String },
    Edit { id: String, text: Option<String> },
}

macro_rules! file {
    ($message:expr, $media_type:ident, $file_name:expr) => {
        Some(FileRef {
            media_type: MediaType::$media_type,
            direct_path: $message.direct_path.clone().unwrap_or_default(),
            key: $message.media_key.clone().unwrap_or_default(),
            sha256: $message.file_sha256.clone().unwrap_or_default(),
            encrypted_sha256: $message.file_enc_sha256.clone().unwrap_or_default(),
            mimetype: $message.mimetype.clone().unwrap_or_default(),
            file_name: $file_name,
        })
    };
}

pub fn read(message: &wa::Message) -> Content {
    let message = innermost(message);
    if let Some(text) = &message.conversation {
        return Content {
            kind: "text",
            text: Some(text.clone()),
            ..Default::default()
        };
    }
    if let Some(text) = message.extended_text_message.as_option() {
        return Content {
            kind: "text",
            text: text.text.clone(),
            ..Default::default()
        };
    }
    read_file(message)
        .or_else(|| read_other(message))
        .unwrap_or(Content {
            kind: "other",
            ..Default::default()
        })
}

fn read_file(message: &wa::Message) -> Option<Content> {
    if let Some(image) = message.image_message.as_option() {
        let file = file!(image, Image, None);
        return Some(Content {
            kind: "image",
            text: image.caption.clone(),
            file,
            target: None,
        });
    }
    if let Some(video) = message.video_message.as_option() {
        let file = file!(video, Video, None);
        return Some(Content {
            kind: "video",
            text: video.caption.clone(),
            file,
            target: None,
        });
    }
    if let Some(audio) = message.audio_message.as_option() {
        return Some(Content {
            kind: "audio",
            file: file!(audio, Audio, None),
            ..Default::default()
        });
    }
    if let Some(document) = message.document_message.as_option() {
        let file = file!(document, Document, document.file_name.clone());
        return Some(Content {
            kind: "document",
            text: document.caption.clone(),
            file,
            target: None,
        });
    }
    let sticker = message.sticker_message.as_option()?;
    Some(Content {
        kind: "sticker",
        file: file!(sticker, Sticker, None),
        ..Default::default()
    })
}

fn read_other(message: &wa::Message) -> Option<Content> {
    if let Some(reaction) = message.reaction_message.as_option() {
        let target = reaction.key.id.clone();
        return Some(Content {
            kind: "reaction",
            text: reaction.text.clone(),
            file: None,
            target,
        });
    }
    if let Some(place) = message.location_message.as_option() {
        let (latitude, longitude) = (place.degrees_latitude?, place.degrees_longitude?);
        let text = Some(format!("{latitude},{longitude}"));
        return Some(Content {
            kind: "location",
            text,
            ..Default::default()
        });
    }
    if let Some(card) = message.contact_message.as_option() {
        return Some(Content {
            kind: "contact",
            text: card.display_name.clone(),
            ..Default::default()
        });
    }
    let polls = [
        &message.poll_creation_message,
        &message.poll_creation_message_v2,
        &message.poll_creation_message_v3,
    ];
    let poll = polls.into_iter().find_map(|poll| poll.as_option())?;
    Some(Content {
        kind: "poll",
        text: poll.name.clone(),
        ..Default::default()
    })
}

/// Follows the wrappers that carry another message.
fn innermost(message: &wa::Message) -> &wa::Message {
    let wrappers = [
        &message.ephemeral_message,
        &message.view_once_message,
        &message.view_once_message_v2,
        &message.document_with_caption_message,
    ];
    let inner = wrappers
        .into_iter()
        .find_map(|wrapper| wrapper.as_option()?.message.as_option());
    inner.map_or(message, innermost)
}

/// The change that a message makes to an earlier one, if it is of that kind.
pub fn change(message: &wa::Message) -> Option<Change> {
    let message = match message
        .edited_message
        .as_option()
        .and_then(|edited| edited.message.as_option())
    {
        Some(inner) => inner,
        None => message,
    };
    let protocol = message.protocol_message.as_option()?;
    let id = protocol.key.id.clone()?;
    match protocol.r#type? {
        Type::REVOKE => Some(Change::Revoke { id }),
        Type::MESSAGE_EDIT => {
            let text = protocol
                .edited_message
                .as_option()
                .and_then(|edited| read(edited).text);
            Some(Change::Edit { id, text })
        }
        _ => None,
    }
}

impl FileRef {
    /// Opens the ciphertext and checks both digests, as a phone does.
    pub fn open(&self, ciphertext: &[u8]) -> anyhow::Result<(Vec<u8>, MediaView)> {
        anyhow::ensure!(
            Sha256::digest(ciphertext).as_slice() == self.encrypted_sha256,
            "the ciphertext does not have the announced digest"
        );
        let plain = DownloadUtils::verify_and_decrypt(ciphertext, &self.key, self.media_type)?;
        let digest = Sha256::digest(&plain);
        anyhow::ensure!(
            digest.as_slice() == self.sha256,
            "the file does not have the announced digest"
        );
        let view = MediaView {
            mimetype: self.mimetype.clone(),
            file_name: self.file_name.clone(),
            size: plain.len() as u64,
            sha256: hex::encode(digest),
        };
        Ok((plain, view))
    }
}
