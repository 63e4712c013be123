//! Files that clients name by address.

use async_trait::async_trait;

use crate::Result;
use crate::model::MediaFile;

/// Fetches files.
#[async_trait]
pub trait MediaSource: Send + Sync {
    /// Streams an `http:`, `https:` or `data:` address to disk. `Invalid { field: "file_url" }` for an
    /// address that is malformed, refused or answers with an error, `TooLarge` above the configured
    /// size, `Unavailable { what: "media" }` when it cannot be reached.
    async fn fetch(&self, url: &str) -> Result<MediaFile>;
}
