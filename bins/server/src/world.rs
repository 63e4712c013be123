//! The real world behind the ports of time, ids and secrets.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use wagate_domain::model::Timestamp;
use wagate_domain::ports::{Clock, IdSource, SecretSource};

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

#[async_trait]
impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one clock that others are given"
    )]
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }

    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}

/// ULIDs: the time and 80 random bits, each greater than the one before: the queue of deliveries goes by them, also
/// within one millisecond.
#[derive(Debug, Default)]
pub struct UlidSource(Mutex<ulid::Generator>);

impl IdSource for UlidSource {
    fn next(&self) -> ulid::Ulid {
        let mut generator = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match generator.generate() {
            Ok(ulid) => ulid,
            Err(overflow) => overflow.commit_overflow_increment(),
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_sort_as_they_were_made() {
        let source = UlidSource::default();
        let ids: Vec<_> = (0..1_000).map(|_| source.next()).collect();
        assert!(ids.is_sorted_by(|a, b| a < b));
    }
}
