//! Time, ids and secrets that a test chooses: nothing here reads the machine's clock.

use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::watch;
use ulid::Ulid;

use crate::model::Timestamp;
use crate::ports::{Clock, IdSource, SecretSource};

/// A clock that stands still until a test moves it.
#[derive(Debug)]
pub struct FakeClock {
    now: watch::Sender<Timestamp>,
    sleepers: watch::Sender<usize>,
}

impl FakeClock {
    /// Where [`FakeClock::default`] starts: 2026-01-01T00:00:00Z.
    pub const START: Timestamp = Timestamp(1_767_225_600_000);

    /// A clock that shows `now`.
    pub fn new(now: Timestamp) -> Self {
        Self {
            now: watch::Sender::new(now),
            sleepers: watch::Sender::new(0),
        }
    }

    /// Moves the time on and wakes whoever slept up to then.
    pub fn advance(&self, duration: Duration) {
        self.now.send_modify(|now| *now = *now + duration);
    }

    /// Jumps to `now`, backwards too.
    pub fn set(&self, now: Timestamp) {
        self.now.send_replace(now);
    }

    /// Returns once `count` tasks or more sleep on this clock, so that a test moves the time only when
    /// what it tests has come to rest.
    pub async fn sleepers(&self, count: usize) {
        let mut sleepers = self.sleepers.subscribe();
        sleepers
            .wait_for(|now| *now >= count)
            .await
            .expect("the clock holds the sender");
    }
}

impl Default for FakeClock {
    fn default() -> Self {
        Self::new(Self::START)
    }
}

/// Counts a sleeper also when its future is dropped half-way.
struct Sleeper<'a>(&'a watch::Sender<usize>);

impl<'a> Sleeper<'a> {
    fn new(sleepers: &'a watch::Sender<usize>) -> Self {
        sleepers.send_modify(|count| *count += 1);
        Self(sleepers)
    }
}

impl Drop for Sleeper<'_> {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count -= 1);
    }
}

#[async_trait]
impl Clock for FakeClock {
    fn now(&self) -> Timestamp {
        *self.now.borrow()
    }

    async fn sleep(&self, duration: Duration) {
        let mut now = self.now.subscribe();
        let until = self.now() + duration;
        if self.now() >= until {
            return;
        }
        let _sleeper = Sleeper::new(&self.sleepers);
        now.wait_for(|now| *now >= until)
            .await
            .expect("the clock holds the sender");
    }
}

/// Ids that count from 1.
#[derive(Debug, Default)]
pub struct FakeIds(AtomicU64);

impl FakeIds {
    /// Ids from 1 on.
    pub fn new() -> Self {
        Self::default()
    }
}

impl IdSource for FakeIds {
    fn next(&self) -> Ulid {
        let number = self.0.fetch_add(1, Ordering::Relaxed) + 1;
        Ulid::from_parts(0, u128::from(number))
    }
}

/// Secrets that anybody can guess: 32 times 1, then 32 times 2, and so on.
#[derive(Debug, Default)]
pub struct FakeSecrets(AtomicU8);

impl FakeSecrets {
    /// Secrets from 1 on.
    pub fn new() -> Self {
        Self::default()
    }
}

impl SecretSource for FakeSecrets {
    fn secret_bytes(&self) -> [u8; 32] {
        [self.0.fetch_add(1, Ordering::Relaxed).wrapping_add(1); 32]
    }
}
