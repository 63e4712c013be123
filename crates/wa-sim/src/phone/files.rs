//! A person sends a file: encrypts it, leaves it on the media host and describes it in a message.

use crate::clock;
use crate::media::MediaStore;
use crate::phone::send::Draft;
use crate::world::view::{MediaView, OutgoingMedia, SimError};
use buffa::MessageField;
use wacore::download::MediaType;
use wacore::upload::{EncryptedMedia, encrypt_media};
use waproto::whatsapp as wa;

pub fn upload(store: &MediaStore, media: &OutgoingMedia) -> Result<Draft, SimError> {
    let media_type = media_type(&media.mimetype);
    let sealed =
        encrypt_media(&media.bytes, media_type).map_err(|error| SimError::Invalid(error.to_string()))?;
    let direct_path = store.put(media_type.mms_type(), &sealed.data_to_upload);
    let view = MediaView {
        mimetype: media.mimetype.clone(),
        file_name: media.file_name.clone(),
        size: media.bytes.len() as u64,
        sha256: hex::encode(sealed.file_sha256),
    };
    let (message, kind) = describe(
        media,
        &sealed,
        direct_path.clone(),
        store.url_of(&direct_path),
        media_type,
    );
    Ok(Draft {
        message,
        kind: "media",
        media_type: Some(kind),
        view: Some(view),
    })
}

fn media_type(mimetype: &str) -> MediaType {
    match mimetype.split('/').next() {
        Some("image") if mimetype == "image/webp" => MediaType::Sticker,
        Some("image") => MediaType::Image,
        Some("video") => MediaType::Video,
        Some("audio") => MediaType::Audio,
        _ => MediaType::Document,
    }
}

macro_rules! filled {
    ($kind:ident, $media:expr, $sealed:expr, $path:expr, $url:expr, { $($field:ident: $value:expr),* }) => {
        MessageField::some(wa::message::$kind {
            url: Some($url),
            direct_path: Some($path),
            mimetype: Some($media.mimetype.clone()),
            media_key: Some($sealed.media_key.to_vec()),
            file_sha256: Some($sealed.file_sha256.to_vec()),
            file_enc_sha256: Some($sealed.file_enc_sha256.to_vec()),
            file_length: Some($media.bytes.len() as u64),
            media_key_timestamp: Some(i64::try_from(clock::now()).unwrap_or(i64::MAX)),
            $($field: $value,)*
            ..Default::default()
        })
    };
}

fn describe(
    media: &OutgoingMedia,
    sealed: &EncryptedMedia,
    path: String,
    url: String,
    media_type: MediaType,
) -> (wa::Message, &'static str) {
    let mut message = wa::Message::default();
    let caption = media.caption.clone();
    let kind = match media_type {
        MediaType::Image => {
            message.image_message = filled!(ImageMessage, media, sealed, path, url, { caption: caption });
            "image"
        }
        MediaType::Video => {
            message.video_message = filled!(VideoMessage, media, sealed, path, url, { caption: caption });
            "video"
        }
        MediaType::Audio => {
            message.audio_message = filled!(AudioMessage, media, sealed, path, url, {});
            "audio"
        }
        MediaType::Sticker => {
            message.sticker_message = filled!(StickerMessage, media, sealed, path, url, {});
            "sticker"
        }
        _ => {
            let name = media.file_name.clone();
            message.document_message = filled!(DocumentMessage, media, sealed, path, url, {
                caption: caption, title: name.clone(), file_name: name
            });
            "document"
        }
    };
    (message, kind)
}
