//! In-memory Signal stores of one party, storable with the world.
//!
//! They answer at once, so that Signal operations finish without waiting (see `signal.rs`).

use crate::phone::keys::Secret;
use async_trait::async_trait;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use std::collections::HashMap;
use wacore_libsignal::protocol::{
    Direction, GenericSignedPreKey as _, IdentityChange, IdentityKey, IdentityKeyPair, IdentityKeyStore,
    PreKeyId, PreKeyRecord, PreKeyStore, ProtocolAddress, SenderKeyName, SenderKeyRecord, SenderKeyStore,
    SessionRecord, SessionStore, SignalProtocolError, SignedPreKeyId, SignedPreKeyRecord, SignedPreKeyStore,
    Timestamp,
};

type Result<T> = std::result::Result<T, SignalProtocolError>;

/// Records by name, kept in memory and stored as base64 of their serialised form.
#[derive(Clone)]
pub struct Records<R>(HashMap<String, R>);

impl<R> Default for Records<R> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<R> std::fmt::Debug for Records<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl<R> Records<R> {
    pub fn forget(&mut self, name: &str) {
        self.0.remove(name);
    }

    pub fn contains(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }
}

/// How a record becomes bytes and comes back.
pub trait Stored: Sized {
    fn to_bytes(&self) -> Result<Vec<u8>>;
    fn from_bytes(bytes: &[u8]) -> Result<Self>;
}

impl Stored for SessionRecord {
    fn to_bytes(&self) -> Result<Vec<u8>> {
        self.serialize()
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self> {
        Self::deserialize(bytes)
    }
}

impl Stored for SenderKeyRecord {
    fn to_bytes(&self) -> Result<Vec<u8>> {
        self.serialize()
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self> {
        Self::deserialize(bytes)
    }
}

impl<R: Stored> Serialize for Records<R> {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.collect_map(
            self.0
                .iter()
                .filter_map(|(name, record)| Some((name, BASE64_STANDARD.encode(record.to_bytes().ok()?)))),
        )
    }
}

impl<'de, R: Stored> Deserialize<'de> for Records<R> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        let stored = HashMap::<String, String>::deserialize(deserializer)?;
        let mut records = HashMap::with_capacity(stored.len());
        for (name, text) in stored {
            let bytes = BASE64_STANDARD.decode(text).map_err(D::Error::custom)?;
            records.insert(name, R::from_bytes(&bytes).map_err(D::Error::custom)?);
        }
        Ok(Self(records))
    }
}

#[async_trait]
impl SessionStore for Records<SessionRecord> {
    async fn load_session(&self, address: &ProtocolAddress) -> Result<Option<SessionRecord>> {
        Ok(self.0.get(address.as_str()).cloned())
    }

    async fn has_session(&self, address: &ProtocolAddress) -> Result<bool> {
        Ok(self.contains(address.as_str()))
    }

    async fn store_session(&mut self, address: &ProtocolAddress, record: SessionRecord) -> Result<()> {
        self.0.insert(address.as_str().to_owned(), record);
        Ok(())
    }
}

#[async_trait]
impl SenderKeyStore for Records<SenderKeyRecord> {
    async fn store_sender_key(&mut self, name: &SenderKeyName, record: SenderKeyRecord) -> Result<()> {
        self.0.insert(name.cache_key().to_owned(), record);
        Ok(())
    }

    async fn load_sender_key(&self, name: &SenderKeyName) -> Result<Option<SenderKeyRecord>> {
        Ok(self.0.get(name.cache_key()).cloned())
    }
}

/// The party's own identity and those it has seen.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Identities {
    pub own: Secret,
    pub registration: u32,
    /// Identity key by address, in hex.
    seen: HashMap<String, String>,
}

impl Identities {
    pub fn new(own: Secret, registration: u32) -> Self {
        Self {
            own,
            registration,
            seen: HashMap::new(),
        }
    }
}

#[async_trait]
impl IdentityKeyStore for Identities {
    async fn get_identity_key_pair(&self) -> Result<IdentityKeyPair> {
        Ok(self.own.identity())
    }

    async fn get_local_registration_id(&self) -> Result<u32> {
        Ok(self.registration)
    }

    async fn save_identity(
        &mut self,
        address: &ProtocolAddress,
        identity: &IdentityKey,
    ) -> Result<IdentityChange> {
        let key = hex::encode(identity.serialize());
        let before = self.seen.insert(address.as_str().to_owned(), key.clone());
        Ok(match before {
            Some(before) if before != key => IdentityChange::ReplacedExisting,
            _ => IdentityChange::NewOrUnchanged,
        })
    }

    /// Phones trust on first use and go on after a change, as people do.
    async fn is_trusted_identity(&self, _: &ProtocolAddress, _: &IdentityKey, _: Direction) -> Result<bool> {
        Ok(true)
    }

    async fn get_identity(&self, address: &ProtocolAddress) -> Result<Option<IdentityKey>> {
        let key = self
            .seen
            .get(address.as_str())
            .and_then(|key| hex::decode(key).ok());
        key.map(|key| IdentityKey::decode(&key)).transpose()
    }
}

/// The party's signed prekey; it has no others.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SignedKeys {
    pub id: u32,
    pub key: Secret,
    pub signature: Vec<u8>,
}

#[async_trait]
impl SignedPreKeyStore for SignedKeys {
    async fn get_signed_pre_key(&self, id: SignedPreKeyId) -> Result<SignedPreKeyRecord> {
        if u32::from(id) != self.id {
            return Err(SignalProtocolError::InvalidSignedPreKeyId);
        }
        let created = Timestamp::from_epoch_millis(crate::clock::now_ms());
        Ok(SignedPreKeyRecord::new(
            id,
            created,
            self.key.pair(),
            &self.signature,
        ))
    }

    async fn save_signed_pre_key(&mut self, _: SignedPreKeyId, _: &SignedPreKeyRecord) -> Result<()> {
        Ok(())
    }
}

/// Phones offer no one-time prekeys: a bundle without them is valid, and nothing has to be refilled.
pub struct NoOneTimeKeys;

#[async_trait]
impl PreKeyStore for NoOneTimeKeys {
    async fn get_pre_key(&self, _: PreKeyId) -> Result<PreKeyRecord> {
        Err(SignalProtocolError::InvalidPreKeyId)
    }

    async fn save_pre_key(&mut self, _: PreKeyId, _: &PreKeyRecord) -> Result<()> {
        Ok(())
    }

    async fn remove_pre_key(&mut self, _: PreKeyId) -> Result<()> {
        Ok(())
    }
}
