//! Files on their way to WhatsApp: kept on disk while they are sent, never whole in memory.

use std::any::Any;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// How WhatsApp shows a file. Chosen by content, not by extension.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MediaKind {
    /// JPEG, PNG, GIF …
    Image,
    /// MP4 …
    Video,
    /// Any sound.
    Audio,
    /// A WebP picture.
    Sticker,
    /// Everything else.
    Document,
}

impl MediaKind {
    /// The kind for a MIME type found in the content.
    pub fn of_mimetype(mimetype: &str) -> Self {
        match mimetype.split_once('/') {
            Some(("image", subtype)) if subtype.starts_with("webp") => Self::Sticker,
            Some(("image", subtype)) if subtype.starts_with("svg") => Self::Document,
            Some(("image", _)) => Self::Image,
            Some(("video", _)) => Self::Video,
            Some(("audio", _)) => Self::Audio,
            _ => Self::Document,
        }
    }

    /// Stable name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Image => "image",
            Self::Video => "video",
            Self::Audio => "audio",
            Self::Sticker => "sticker",
            Self::Document => "document",
        }
    }
}

/// A file on the local disk that lives as long as this value (and its clones).
#[derive(Clone)]
pub struct MediaFile {
    path: PathBuf,
    size: u64,
    mimetype: String,
    file_name: Option<String>,
    _owner: Arc<dyn Any + Send + Sync>,
}

impl MediaFile {
    /// Describes a file; `owner` removes it when the last clone is dropped. `mimetype` is what the
    /// content says; `file_name` what its source called it.
    pub fn new(
        path: PathBuf,
        size: u64,
        mimetype: impl Into<String>,
        file_name: Option<String>,
        owner: Arc<dyn Any + Send + Sync>,
    ) -> Self {
        Self {
            path,
            size,
            mimetype: mimetype.into(),
            file_name,
            _owner: owner,
        }
    }

    /// Where it lies.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Bytes.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// MIME type by content.
    pub fn mimetype(&self) -> &str {
        &self.mimetype
    }

    /// The name its source gave it.
    pub fn file_name(&self) -> Option<&str> {
        self.file_name.as_deref()
    }

    /// How WhatsApp will show it.
    pub fn kind(&self) -> MediaKind {
        MediaKind::of_mimetype(&self.mimetype)
    }
}

impl fmt::Debug for MediaFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MediaFile")
            .field("size", &self.size)
            .field("mimetype", &self.mimetype)
            .finish_non_exhaustive()
    }
}
