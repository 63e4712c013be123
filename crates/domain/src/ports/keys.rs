//! Protocol state of all sessions: opaque bytes by device, kind and key, in the one database.

use async_trait::async_trait;
use bytes::Bytes;

use crate::Result;
use crate::model::{DeviceId, Timestamp};

/// Which kind of protocol state. The numbers are stored: never reuse one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(i32)]
pub enum KeyKind {
    /// The client's own row: identity, registration, names.
    Device = 1,
    /// Identity keys of others.
    Identity = 2,
    /// Signal sessions.
    Session = 3,
    /// One-time prekeys.
    PreKey = 4,
    /// Signed prekeys.
    SignedPreKey = 5,
    /// Sender keys of groups.
    SenderKey = 6,
    /// Which devices have our sender key.
    SenderKeyDevice = 7,
    /// App-state keys.
    AppStateKey = 8,
    /// App-state versions.
    AppStateVersion = 9,
    /// App-state mutation MACs.
    AppStateMac = 10,
    /// LID to phone number.
    LidMapping = 11,
    /// Phone number to LID.
    PhoneMapping = 12,
    /// Base keys seen in retries.
    BaseKey = 13,
    /// Device lists of others.
    DeviceList = 14,
    /// Group metadata.
    GroupMetadata = 15,
    /// Trust tokens.
    TrustToken = 16,
    /// Sent messages, kept for retries.
    SentMessage = 17,
    /// Inbound messages that are decrypted and not yet acknowledged.
    PendingInbound = 18,
    /// Secrets of messages, for polls and edits.
    MessageSecret = 19,
    /// Marks of our own, such as the latest app-state key.
    Meta = 20,
}

/// One piece of protocol state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyEntry {
    /// Which kind.
    pub kind: KeyKind,
    /// Key within device and kind; sorts as bytes.
    pub key: Bytes,
    /// The state.
    pub value: Bytes,
    /// When [`KeyVault::expire`] may remove it; `None` for never.
    pub expires_at: Option<Timestamp>,
}

/// Protocol state. Every method is atomic; every change is durable on return, because Signal state
/// must be on disk before ciphertext leaves the machine.
#[async_trait]
pub trait KeyVault: Send + Sync {
    /// The values of those keys that exist, in no particular order.
    async fn get_many(
        &self,
        device: DeviceId,
        kind: KeyKind,
        keys: Vec<Bytes>,
    ) -> Result<Vec<(Bytes, Bytes)>>;

    /// Writes entries of any kinds, in place of what was there, all or none; of several with one key the
    /// last counts. `NotFound` when the device is gone.
    async fn put_many(&self, device: DeviceId, entries: Vec<KeyEntry>) -> Result<()>;

    /// Writes those entries whose key exists and leaves out the others: a change must not bring back
    /// a prekey that was used up meanwhile.
    async fn replace_many(&self, device: DeviceId, entries: Vec<KeyEntry>) -> Result<()>;

    /// Removes keys; those that do not exist are fine.
    async fn delete_many(&self, device: DeviceId, kind: KeyKind, keys: Vec<Bytes>) -> Result<()>;

    /// Every entry whose key starts with `prefix`, by key.
    async fn scan(&self, device: DeviceId, kind: KeyKind, prefix: Bytes) -> Result<Vec<(Bytes, Bytes)>>;

    /// Removes every entry whose key starts with `prefix` and says how many there were.
    async fn delete_prefix(&self, device: DeviceId, kind: KeyKind, prefix: Bytes) -> Result<u64>;

    /// Removes a key and returns its value: of two callers only one gets it.
    async fn take(&self, device: DeviceId, kind: KeyKind, key: Bytes) -> Result<Option<Bytes>>;

    /// Removes what expired at or before `now` and says how many there were.
    async fn expire(&self, device: DeviceId, kind: KeyKind, now: Timestamp) -> Result<u64>;

    /// Removes everything of a device.
    async fn erase(&self, device: DeviceId) -> Result<()>;
}
