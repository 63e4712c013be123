//! Upstream's storage traits over our [`KeyVault`]: all protocol state of all sessions lives in the
//! gateway's one database. Nothing is cached here, because upstream keeps its own caches in front.

mod address_book;
mod app_sync;
mod codec;
mod device;
mod protocol;
mod secrets;
mod signal;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::Mutex;
use wagate_domain::model::{DeviceId, Timestamp};
use wagate_domain::ports::{Clock, KeyEntry, KeyKind, KeyVault};
use whatsapp_rust::wacore::store::error::StoreError;

pub(crate) use address_book::AddressBook;

/// Pauses of what waits for a database that is away.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// How long a write waits. A read has no other way than to wait: see [`VaultBackend::get`].
const PATIENCE: Duration = Duration::from_mins(30);

/// Result of upstream's storage traits.
type StoreResult<T> = Result<T, StoreError>;

/// Who the keys belong to. A device that once talked to a simulated server holds that server's
/// certificate and would let it in again, so the two worlds never share a device row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum World {
    /// The real thing.
    WhatsApp,
    /// A simulator on this machine.
    Simulated,
}

/// One device's protocol state.
pub struct VaultBackend {
    device: DeviceId,
    vault: Arc<dyn KeyVault>,
    clock: Arc<dyn Clock>,
    world: World,
    /// Taken around every read-modify-write: the vault makes single calls atomic, not pairs of them.
    turn: Mutex<()>,
}

impl std::fmt::Debug for VaultBackend {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("VaultBackend")
            .field("device", &self.device)
            .field("world", &self.world)
            .finish_non_exhaustive()
    }
}

impl VaultBackend {
    /// The state of `device`. Only one may exist per device at a time.
    pub fn new(device: DeviceId, vault: Arc<dyn KeyVault>, clock: Arc<dyn Clock>, world: World) -> Self {
        Self {
            device,
            vault,
            clock,
            world,
            turn: Mutex::new(()),
        }
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Reads, waiting for a database that is away. The library answers what it cannot decrypt with a refusal,
    /// which makes WhatsApp forget the message: keys that cannot be read just now must not look like keys that
    /// do not fit.
    async fn get(&self, kind: KeyKind, key: Bytes) -> StoreResult<Option<Bytes>> {
        let found = self.get_many(kind, vec![key]).await?;
        Ok(found.into_iter().next().map(|(_, value)| value))
    }

    /// As [`VaultBackend::get`], failing at once.
    async fn get_now(&self, kind: KeyKind, key: Bytes) -> StoreResult<Option<Bytes>> {
        let found = self
            .vault
            .get_many(self.device, kind, vec![key])
            .await
            .map_err(failed)?;
        Ok(found.into_iter().next().map(|(_, value)| value))
    }

    async fn get_many(&self, kind: KeyKind, keys: Vec<Bytes>) -> StoreResult<Vec<(Bytes, Bytes)>> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let read = || self.vault.get_many(self.device, kind, keys.clone());
        self.patiently(Duration::MAX, read).await
    }

    async fn put(&self, kind: KeyKind, key: Bytes, value: impl Into<Bytes> + Send) -> StoreResult<()> {
        self.put_many(vec![entry(kind, key, value)]).await
    }

    async fn put_many(&self, entries: Vec<KeyEntry>) -> StoreResult<()> {
        if entries.is_empty() {
            return Ok(());
        }
        self.vault.put_many(self.device, entries).await.map_err(failed)
    }

    /// Writes, waiting for a database that is away. The library has decrypted these messages and cannot do so
    /// again: what it could not keep, it would take for a repetition when WhatsApp sends it once more.
    async fn put_patiently(&self, entries: Vec<KeyEntry>) -> StoreResult<()> {
        let write = || self.vault.put_many(self.device, entries.clone());
        self.patiently(PATIENCE, write).await
    }

    /// Tries until the database is back, or for so long.
    async fn patiently<T, F>(&self, patience: Duration, call: impl Fn() -> F + Send + Sync) -> StoreResult<T>
    where
        T: Send,
        F: Future<Output = wagate_domain::Result<T>> + Send,
    {
        let since = self.now();
        let mut pause = FIRST_PAUSE;
        loop {
            match call().await {
                Err(error) if error.retryable() && self.now().since(since) < patience => {
                    tracing::debug!(%error, "the keys wait for the database");
                    self.clock.sleep(pause).await;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
                done => return done.map_err(failed),
            }
        }
    }

    async fn replace_many(&self, entries: Vec<KeyEntry>) -> StoreResult<()> {
        if entries.is_empty() {
            return Ok(());
        }
        self.vault
            .replace_many(self.device, entries)
            .await
            .map_err(failed)
    }

    async fn delete(&self, kind: KeyKind, key: Bytes) -> StoreResult<()> {
        self.delete_many(kind, vec![key]).await
    }

    async fn delete_many(&self, kind: KeyKind, keys: Vec<Bytes>) -> StoreResult<()> {
        if keys.is_empty() {
            return Ok(());
        }
        self.vault
            .delete_many(self.device, kind, keys)
            .await
            .map_err(failed)
    }

    async fn delete_prefix(&self, kind: KeyKind, prefix: Bytes) -> StoreResult<()> {
        self.vault
            .delete_prefix(self.device, kind, prefix)
            .await
            .map(drop)
            .map_err(failed)
    }

    async fn scan(&self, kind: KeyKind, prefix: Bytes) -> StoreResult<Vec<(Bytes, Bytes)>> {
        let read = || self.vault.scan(self.device, kind, prefix.clone());
        self.patiently(Duration::MAX, read).await
    }

    async fn take(&self, kind: KeyKind, key: Bytes) -> StoreResult<Option<Bytes>> {
        let take = || self.vault.take(self.device, kind, key.clone());
        self.patiently(PATIENCE, take).await
    }

    async fn expire(&self, kind: KeyKind, until: Timestamp) -> StoreResult<u32> {
        let gone = self
            .vault
            .expire(self.device, kind, until)
            .await
            .map_err(failed)?;
        Ok(u32::try_from(gone).unwrap_or(u32::MAX))
    }
}

/// An entry that never expires.
fn entry(kind: KeyKind, key: Bytes, value: impl Into<Bytes>) -> KeyEntry {
    KeyEntry {
        kind,
        key,
        value: value.into(),
        expires_at: None,
    }
}

fn failed(error: wagate_domain::Error) -> StoreError {
    StoreError::Database(Box::new(error))
}

/// What the driver says of keys that it cannot read: a database that is away comes back, keys that
/// make no sense do not.
pub(crate) fn unreadable(error: StoreError) -> wagate_domain::Error {
    match error {
        StoreError::Validation(_) | StoreError::Serialization(_) => wagate_domain::Error::internal(error),
        other => {
            tracing::debug!(error = %other, "the keys cannot be read");
            wagate_domain::Error::unavailable("database", "the keys of the session could not be read")
        }
    }
}
