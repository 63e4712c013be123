//! Deliveries: looking at them, asking for them again, and telling of endpoints that were switched off.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use super::Gateway;
use super::intake::Intake;
use crate::model::{
    Attempt, CursorPage, CursorQuery, Delivery, DeliveryFilter, DeliveryId, Event, EventBody, Settlement,
    StoredDelivery, Timestamp, WebhookId,
};
use crate::ports::{Clock, DeliveryQueue, EventSink, Reservation, Settled};
use crate::{Error, Result};

impl Gateway {
    /// The queue for whoever makes deliveries. It also records when an endpoint was switched off.
    pub fn delivery_queue(&self) -> Arc<dyn DeliveryQueue> {
        Arc::new(TellingQueue {
            queue: self.parts.deliveries.clone(),
            intake: self.intake.clone(),
            clock: self.parts.clock.clone(),
        })
    }

    /// Deliveries, newest first.
    pub async fn list_deliveries(
        &self,
        filter: &DeliveryFilter,
        query: CursorQuery<DeliveryId>,
    ) -> Result<CursorPage<StoredDelivery, DeliveryId>> {
        self.parts.delivery_log.list(filter, query).await
    }

    /// One delivery with its attempts, or `NotFound`.
    pub async fn get_delivery(&self, id: DeliveryId) -> Result<(StoredDelivery, Vec<Attempt>)> {
        let found = self.parts.delivery_log.get(id).await?;
        let delivery = found.ok_or_else(|| Error::NotFound {
            what: "delivery",
            id: id.to_string(),
        })?;
        Ok((delivery, self.parts.delivery_log.attempts(id).await?))
    }

    /// Makes a delivery once more, now, with a new schedule.
    #[tracing::instrument(skip_all, fields(%id))]
    pub async fn replay_delivery(&self, id: DeliveryId) -> Result<()> {
        self.parts.delivery_log.replay(id, self.parts.clock.now()).await?;
        self.intake.changes.announce([id]);
        self.parts.dispatch.announce();
        Ok(())
    }
}

/// A queue that tells what becomes of deliveries, and records an event for every endpoint it switches off.
struct TellingQueue {
    queue: Arc<dyn DeliveryQueue>,
    intake: Arc<Intake>,
    clock: Arc<dyn Clock>,
}

#[async_trait]
impl DeliveryQueue for TellingQueue {
    async fn recover(&self, now: Timestamp) -> Result<u64> {
        self.queue.recover(now).await
    }

    async fn reserve(&self, reservation: Reservation) -> Result<Vec<Delivery>> {
        self.queue.reserve(reservation).await
    }

    async fn settle(&self, settlements: Vec<Settlement>, now: Timestamp, lease: Duration) -> Result<Settled> {
        let ids: Vec<DeliveryId> = settlements.iter().map(|settlement| settlement.id).collect();
        let settled = self.queue.settle(settlements, now, lease).await?;
        self.intake.changes.announce(ids);
        for (webhook, device, reason) in &settled.disabled {
            tracing::warn!(%webhook, reason, "webhook endpoint switched off");
            let event = Event {
                at: self.clock.now(),
                body: EventBody::WebhookDisabled {
                    webhook: *webhook,
                    reason: reason.clone(),
                },
            };
            if let Err(error) = self.intake.commit(*device, vec![event]).await {
                tracing::error!(%webhook, %error, "nobody was told that an endpoint was switched off");
            }
        }
        Ok(settled)
    }

    async fn next_due(&self, busy: &[WebhookId]) -> Result<Option<Timestamp>> {
        self.queue.next_due(busy).await
    }
}
