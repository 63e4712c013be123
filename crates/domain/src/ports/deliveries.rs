//! The queue of deliveries. A reservation is a lease: when the worker dies, the delivery comes back.
//!
//! Deliveries to one endpoint about one conversation form a lane. Of each lane only the oldest pending
//! delivery is handed out, so that a retry is not overtaken; lanes do not wait for each other. A delivery
//! that its endpoint refuses while it takes the next one steps aside: it goes on being tried, and its lane
//! goes on without it.

use std::time::Duration;

use async_trait::async_trait;

use crate::Result;
use crate::model::Attempt;
use crate::model::{
    CursorPage, CursorQuery, Delivery, DeliveryCounts, DeliveryFilter, DeliveryId, DeviceId, Replay,
    Replayed, Settlement, StoredDelivery, Timestamp, WebhookId,
};

/// An endpoint that took nothing for this long was out: when it takes something again, what waits there for
/// a retry is due at once. Not after less, or every success would hurry on the one event that fails.
pub const OUTAGE: Duration = Duration::from_secs(10);

/// How much to reserve.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reservation {
    /// What is due at this moment.
    pub now: Timestamp,
    /// How long it is the caller's.
    pub lease: Duration,
    /// Most deliveries.
    pub limit: u32,
    /// Most deliveries to one endpoint.
    pub per_webhook: u32,
    /// Endpoints to leave out: they have enough to do.
    pub busy: Vec<WebhookId>,
}

/// What settling came to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Settled {
    /// The next of the lanes that went on, reserved for the caller.
    pub next: Vec<Delivery>,
    /// Endpoints that were switched off: which, the device whose delivery it was, and why.
    pub disabled: Vec<(WebhookId, DeviceId, String)>,
}

/// Deliveries that are due.
#[async_trait]
pub trait DeliveryQueue: Send + Sync {
    /// Takes back every lease and says how many there were: for a process that has just started and knows
    /// that no other one works on this queue.
    async fn recover(&self, now: Timestamp) -> Result<u64>;

    /// Takes due deliveries, those first that were due first, and hides them from others until the lease
    /// runs out. Deliveries to endpoints that are not active wait.
    async fn reserve(&self, reservation: Reservation) -> Result<Vec<Delivery>>;

    /// Says what became of reserved deliveries, all in one transaction. Settling one that is gone, delivered
    /// or dead does nothing. What is next in a lane that goes on is reserved for `lease`. A success of an
    /// endpoint after an [`OUTAGE`] makes due at once what waits there for a retry.
    async fn settle(&self, settlements: Vec<Settlement>, now: Timestamp, lease: Duration) -> Result<Settled>;

    /// When the next delivery is due or its lease runs out, those to `busy` endpoints left out; `None` when
    /// nothing is.
    async fn next_due(&self, busy: &[WebhookId]) -> Result<Option<Timestamp>>;
}

/// What is known of deliveries, made and to be made.
#[async_trait]
pub trait DeliveryLog: Send + Sync {
    /// Deliveries, newest first.
    async fn list(
        &self,
        filter: &DeliveryFilter,
        query: CursorQuery<DeliveryId>,
    ) -> Result<CursorPage<StoredDelivery, DeliveryId>>;

    /// How many wait to be made, and how many were given up.
    async fn counts(&self) -> Result<DeliveryCounts>;

    /// One delivery.
    async fn get(&self, id: DeliveryId) -> Result<Option<StoredDelivery>>;

    /// Its attempts that are kept, oldest first: at most 100, the last ones.
    async fn attempts(&self, id: DeliveryId) -> Result<Vec<Attempt>>;

    /// Makes a delivery due now, beside its lane, with a schedule of its own; one that is pending is tried
    /// now. `NotFound` when there is none.
    async fn replay(&self, id: DeliveryId, now: Timestamp) -> Result<()>;

    /// The same for all of an endpoint that fit, oldest first; says how many.
    async fn replay_many(&self, webhook: WebhookId, which: Replay, now: Timestamp) -> Result<u64>;

    /// How many of those that were asked for together are still to be made.
    async fn replays_pending(&self, replayed: Replayed) -> Result<u64>;

    /// Lets those of them that nobody has tried since stand again as before, settled at `now`; says how many. What
    /// is being tried, and what waits for its next try, stays pending.
    async fn undo_replay(&self, replayed: Replayed, now: Timestamp) -> Result<u64>;
}
