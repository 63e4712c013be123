//! A file on the way to disk: counts against the limit, keeps the beginning for a look at the content,
//! and disappears with its last owner.

use std::path::Path;
use std::sync::Arc;

use tempfile::TempPath;
use tokio::fs::File;
use tokio::io::AsyncWriteExt;
use wagate_domain::model::MediaFile;
use wagate_domain::{Error, Result};

use super::{FIELD, mimetype};

/// Bytes that tell what a file is.
const HEAD: usize = 8 * 1024;

pub(super) struct Spool {
    file: File,
    path: TempPath,
    head: Vec<u8>,
    size: u64,
    limit: u64,
}

impl Spool {
    /// An empty file in the directory; `TooLarge` when already the announcement breaks the limit.
    pub(super) async fn create(directory: &Path, limit: u64, announced: u64) -> Result<Self> {
        if announced > limit {
            return Err(too_large(limit));
        }
        let directory = directory.to_owned();
        let create = move || tempfile::Builder::new().prefix("media-").tempfile_in(directory);
        let created = tokio::task::spawn_blocking(create)
            .await
            .map_err(Error::internal)?;
        let (file, path) = created.map_err(Error::internal)?.into_parts();
        Ok(Self {
            file: File::from_std(file),
            path,
            head: Vec::new(),
            size: 0,
            limit,
        })
    }

    pub(super) async fn write(&mut self, piece: &[u8]) -> Result<()> {
        self.size += piece.len() as u64;
        if self.size > self.limit {
            return Err(too_large(self.limit));
        }
        let wanted = HEAD.saturating_sub(self.head.len()).min(piece.len());
        self.head.extend_from_slice(&piece[..wanted]);
        self.file.write_all(piece).await.map_err(Error::internal)
    }

    /// The file as the domain knows it; `claimed` is the MIME type that its source gave it.
    pub(super) async fn finish(mut self, claimed: Option<&str>, name: Option<String>) -> Result<MediaFile> {
        if self.size == 0 {
            return Err(Error::invalid(FIELD, "the file is empty"));
        }
        self.file.flush().await.map_err(Error::internal)?;
        let mimetype = mimetype::detect(&self.head, claimed, name.as_deref());
        let path = self.path.to_path_buf();
        Ok(MediaFile::new(
            path,
            self.size,
            mimetype,
            name,
            Arc::new(self.path),
        ))
    }
}

fn too_large(limit: u64) -> Error {
    Error::TooLarge { what: "file", limit }
}
