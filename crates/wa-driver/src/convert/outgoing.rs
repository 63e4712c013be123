//! Messages that leave: text, and files that were encrypted and uploaded before.

use wagate_domain::model::{MediaFile, MediaKind};
use whatsapp_rust::buffa::MessageField;
use whatsapp_rust::upload::UploadResponse;
use whatsapp_rust::wacore::download::MediaType;
use whatsapp_rust::waproto::whatsapp::{Message, message};

/// Name of a document whose source and sender gave none.
const NAMELESS: &str = "file";

/// Background of a story that is only text, as alpha, red, green, blue.
const STORY_BACKGROUND: u32 = 0xFF1E_6E4F;

/// Plain text.
pub(crate) fn text(text: &str) -> Message {
    Message {
        conversation: Some(text.to_owned()),
        ..Default::default()
    }
}

/// Text as a story, which needs a background to be seen.
pub(crate) fn story_text(text: &str) -> Message {
    let extended = message::ExtendedTextMessage {
        text: Some(text.to_owned()),
        background_argb: Some(STORY_BACKGROUND),
        font: Some(message::extended_text_message::FontType::SYSTEM),
        ..Default::default()
    };
    Message {
        extended_text_message: MessageField::some(extended),
        ..Default::default()
    }
}

/// Which keys and which upload address a file of this kind takes.
pub(crate) fn media_type(kind: MediaKind) -> MediaType {
    match kind {
        MediaKind::Image => MediaType::Image,
        MediaKind::Video => MediaType::Video,
        MediaKind::Audio => MediaType::Audio,
        MediaKind::Sticker => MediaType::Sticker,
        MediaKind::Document => MediaType::Document,
    }
}

/// Where an encrypted file lies at WhatsApp, and what opens it. Upstream's own type cannot be made
/// outside of upstream, which would leave all of this untested.
#[derive(Debug, Clone)]
pub(crate) struct Uploaded {
    pub url: String,
    pub direct_path: String,
    pub media_key: [u8; 32],
    pub file_enc_sha256: [u8; 32],
    pub file_sha256: [u8; 32],
    pub file_length: u64,
    pub media_key_timestamp: i64,
    pub streaming_sidecar: Option<Vec<u8>>,
}

impl From<UploadResponse> for Uploaded {
    fn from(it: UploadResponse) -> Self {
        Self {
            url: it.url,
            direct_path: it.direct_path,
            media_key: it.media_key,
            file_enc_sha256: it.file_enc_sha256,
            file_sha256: it.file_sha256,
            file_length: it.file_length,
            media_key_timestamp: it.media_key_timestamp,
            streaming_sidecar: it.streaming_sidecar,
        }
    }
}

/// A media message of the given type: what every one of them says of its file, and the rest.
macro_rules! media_message {
    ($kind:ident, $uploaded:ident, $mimetype:expr, { $($field:ident: $value:expr),* $(,)? }) => {
        MessageField::some(message::$kind {
            url: Some($uploaded.url),
            direct_path: Some($uploaded.direct_path),
            media_key: Some($uploaded.media_key.to_vec()),
            file_sha256: Some($uploaded.file_sha256.to_vec()),
            file_enc_sha256: Some($uploaded.file_enc_sha256.to_vec()),
            file_length: Some($uploaded.file_length),
            media_key_timestamp: Some($uploaded.media_key_timestamp),
            mimetype: Some($mimetype.to_owned()),
            $($field: $value,)*
            ..Default::default()
        })
    };
}

/// The message around an uploaded file.
pub(crate) fn file(
    uploaded: Uploaded,
    file: &MediaFile,
    caption: Option<String>,
    file_name: Option<&str>,
) -> Message {
    let mimetype = file.mimetype();
    let mut message = Message::default();
    match file.kind() {
        MediaKind::Image => {
            message.image_message = media_message!(ImageMessage, uploaded, mimetype, { caption: caption });
        }
        MediaKind::Video => {
            message.video_message = media_message!(VideoMessage, uploaded, mimetype, {
                caption: caption,
                streaming_sidecar: uploaded.streaming_sidecar,
            });
        }
        MediaKind::Audio => {
            message.audio_message = media_message!(AudioMessage, uploaded, mimetype, {
                ptt: Some(false),
                streaming_sidecar: uploaded.streaming_sidecar,
            });
        }
        MediaKind::Sticker => {
            message.sticker_message = media_message!(StickerMessage, uploaded, mimetype, {});
        }
        MediaKind::Document => {
            let captioned = caption.is_some();
            let name = Some(file_name.or(file.file_name()).unwrap_or(NAMELESS).to_owned());
            message.document_message = media_message!(DocumentMessage, uploaded, mimetype, {
                title: name.clone(),
                file_name: name,
                caption: caption,
            });
            if captioned {
                message = with_caption(message);
            }
        }
    }
    message
}

/// Phones show the caption of a document only inside this wrapper.
fn with_caption(document: Message) -> Message {
    let wrapper = message::FutureProofMessage {
        message: MessageField::some(document),
    };
    Message {
        document_with_caption_message: MessageField::some(wrapper),
        ..Default::default()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn uploaded() -> Uploaded {
        Uploaded {
            url: "https://mmg.whatsapp.net/u".into(),
            direct_path: "/d".into(),
            media_key: [1; 32],
            file_enc_sha256: [2; 32],
            file_sha256: [3; 32],
            file_length: 5,
            media_key_timestamp: 1_700_000_000,
            streaming_sidecar: None,
        }
    }

    fn on_disk(mimetype: &str) -> MediaFile {
        MediaFile::new(
            "/nowhere".into(),
            5,
            mimetype,
            Some("source.bin".into()),
            Arc::new(()),
        )
    }

    #[test]
    fn text_is_a_conversation_and_a_story_has_a_background() {
        assert_eq!(text("hi").conversation.as_deref(), Some("hi"));
        let story = story_text("hi").extended_text_message.into_option().unwrap();
        assert_eq!(story.text.as_deref(), Some("hi"));
        assert!(story.background_argb.is_some());
    }

    #[test]
    fn the_kind_follows_the_content() {
        let build = |mimetype: &str| file(uploaded(), &on_disk(mimetype), Some("look".into()), None);
        let image = build("image/jpeg").image_message.into_option().unwrap();
        assert_eq!(
            (image.mimetype.as_deref(), image.caption.as_deref()),
            (Some("image/jpeg"), Some("look"))
        );
        let video = build("video/mp4").video_message.into_option().unwrap();
        assert_eq!(video.caption.as_deref(), Some("look"));
        let audio = build("audio/mpeg").audio_message.into_option().unwrap();
        assert_eq!(
            (audio.mimetype.as_deref(), audio.ptt),
            (Some("audio/mpeg"), Some(false))
        );
        let sticker = build("image/webp").sticker_message.into_option().unwrap();
        assert_eq!(
            (sticker.file_length, sticker.media_key),
            (Some(5), Some(vec![1; 32]))
        );
    }

    #[test]
    fn a_document_carries_its_name_and_its_caption_in_a_wrapper() {
        let bare = file(uploaded(), &on_disk("application/pdf"), None, None);
        let document = bare.document_message.into_option().unwrap();
        assert_eq!(document.file_name.as_deref(), Some("source.bin"));
        let captioned = file(
            uploaded(),
            &on_disk("application/pdf"),
            Some("read".into()),
            Some("a.pdf"),
        );
        let wrapper = captioned.document_with_caption_message.into_option().unwrap();
        let document = wrapper
            .message
            .into_option()
            .unwrap()
            .document_message
            .into_option()
            .unwrap();
        assert_eq!(document.file_name.as_deref(), Some("a.pdf"));
        assert_eq!(document.caption.as_deref(), Some("read"));
    }
}
