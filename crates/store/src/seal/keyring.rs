//! The keys that are in use at the same time.

use super::{KeyId, MasterKey};
use chacha20poly1305::XChaCha20Poly1305;

/// One key that seals, and retired ones that still open what they sealed.
#[derive(Debug)]
pub struct Keyring {
    current: NamedKey,
    retired: Vec<NamedKey>,
}

/// A key with its id, which costs a hash to compute.
#[derive(Debug)]
pub(super) struct NamedKey {
    id: KeyId,
    key: MasterKey,
}

impl Keyring {
    /// The current key, and those before it.
    pub fn new(current: MasterKey, retired: Vec<MasterKey>) -> Self {
        Self {
            current: current.into(),
            retired: retired.into_iter().map(NamedKey::from).collect(),
        }
    }

    pub(super) fn current(&self) -> &NamedKey {
        &self.current
    }

    pub(super) fn find(&self, id: KeyId) -> Option<&NamedKey> {
        std::iter::once(&self.current)
            .chain(&self.retired)
            .find(|key| key.id == id)
    }
}

impl NamedKey {
    pub(super) fn id(&self) -> KeyId {
        self.id
    }

    pub(super) fn cipher(&self) -> XChaCha20Poly1305 {
        self.key.cipher()
    }
}

impl From<MasterKey> for NamedKey {
    fn from(key: MasterKey) -> Self {
        Self { id: key.id(), key }
    }
}
