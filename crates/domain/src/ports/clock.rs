//! Time and ids come in as arguments, so that tests choose them.

use std::time::Duration;

use async_trait::async_trait;
use ulid::Ulid;

use crate::model::Timestamp;

/// The time.
#[async_trait]
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> Timestamp;

    /// Returns once `duration` has passed on this clock.
    async fn sleep(&self, duration: Duration);
}

/// New ids: unique, and sorting by time of creation.
pub trait IdSource: Send + Sync {
    /// The next id.
    fn next(&self) -> Ulid;
}

/// New secrets.
pub trait SecretSource: Send + Sync {
    /// 32 bytes that nobody can guess.
    fn secret_bytes(&self) -> [u8; 32];
}
