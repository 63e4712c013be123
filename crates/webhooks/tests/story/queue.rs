//! The store's queue, telling a test when a delivery was settled.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::mpsc::UnboundedSender;
use wagate_domain::Result;
use wagate_domain::model::{Delivery, DeliveryId, DeliveryOutcome, Timestamp};
use wagate_domain::ports::DeliveryQueue;
use wagate_domain::testing::MemoryStore;

pub struct WatchedQueue {
    pub store: Arc<MemoryStore>,
    pub settles: UnboundedSender<(DeliveryId, DeliveryOutcome)>,
    pub on_refusal: UnboundedSender<()>,
}

#[async_trait]
impl DeliveryQueue for WatchedQueue {
    async fn reserve(&self, now: Timestamp, lease: Duration, limit: u32) -> Result<Vec<Delivery>> {
        self.store.reserve(now, lease, limit).await
    }

    async fn settle(&self, id: DeliveryId, outcome: DeliveryOutcome, now: Timestamp) -> Result<()> {
        let settled = self.store.settle(id, outcome.clone(), now).await;
        let _heard = match &settled {
            Ok(()) => self.settles.send((id, outcome)).is_ok(),
            Err(_) => self.on_refusal.send(()).is_ok(),
        };
        settled
    }

    async fn next_due(&self) -> Result<Option<Timestamp>> {
        self.store.next_due().await
    }
}
