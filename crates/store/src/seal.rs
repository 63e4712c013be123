//! Sealing: what is secret is encrypted before it reaches the database, so that a stolen file or dump is worth
//! nothing without the master key. A sealed value is bound to its row: moved elsewhere, it does not open.
//!
//! Layout: version (1 byte), id of the key (4), nonce (24), ciphertext, tag (16). The cipher is
//! XChaCha20-Poly1305, because one key seals billions of rows: random nonces of 192 bits never meet, those of
//! 96 bits would.

mod key;
mod keyring;
mod place;
#[cfg(test)]
mod tests;
mod text;

use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use chacha20poly1305::{AeadInOut, Tag, XNonce};
use rand::Rng as _;
use wagate_domain::{Error, Result};

pub use key::{KeyId, MasterKey};
pub use keyring::Keyring;
pub use place::Place;
pub(crate) use text::{is_current_text, is_sealed_text, seal_text, unseal_text};

/// First byte of every sealed value; another layout or cipher gets another one.
const VERSION: u8 = 1;
const NONCE_BYTES: usize = 24;
const TAG_BYTES: usize = 16;
/// What stands before the ciphertext.
const HEADER_BYTES: usize = 1 + KeyId::BYTES + NONCE_BYTES;

/// Seals and unseals with the keys of one [`Keyring`]. Clones share it.
#[derive(Debug, Clone)]
pub struct Sealer(Arc<RwLock<Keyring>>);

impl Sealer {
    /// Seals with the keyring's current key.
    pub fn new(keyring: Keyring) -> Self {
        Self(Arc::new(RwLock::new(keyring)))
    }

    /// Takes another keyring, in all clones. Keep the former keys in it as retired ones until no row needs them.
    pub fn replace(&self, keyring: Keyring) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = keyring;
    }

    /// The key that seals from now on.
    pub fn current(&self) -> KeyId {
        self.keyring().current().id()
    }

    /// Encrypts for one place; 45 bytes longer than the plain value, and different each time. `Internal` for a
    /// value beyond what the cipher takes, which is 256 GiB.
    pub fn seal(&self, place: &Place<'_>, plain: &[u8]) -> Result<Vec<u8>> {
        let mut nonce = [0; NONCE_BYTES];
        rand::rng().fill_bytes(&mut nonce);
        let keyring = self.keyring();
        let key = keyring.current();
        let mut sealed = Vec::with_capacity(HEADER_BYTES + plain.len() + TAG_BYTES);
        sealed.push(VERSION);
        sealed.extend_from_slice(&key.id().0);
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(plain);
        let tag = key
            .cipher()
            .encrypt_inout_detached(
                &XNonce::from(nonce),
                &associated_data(key.id(), place),
                sealed[HEADER_BYTES..].as_mut().into(),
            )
            .map_err(|_| failed(place, "is too large to be sealed"))?;
        sealed.extend_from_slice(&tag);
        Ok(sealed)
    }

    /// Decrypts what [`Sealer::seal`] made for the same place. `Internal` when it was not, with a sentence that
    /// says whether a key is missing or the row is damaged.
    pub fn unseal(&self, place: &Place<'_>, sealed: &[u8]) -> Result<Vec<u8>> {
        let sealed = Sealed::parse(sealed).ok_or_else(|| {
            failed(
                place,
                "is not sealed as expected: it is damaged, or another version of wagate wrote it",
            )
        })?;
        let keyring = self.keyring();
        let key = keyring.find(sealed.key).ok_or_else(|| {
            let id = sealed.key;
            failed(
                place,
                &format!("is sealed with the unknown key {id}: its master key is missing"),
            )
        })?;
        let mut plain = sealed.ciphertext.to_vec();
        key.cipher()
            .decrypt_inout_detached(
                &XNonce::from(*sealed.nonce),
                &associated_data(sealed.key, place),
                plain.as_mut_slice().into(),
                &Tag::from(*sealed.tag),
            )
            .map_err(|_| failed(place, "does not open: it is damaged, or moved from another row"))?;
        Ok(plain)
    }

    /// Whether the current key sealed it. What is not current waits for being sealed anew.
    pub fn is_current(&self, sealed: &[u8]) -> bool {
        Sealed::parse(sealed).is_some_and(|sealed| sealed.key == self.current())
    }

    fn keyring(&self) -> RwLockReadGuard<'_, Keyring> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The parts of a sealed value.
struct Sealed<'a> {
    key: KeyId,
    nonce: &'a [u8; NONCE_BYTES],
    ciphertext: &'a [u8],
    tag: &'a [u8; TAG_BYTES],
}

impl<'a> Sealed<'a> {
    fn parse(bytes: &'a [u8]) -> Option<Self> {
        let rest = bytes.strip_prefix(&[VERSION])?;
        let (key, rest) = rest.split_first_chunk()?;
        let (nonce, rest) = rest.split_first_chunk()?;
        let (ciphertext, tag) = rest.split_last_chunk()?;
        Some(Self {
            key: KeyId(*key),
            nonce,
            ciphertext,
            tag,
        })
    }
}

/// What the tag vouches for besides nonce and ciphertext: the rest of the header, and the place.
fn associated_data(key: KeyId, place: &Place<'_>) -> Vec<u8> {
    let mut data = vec![VERSION];
    data.extend_from_slice(&key.0);
    place.encode(&mut data);
    data
}

/// Names the table alone: what identifies a row may be a phone number.
fn failed(place: &Place<'_>, what: &str) -> Error {
    Error::internal(format!("a value in table {} {what}", place.table))
}
