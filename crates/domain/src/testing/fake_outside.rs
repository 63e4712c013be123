//! The web as a test wants it: files that can be fetched, and addresses that may be called.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;

use crate::model::{Attempt, Delivery, MediaFile, Timestamp};
use crate::ports::{MediaSource, Targets, WebhookTester};
use crate::{Error, Result};

/// Files by address. An address that nobody set is one that answers with an error.
#[derive(Debug, Default)]
pub struct FakeMedia(Mutex<Files>);

#[derive(Debug, Default)]
struct Files {
    found: HashMap<String, (Bytes, String, Option<String>)>,
    failures: HashMap<String, Error>,
    fetched: Vec<String>,
}

impl FakeMedia {
    /// No files yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// From now on this address has a file.
    pub fn put(&self, url: &str, mimetype: &str, file_name: Option<&str>, bytes: impl Into<Bytes>) {
        let file = (bytes.into(), mimetype.into(), file_name.map(Into::into));
        self.files().found.insert(url.into(), file);
    }

    /// The next fetch of this address fails like this.
    pub fn fail_next(&self, url: &str, error: Error) {
        self.files().failures.insert(url.into(), error);
    }

    /// Every address that was asked for, in order.
    pub fn fetched(&self) -> Vec<String> {
        self.files().fetched.clone()
    }

    fn files(&self) -> MutexGuard<'_, Files> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl MediaSource for FakeMedia {
    async fn fetch(&self, url: &str) -> Result<MediaFile> {
        let mut files = self.files();
        files.fetched.push(url.into());
        if let Some(error) = files.failures.remove(url) {
            return Err(error);
        }
        let found = files.found.get(url).cloned();
        let (bytes, mimetype, name) =
            found.ok_or_else(|| Error::invalid("file_url", "file_url answered with status 404"))?;
        let file = TemporaryFile::write(&bytes)?;
        Ok(MediaFile::new(
            file.0.clone(),
            bytes.len() as u64,
            mimetype,
            name,
            Arc::new(file),
        ))
    }
}

/// A file that goes with this value.
struct TemporaryFile(PathBuf);

impl TemporaryFile {
    fn write(bytes: &[u8]) -> Result<Self> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("wagate-fake-media-{}-{number}", std::process::id()));
        std::fs::write(&path, bytes).map_err(Error::internal)?;
        Ok(Self(path))
    }
}

impl Drop for TemporaryFile {
    fn drop(&mut self) {
        // Nobody can do anything about a file that stays behind in the temporary directory.
        let _ = std::fs::remove_file(&self.0);
    }
}

/// Says yes to every `http:` and `https:` address without credentials, but to those set.
#[derive(Debug, Default)]
pub struct FakeTargets(Mutex<HashSet<String>>);

impl FakeTargets {
    /// Everything is allowed.
    pub fn new() -> Self {
        Self::default()
    }

    /// From now on this address is a private one.
    pub fn refuse(&self, url: &str) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(url.into());
    }
}

#[async_trait]
impl Targets for FakeTargets {
    async fn check(&self, field: &'static str, url: &str) -> Result<()> {
        let rest = url
            .strip_prefix("http://")
            .or_else(|| url.strip_prefix("https://"));
        let Some(rest) = rest else {
            return Err(Error::invalid(
                field,
                format!("{field} must start with http:// or https://"),
            ));
        };
        if rest
            .split('/')
            .next()
            .is_some_and(|authority| authority.contains('@'))
        {
            return Err(Error::invalid(
                field,
                format!("{field} must not hold credentials"),
            ));
        }
        if self
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .contains(url)
        {
            return Err(Error::invalid(
                field,
                format!("{field} points at a private address"),
            ));
        }
        Ok(())
    }
}

/// Keeps the deliveries that were tried; every receiver answers 200.
#[derive(Debug, Default)]
pub struct FakeTester(Mutex<Vec<Delivery>>);

impl FakeTester {
    /// Nothing was tried yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Everything that was tried, in order.
    pub fn tried(&self) -> Vec<Delivery> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[async_trait]
impl WebhookTester for FakeTester {
    async fn try_once(&self, delivery: &Delivery) -> Attempt {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(delivery.clone());
        Attempt {
            at: Timestamp::default(),
            took: std::time::Duration::from_millis(1),
            status: Some(200),
            error: None,
            request_head: "POST / HTTP/1.1".into(),
            response_head: "HTTP/1.1 200 OK".into(),
            response_body: Bytes::from_static(b"ok"),
        }
    }
}
