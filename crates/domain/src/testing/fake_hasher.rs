//! Passwords hashed in no time, for tests that are about something else.

use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;

use crate::Result;
use crate::model::{Password, PasswordHash, Secret};
use crate::ports::PasswordHasher;

/// Hashes that anybody can read. Counts how often it was asked to verify.
#[derive(Debug, Default)]
pub struct FakeHasher {
    verified: AtomicU64,
}

impl FakeHasher {
    /// One that was not asked yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many passwords were verified, those of nobody included.
    pub fn verified(&self) -> u64 {
        self.verified.load(Ordering::SeqCst)
    }
}

fn hashed(password: &Secret) -> PasswordHash {
    PasswordHash::new(format!("fake:{}", password.reveal()))
}

#[async_trait]
impl PasswordHasher for FakeHasher {
    async fn hash(&self, password: &Password) -> Result<PasswordHash> {
        Ok(hashed(password.secret()))
    }

    async fn verify(&self, password: &Secret, hash: Option<&PasswordHash>) -> Result<bool> {
        self.verified.fetch_add(1, Ordering::SeqCst);
        Ok(hash == Some(&hashed(password)))
    }
}
