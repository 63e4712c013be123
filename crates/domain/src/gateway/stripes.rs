//! Locks by device, a fixed number of them: changes to one device follow one another, thousands of
//! devices do not wait for each other, and nothing has to be cleaned up.

use std::hash::{DefaultHasher, Hash, Hasher};

use tokio::sync::{Mutex, MutexGuard};

use crate::model::DeviceId;

const STRIPES: usize = 64;

/// Async locks by device.
pub(super) struct Stripes(Vec<Mutex<()>>);

impl Default for Stripes {
    fn default() -> Self {
        Self((0..STRIPES).map(|_| Mutex::new(())).collect())
    }
}

impl Stripes {
    /// Waits for the device's turn.
    pub(super) async fn lock(&self, device: DeviceId) -> MutexGuard<'_, ()> {
        let mut hasher = DefaultHasher::new();
        device.hash(&mut hasher);
        let index = usize::try_from(hasher.finish() % STRIPES as u64).unwrap_or(0);
        self.0[index].lock().await
    }

    /// Waits until it is nobody's turn, and keeps it so. Whoever holds a turn must not ask for this.
    pub(super) async fn lock_all(&self) -> Vec<MutexGuard<'_, ()>> {
        // Always in the same order, so that two who want all do not hold each other up.
        let mut turns = Vec::with_capacity(STRIPES);
        for stripe in &self.0 {
            turns.push(stripe.lock().await);
        }
        turns
    }
}
