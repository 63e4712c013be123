//! The media hosts' memory: encrypted blobs by path, the upload tickets, and uploads that broke off half way.

mod download;
mod upload;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use bytes::{Bytes, BytesMut};
use rand::Rng as _;
use sha2::{Digest, Sha256};

pub(crate) use download::download;
pub(crate) use upload::upload;

/// Largest upload taken unless the settings say otherwise.
pub const DEFAULT_MAX_BYTES: usize = 256 * 1024 * 1024;
/// Kind of a profile picture: served in the clear under `/pic/`.
pub const PICTURE: &str = "pic";
/// Broken uploads remembered at a time; the oldest is forgotten first.
const MAX_PARTIALS: usize = 64;

/// Where a blob went: what clients put into their messages.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Stored {
    pub direct_path: String,
    pub url: String,
}

#[derive(Debug, Default)]
struct Shelves {
    blobs: HashMap<String, Bytes>,
    /// Token of the upload and the bytes that arrived, oldest first.
    partials: Vec<(String, BytesMut)>,
    /// Upload ticket to phone number.
    tickets: HashMap<String, String>,
}

/// Blobs in memory, or in a folder when the simulator keeps its state.
#[derive(Debug)]
pub struct MediaStore {
    shelves: Mutex<Shelves>,
    folder: Option<PathBuf>,
    host: OnceLock<String>,
    max_bytes: usize,
}

impl Default for MediaStore {
    fn default() -> Self {
        Self::new(None, DEFAULT_MAX_BYTES)
    }
}

impl MediaStore {
    /// A store in memory, or in `folder`, which is made when the first blob comes.
    pub fn new(folder: Option<PathBuf>, max_bytes: usize) -> Self {
        Self {
            shelves: Mutex::default(),
            folder,
            host: OnceLock::new(),
            max_bytes,
        }
    }

    /// `host:port` that clients are told to use; known once the simulator listens.
    pub fn host(&self) -> &str {
        self.host.get().map_or("localhost", String::as_str)
    }

    pub(crate) fn set_host(&self, host: String) {
        // A simulator listens once; a host that the settings gave stays.
        let _ = self.host.set(host);
    }

    /// The ticket (`auth` of `media_conn`) with which this phone's devices upload.
    pub fn auth_for(&self, phone: &str) -> String {
        let mut shelves = self.shelves();
        if let Some((ticket, _)) = shelves.tickets.iter().find(|(_, of)| of.as_str() == phone) {
            return ticket.clone();
        }
        let mut raw = [0_u8; 24];
        rand::rng().fill_bytes(&mut raw);
        let ticket = BASE64_URL_SAFE_NO_PAD.encode(raw);
        shelves.tickets.insert(ticket.clone(), phone.to_owned());
        ticket
    }

    /// Makes every ticket given out so far worthless, so that clients must ask for `media_conn` again.
    pub fn expire_auth(&self) {
        self.shelves().tickets.clear();
    }

    /// Whose ticket this is.
    pub(crate) fn owner_of(&self, ticket: &str) -> Option<String> {
        self.shelves().tickets.get(ticket).cloned()
    }

    /// Keeps a blob and returns its direct path. `kind` is a media type such as `image`, or [`PICTURE`].
    pub fn put(&self, kind: &str, body: &[u8]) -> String {
        self.store(kind, &token_of(body), Bytes::copy_from_slice(body))
            .direct_path
    }

    fn store(&self, kind: &str, token: &str, body: Bytes) -> Stored {
        let direct_path = if kind == PICTURE {
            format!("/pic/{token}.jpg")
        } else {
            format!("/v/{kind}/{token}.enc")
        };
        self.keep(&direct_path, body);
        self.address(direct_path)
    }

    /// The URL at which clients fetch this path.
    pub fn url_of(&self, direct_path: &str) -> String {
        format!("https://{}{direct_path}", self.host())
    }

    /// The blob at this path, which ends at the first `?` or `&`.
    pub fn get(&self, path: &str) -> Option<Bytes> {
        let path = bare_path(path);
        match self.file_of(path) {
            Some(file) => std::fs::read(file).ok().map(Bytes::from),
            None => self.shelves().blobs.get(path).cloned(),
        }
    }

    fn keep(&self, path: &str, body: Bytes) {
        let Some(file) = self.file_of(path) else {
            self.shelves().blobs.insert(path.to_owned(), body);
            return;
        };
        let written = file
            .parent()
            .map_or(Ok(()), std::fs::create_dir_all)
            .and_then(|()| {
                // A reader must never meet half a file.
                let fresh = file.with_extension("part");
                std::fs::write(&fresh, &body)?;
                std::fs::rename(&fresh, &file)
            });
        if let Err(error) = written {
            tracing::warn!(file = %file.display(), %error, "media blob not kept");
        }
    }

    fn file_of(&self, path: &str) -> Option<PathBuf> {
        // `+` is in no kind and no token, so names cannot clash, and without `/` none leaves the folder.
        Some(
            self.folder
                .as_ref()?
                .join(path.trim_start_matches('/').replace(['/', '\\'], "+")),
        )
    }

    fn address(&self, direct_path: String) -> Stored {
        Stored {
            url: self.url_of(&direct_path),
            direct_path,
        }
    }

    /// The finished upload of this token, if there is one.
    fn finished(&self, kind: &str, token: &str) -> Option<Stored> {
        let direct_path = format!("/v/{kind}/{token}.enc");
        let there = match self.file_of(&direct_path) {
            Some(file) => file.exists(),
            None => self.shelves().blobs.contains_key(&direct_path),
        };
        there.then(|| self.address(direct_path))
    }

    fn partial_len(&self, token: &str) -> usize {
        let shelves = self.shelves();
        shelves
            .partials
            .iter()
            .find(|(of, _)| of == token)
            .map_or(0, |(_, bytes)| bytes.len())
    }

    fn take_partial(&self, token: &str) -> BytesMut {
        let mut shelves = self.shelves();
        let at = shelves.partials.iter().position(|(of, _)| of == token);
        at.map(|at| shelves.partials.remove(at).1).unwrap_or_default()
    }

    fn keep_partial(&self, token: &str, bytes: BytesMut) {
        let mut shelves = self.shelves();
        shelves.partials.retain(|(of, _)| of != token);
        if shelves.partials.len() == MAX_PARTIALS {
            shelves.partials.remove(0);
        }
        shelves.partials.push((token.to_owned(), bytes));
    }

    fn shelves(&self) -> MutexGuard<'_, Shelves> {
        self.shelves.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What names a blob on a media host: unpadded URL-safe base64 of its SHA-256.
pub fn token_of(body: &[u8]) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(body))
}

/// Some clients add their query with `&` instead of `?`.
fn bare_path(path: &str) -> &str {
    path.split(['?', '&']).next().unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_blob_is_found_by_its_path_whatever_query_follows() {
        let media = MediaStore::default();
        media.set_host("127.0.0.1:8081".into());
        let path = media.put("image", b"cipher");
        assert_eq!(media.url_of(&path), format!("https://127.0.0.1:8081{path}"));
        for suffix in ["", "?auth=a&token=b", "&hash=c&mms-type=image"] {
            let found = media.get(&format!("{path}{suffix}"));
            assert_eq!(found.as_deref(), Some(b"cipher".as_slice()), "{suffix}");
        }
        assert_eq!(media.get("/v/image/other.enc"), None);
    }

    #[test]
    fn a_folder_outlives_the_store_and_holds_no_escape() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("media");
        let direct_path = MediaStore::new(Some(path.clone()), DEFAULT_MAX_BYTES).put("audio", b"voice");
        std::fs::write(folder.path().join("secret"), "x").unwrap();
        let reopened = MediaStore::new(Some(path), DEFAULT_MAX_BYTES);
        assert_eq!(reopened.get(&direct_path).as_deref(), Some(b"voice".as_slice()));
        assert_eq!(reopened.get("/../secret"), None);
    }

    #[test]
    fn a_ticket_is_one_per_phone_until_expired() {
        let media = MediaStore::default();
        let ticket = media.auth_for("4915550001");
        assert_eq!(media.auth_for("4915550001"), ticket);
        assert_eq!(media.owner_of(&ticket).as_deref(), Some("4915550001"));
        media.expire_auth();
        assert_eq!(media.owner_of(&ticket), None);
    }
}
