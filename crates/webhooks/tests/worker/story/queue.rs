//! The store's queue, counting what it is asked and telling a test what was settled.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::watch;
use wagate_domain::Result;
use wagate_domain::model::{Delivery, DeliveryId, DeliveryOutcome, Settlement, Timestamp, WebhookId};
use wagate_domain::ports::{DeliveryQueue, Reservation, Settled};
use wagate_domain::testing::MemoryStore;

pub struct WatchedQueue {
    store: Arc<MemoryStore>,
    settles: UnboundedSender<(DeliveryId, DeliveryOutcome)>,
    on_refusal: UnboundedSender<()>,
    reserves: AtomicUsize,
    /// The sizes of all batches that came, also of those that wait.
    batches: Mutex<Vec<usize>>,
    blocked: watch::Sender<bool>,
}

impl WatchedQueue {
    pub fn new(
        store: Arc<MemoryStore>,
        settles: UnboundedSender<(DeliveryId, DeliveryOutcome)>,
        on_refusal: UnboundedSender<()>,
    ) -> Self {
        Self {
            store,
            settles,
            on_refusal,
            reserves: AtomicUsize::new(0),
            batches: Mutex::default(),
            blocked: watch::Sender::new(false),
        }
    }

    /// How often something was to be reserved.
    pub fn reserves(&self) -> usize {
        self.reserves.load(Ordering::SeqCst)
    }

    pub fn batches(&self) -> Vec<usize> {
        self.batches.lock().unwrap().clone()
    }

    /// Lets settling wait from now on, or go on.
    pub fn block(&self, blocked: bool) {
        self.blocked.send_replace(blocked);
    }
}

#[async_trait]
impl DeliveryQueue for WatchedQueue {
    async fn recover(&self, now: Timestamp) -> Result<u64> {
        self.store.recover(now).await
    }

    async fn reserve(&self, reservation: Reservation) -> Result<Vec<Delivery>> {
        self.reserves.fetch_add(1, Ordering::SeqCst);
        self.store.reserve(reservation).await
    }

    async fn settle(&self, settlements: Vec<Settlement>, now: Timestamp, lease: Duration) -> Result<Settled> {
        self.batches.lock().unwrap().push(settlements.len());
        let mut blocked = self.blocked.subscribe();
        blocked.wait_for(|blocked| !blocked).await.unwrap();
        let outcomes: Vec<_> = settlements
            .iter()
            .map(|settlement| (settlement.id, settlement.outcome.clone()))
            .collect();
        let settled = self.store.settle(settlements, now, lease).await;
        match &settled {
            Ok(_) => outcomes.into_iter().for_each(|outcome| {
                let _heard = self.settles.send(outcome);
            }),
            Err(_) => {
                let _heard = self.on_refusal.send(());
            }
        }
        settled
    }

    async fn next_due(&self, busy: &[WebhookId]) -> Result<Option<Timestamp>> {
        self.store.next_due(busy).await
    }
}
