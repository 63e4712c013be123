//! Key pairs of the simulated world, storable as their private half.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use wacore_libsignal::protocol::{CurveError, IdentityKey, IdentityKeyPair, KeyPair, PrivateKey, PublicKey};

/// A Curve25519 key pair.
#[derive(Clone)]
pub struct Secret(KeyPair);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Secret")
            .field(&hex::encode(self.public()))
            .finish()
    }
}

impl Secret {
    pub fn generate() -> Self {
        Self(KeyPair::generate(&mut rng()))
    }

    pub fn pair(&self) -> &KeyPair {
        &self.0
    }

    pub fn public(&self) -> [u8; 32] {
        let mut key = [0; 32];
        key.copy_from_slice(self.0.public_key.public_key_bytes());
        key
    }

    pub fn private(&self) -> &[u8; 32] {
        self.0.private_key.serialize()
    }

    /// Signing with a key that is whole cannot fail; should it, every verifier refuses the empty signature.
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        let signature = self.0.private_key.calculate_signature(message, &mut rng());
        signature.map(|signature| signature.to_vec()).unwrap_or_default()
    }

    pub fn agree(&self, their_public: &[u8]) -> Result<[u8; 32], CurveError> {
        self.0
            .private_key
            .calculate_agreement(&PublicKey::from_djb_public_key_bytes(their_public)?)
    }

    pub fn identity(&self) -> IdentityKeyPair {
        IdentityKeyPair::new(IdentityKey::new(self.0.public_key), self.0.private_key.clone())
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&BASE64_STANDARD.encode(self.private()))
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let bytes = BASE64_STANDARD
            .decode(String::deserialize(deserializer)?)
            .map_err(D::Error::custom)?;
        let private = PrivateKey::deserialize(&bytes).map_err(D::Error::custom)?;
        let public = private.public_key().map_err(D::Error::custom)?;
        Ok(Self(KeyPair::new(public, private)))
    }
}

/// Whether `signature` over `message` was made by the holder of `public`.
pub fn verify(public: &[u8], message: &[u8], signature: &[u8]) -> bool {
    PublicKey::from_djb_public_key_bytes(public).is_ok_and(|key| key.verify_signature(message, signature))
}

/// A fresh cryptographic generator.
pub fn rng() -> rand::rngs::StdRng {
    rand::make_rng()
}
