//! The queue of deliveries in memory. Only the delivery that is next for its endpoint has a due time,
//! as in the databases: that keeps the order, and the others out of the way.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;

use super::memory::{MemoryStore, State};
use crate::Result;
use crate::model::{Delivery, DeliveryId, DeliveryOutcome, DeviceId, EventId, Timestamp, WebhookId};
use crate::ports::{DeliveryQueue, NewEvent};

/// A delivery and how it stands.
#[derive(Debug)]
pub(super) struct StoredDelivery {
    pub device: DeviceId,
    pub webhook: WebhookId,
    event: EventId,
    body: Bytes,
    attempts: u32,
    created_at: Timestamp,
    /// `None` once it is delivered or dead.
    pending: Option<Pending>,
    /// What the last attempt came to.
    outcome: Option<DeliveryOutcome>,
}

#[derive(Debug)]
struct Pending {
    /// When it may be handed out; `None` while an older one of its endpoint is pending.
    due_at: Option<Timestamp>,
}

impl MemoryStore {
    /// How many deliveries are still to be made.
    pub fn pending_deliveries(&self) -> usize {
        self.state()
            .deliveries
            .values()
            .filter(|stored| stored.pending.is_some())
            .count()
    }

    /// What the last attempt at a delivery came to.
    pub fn last_outcome(&self, id: DeliveryId) -> Option<DeliveryOutcome> {
        self.state().deliveries.get(&id)?.outcome.clone()
    }
}

impl State {
    /// Queues what goes to endpoints that still exist.
    pub fn queue_deliveries(&mut self, device: DeviceId, event: &NewEvent) {
        for new in &event.deliveries {
            if !self.webhooks.values().any(|webhook| webhook.id == new.webhook) {
                continue;
            }
            let waits = self.next_pending(new.webhook).is_some();
            let stored = StoredDelivery {
                device,
                webhook: new.webhook,
                event: event.id,
                body: new.body.clone(),
                attempts: 0,
                created_at: event.recorded_at,
                pending: Some(Pending {
                    due_at: (!waits).then_some(event.recorded_at),
                }),
                outcome: None,
            };
            self.deliveries.insert(new.id, stored);
        }
    }

    fn next_pending(&self, webhook: WebhookId) -> Option<DeliveryId> {
        let mut pending = self
            .deliveries
            .iter()
            .filter(|(_, stored)| stored.pending.is_some());
        pending
            .find(|(_, stored)| stored.webhook == webhook)
            .map(|(id, _)| *id)
    }

    fn delivery(&self, id: DeliveryId) -> Option<Delivery> {
        let stored = self.deliveries.get(&id)?;
        let webhook = self
            .webhooks
            .values()
            .find(|webhook| webhook.id == stored.webhook)?;
        Some(Delivery {
            id,
            event: stored.event,
            webhook: stored.webhook,
            device: stored.device,
            url: webhook.url.clone(),
            secret: webhook.secret.clone(),
            body: stored.body.clone(),
            attempts: stored.attempts,
            created_at: stored.created_at,
        })
    }
}

#[async_trait]
impl DeliveryQueue for MemoryStore {
    async fn reserve(&self, now: Timestamp, lease: Duration, limit: u32) -> Result<Vec<Delivery>> {
        let mut state = self.lock()?;
        let mut due = Vec::new();
        for (id, stored) in &mut state.deliveries {
            let Some(Pending { due_at: Some(due_at) }) = &mut stored.pending else {
                continue;
            };
            if *due_at <= now && due.len() < limit as usize {
                *due_at = now + lease;
                due.push(*id);
            }
        }
        Ok(due.into_iter().filter_map(|id| state.delivery(id)).collect())
    }

    async fn settle(&self, id: DeliveryId, outcome: DeliveryOutcome, now: Timestamp) -> Result<()> {
        let mut state = self.lock()?;
        let Some(stored) = state.deliveries.get_mut(&id) else {
            return Ok(());
        };
        if stored.pending.is_none() {
            return Ok(());
        }
        let webhook = stored.webhook;
        stored.attempts += 1;
        stored.pending = match &outcome {
            DeliveryOutcome::Retry { at, .. } => Some(Pending { due_at: Some(*at) }),
            DeliveryOutcome::Delivered { .. } | DeliveryOutcome::Dead { .. } => None,
        };
        let over = stored.pending.is_none();
        stored.outcome = Some(outcome);
        if over
            && let Some(next) = state.next_pending(webhook)
            && let Some(Pending {
                due_at: due_at @ None,
            }) = state
                .deliveries
                .get_mut(&next)
                .and_then(|stored| stored.pending.as_mut())
        {
            *due_at = Some(now);
        }
        Ok(())
    }

    async fn next_due(&self) -> Result<Option<Timestamp>> {
        let state = self.lock()?;
        Ok(state
            .deliveries
            .values()
            .filter_map(|stored| stored.pending.as_ref()?.due_at)
            .min())
    }
}
