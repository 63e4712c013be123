//! Whether the process can do its work: the database takes a write and brings it to disk.

use std::time::{Duration, Instant};

use async_trait::async_trait;
use tokio::sync::Mutex;
use wagate_api::Readiness;
use wagate_store::Store;

/// Anybody may ask; the disk is asked no more often than this.
const FRESH: Duration = Duration::from_secs(1);
/// What takes longer is not ready.
const PATIENCE: Duration = Duration::from_secs(3);

/// Ready means: the database answers.
pub struct StoreReadiness {
    store: Store,
    last: Mutex<Option<(Instant, Result<(), String>)>>,
}

impl StoreReadiness {
    /// Asks this store.
    pub fn new(store: Store) -> Self {
        Self {
            store,
            last: Mutex::default(),
        }
    }
}

#[async_trait]
impl Readiness for StoreReadiness {
    async fn check(&self) -> Result<(), String> {
        let mut last = self.last.lock().await;
        if let Some((at, answer)) = &*last
            && at.elapsed() < FRESH
        {
            return answer.clone();
        }
        let answer = match tokio::time::timeout(PATIENCE, self.store.ping()).await {
            Ok(answer) => answer.map_err(|error| error.to_string()),
            Err(_) => Err("database does not answer".into()),
        };
        *last = Some((Instant::now(), answer.clone()));
        answer
    }
}
