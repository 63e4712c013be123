//! The queue of deliveries. A reservation is a lease: when the worker dies, the delivery comes back.

use std::time::Duration;

use async_trait::async_trait;

use crate::Result;
use crate::model::{Delivery, DeliveryId, DeliveryOutcome, Timestamp};

/// Deliveries that are due.
#[async_trait]
pub trait DeliveryQueue: Send + Sync {
    /// Takes up to `limit` due deliveries, oldest first, and hides them from others until `now +
    /// lease`. Of one endpoint and device only the oldest pending delivery is handed out, so that a
    /// retry is never overtaken.
    async fn reserve(&self, now: Timestamp, lease: Duration, limit: u32) -> Result<Vec<Delivery>>;

    /// Says what became of a reserved delivery. Settling one that is gone, delivered or dead does nothing.
    async fn settle(&self, id: DeliveryId, outcome: DeliveryOutcome, now: Timestamp) -> Result<()>;

    /// When the next delivery is due or its lease runs out; `None` when nothing is pending.
    async fn next_due(&self) -> Result<Option<Timestamp>>;
}
