//! Passwords hashed by Argon2id: slow for whoever guesses, and not on the threads that serve.

use std::sync::Arc;

use argon2::password_hash::{Error as HashError, PasswordHasher as _, PasswordVerifier as _};
use argon2::{Algorithm, Argon2, Params, Version};
use async_trait::async_trait;
use tokio::sync::Semaphore;
use wagate_domain::model::{Password, PasswordHash, Secret};
use wagate_domain::ports::PasswordHasher;
use wagate_domain::{Error, Result};

/// Memory in KiB, passes and lanes, as OWASP recommends for Argon2id.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;
/// Random bytes in a salt.
const SALT_BYTES: usize = 16;

/// Hashes at the same time: each takes its memory and a core, and who guesses must not take all of them.
const AT_ONCE: usize = 2;

/// The hash of nobody's password, with the same parameters: verifying it takes as long as verifying a real one.
const NOBODYS: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// [`PasswordHasher`] by Argon2id, on the blocking pool.
#[derive(Debug, Clone)]
pub struct Argon2Hasher {
    params: Params,
    turns: Arc<Semaphore>,
}

impl Argon2Hasher {
    /// One that hashes a few passwords at a time, however many are waiting.
    pub fn new() -> anyhow::Result<Self> {
        let params = Params::new(MEMORY_KIB, PASSES, LANES, None);
        Ok(Self {
            params: params.map_err(|error| anyhow::anyhow!("Argon2 refuses its parameters: {error}"))?,
            turns: Arc::new(Semaphore::new(AT_ONCE)),
        })
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(Argon2<'static>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let turn = self
            .turns
            .clone()
            .acquire_owned()
            .await
            .map_err(Error::internal)?;
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, self.params.clone());
        let done = tokio::task::spawn_blocking(move || {
            let done = work(argon2);
            // Kept by the thread, which may outlive whoever waits for it.
            drop(turn);
            done
        });
        done.await.map_err(Error::internal)?
    }
}

/// The library's errors know no passwords.
fn broken(error: HashError) -> Error {
    Error::internal(error.to_string())
}

#[async_trait]
impl PasswordHasher for Argon2Hasher {
    async fn hash(&self, password: &Password) -> Result<PasswordHash> {
        let secret = password.secret().clone();
        self.run(move |argon2| {
            let salt: [u8; SALT_BYTES] = rand::random();
            let hash = argon2.hash_password_with_salt(secret.reveal().as_bytes(), &salt);
            Ok(PasswordHash::new(hash.map_err(broken)?.to_string()))
        })
        .await
    }

    async fn verify(&self, password: &Secret, hash: Option<&PasswordHash>) -> Result<bool> {
        let (secret, exists) = (password.clone(), hash.is_some());
        let hash = hash.map_or(NOBODYS, PasswordHash::as_str).to_owned();
        self.run(
            move |argon2| match argon2.verify_password(secret.reveal().as_bytes(), hash.as_str()) {
                Ok(()) => Ok(exists),
                Err(HashError::PasswordInvalid) => Ok(false),
                Err(error) => Err(broken(error)),
            },
        )
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn password(text: &str) -> Password {
        Password::new(text.into()).unwrap()
    }

    #[tokio::test]
    async fn a_hash_knows_its_password_and_says_how_it_was_made() {
        let hasher = Argon2Hasher::new().unwrap();
        let right = password("correct horse battery");
        let hash = hasher.hash(&right).await.unwrap();
        assert!(hash.as_str().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        assert!(!hash.as_str().contains("horse"));
        assert_ne!(hasher.hash(&right).await.unwrap(), hash, "a salt of its own");
        assert!(hasher.verify(right.secret(), Some(&hash)).await.unwrap());
        for wrong in ["", "correct horse batterz", "Correct horse battery"] {
            assert!(
                !hasher.verify(&Secret::new(wrong), Some(&hash)).await.unwrap(),
                "{wrong}"
            );
        }
    }

    #[tokio::test]
    async fn nobody_has_no_password_and_costs_the_same() {
        let hasher = Argon2Hasher::new().unwrap();
        assert!(!hasher.verify(&Secret::new(""), None).await.unwrap());
        let made = hasher.hash(&password("0123456789")).await.unwrap();
        let shape = |hash: &str| {
            let parts: Vec<_> = hash.split('$').map(str::to_owned).collect();
            (parts[..4].to_vec(), parts[4].len(), parts[5].len())
        };
        assert_eq!(shape(NOBODYS), shape(made.as_str()));
    }

    #[tokio::test]
    async fn a_hash_that_cannot_be_read_is_our_fault() {
        let hasher = Argon2Hasher::new().unwrap();
        let damaged = hasher
            .verify(&Secret::new("0123456789"), Some(&PasswordHash::new("plain")))
            .await;
        assert!(matches!(damaged, Err(Error::Internal(_))), "{damaged:?}");
    }

    #[tokio::test]
    async fn few_run_at_once_and_all_get_their_turn() {
        let hasher = Argon2Hasher::new().unwrap();
        let many = (0..6).map(|_| {
            let hasher = hasher.clone();
            tokio::spawn(async move { hasher.verify(&Secret::new("x"), None).await.unwrap() })
        });
        for one in many.collect::<Vec<_>>() {
            assert!(hasher.turns.available_permits() <= AT_ONCE);
            assert!(!one.await.unwrap());
        }
        assert_eq!(hasher.turns.available_permits(), AT_ONCE);
    }
}
