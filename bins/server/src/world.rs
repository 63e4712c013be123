//! The real world behind the ports of time, ids and secrets.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use wagate_domain::model::Timestamp;
use wagate_domain::ports::{Clock, IdSource, SecretSource};

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

#[async_trait]
impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the one clock that others are given")]
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }

    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}

/// ULIDs: the time and 80 random bits.
#[derive(Debug, Clone, Copy, Default)]
pub struct UlidSource;

impl IdSource for UlidSource {
    fn next(&self) -> ulid::Ulid {
        ulid::Ulid::generate()
    }
}

/// The operating system's randomness.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemSecrets;

impl SecretSource for SystemSecrets {
    fn secret_bytes(&self) -> [u8; 32] {
        rand::random()
    }
}
