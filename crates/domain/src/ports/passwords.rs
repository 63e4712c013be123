//! Passwords: hashed and verified slowly, so that a stolen hash tells little.

use async_trait::async_trait;

use crate::Result;
use crate::model::{Password, PasswordHash, Secret};

/// Turns passwords into hashes.
#[async_trait]
pub trait PasswordHasher: Send + Sync {
    /// The hash of a password, with a salt of its own.
    async fn hash(&self, password: &Password) -> Result<PasswordHash>;

    /// Whether this is the password behind the hash. `None` stands for the hash of somebody who does not exist: the
    /// answer is `false` and takes as long. `Internal` when the hash cannot be read.
    async fn verify(&self, password: &Secret, hash: Option<&PasswordHash>) -> Result<bool>;
}
