//! The key that everything else hangs on, and its forms.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305};
use sha2::{Digest, Sha256};
use wagate_domain::Error;
use zeroize::{Zeroize, Zeroizing};

const KEY_BYTES: usize = 32;

/// Base64 as we write it; read with or without padding.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Keeps the hash that names a key apart from every other use of that key.
const ID_DOMAIN: &[u8] = b"wagate master key id v1";

/// 256 random bits. Wiped from memory when dropped, and not shown by `Debug`.
pub struct MasterKey([u8; KEY_BYTES]);

impl MasterKey {
    /// The key with these bytes, which must be random.
    pub fn from_bytes(bytes: [u8; KEY_BYTES]) -> Self {
        Self(bytes)
    }

    /// A new random key.
    pub fn generate() -> Self {
        Self(rand::random())
    }

    /// The key itself as base64, 44 characters: for the place where it is kept, and no other.
    pub fn to_text(&self) -> String {
        BASE64.encode(self.0)
    }

    /// Names the key without telling it.
    pub fn id(&self) -> KeyId {
        let hash: [u8; 32] = Sha256::new()
            .chain_update(ID_DOMAIN)
            .chain_update(self.0)
            .finalize()
            .into();
        let [a, b, c, d, ..] = hash;
        KeyId([a, b, c, d])
    }

    pub(super) fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(&self.0.into())
    }
}

/// 64 hexadecimal digits, or base64 of 32 bytes: standard or URL-safe, with or without padding.
impl FromStr for MasterKey {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let text = text.trim();
        let bytes = Zeroizing::new(if text.len() == 2 * KEY_BYTES {
            hex::decode(text).ok()
        } else {
            let standard = Zeroizing::new(text.replace('-', "+").replace('_', "/"));
            BASE64.decode(standard.as_bytes()).ok()
        });
        let bytes = bytes.as_deref().and_then(|bytes| bytes.try_into().ok());
        bytes.map(Self).ok_or_else(|| {
            Error::invalid(
                "master_key",
                "a master key is 32 random bytes, written as 64 hexadecimal digits or as base64",
            )
        })
    }
}

impl Drop for MasterKey {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MasterKey({})", self.id())
    }
}

/// Names a [`MasterKey`]: the first bytes of a hash of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct KeyId(pub [u8; Self::BYTES]);

impl KeyId {
    pub(super) const BYTES: usize = 4;
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}
