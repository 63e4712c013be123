//! Deliveries in memory, looked at and asked for again.

use async_trait::async_trait;

use super::memory::{MemoryStore, State};
use super::memory_deliveries::{Row, no_delivery};
use crate::Result;
use crate::model::{
    Attempt, CursorPage, CursorQuery, DeliveryCounts, DeliveryFilter, DeliveryId, DeliveryStanding,
    EventKind, Replay, Replayed, StoredDelivery, Timestamp, WebhookId, WebhookState,
};
use crate::ports::DeliveryLog;

/// Most attempts that are shown of one delivery.
const MAX_ATTEMPTS: usize = 100;

impl State {
    fn stored_delivery(&self, id: DeliveryId, row: &Row) -> StoredDelivery {
        let event = self.events.iter().find(|stored| stored.event.id == row.event);
        StoredDelivery {
            id,
            event: row.event,
            kind: event.map_or(EventKind::Message, |stored| stored.event.kind),
            webhook: row.webhook,
            device: row.device,
            standing: row.standing,
            attempts: row.attempts,
            due_at: row.due_at,
            error: row.error.clone(),
            created_at: row.created_at,
            settled_at: row.settled_at,
            body: row.body.clone(),
        }
    }

    fn replay(&mut self, id: DeliveryId, now: Timestamp) {
        let Some(row) = self.deliveries.get_mut(&id) else {
            return;
        };
        if row.leased {
            return;
        }
        let active = self
            .webhooks
            .get(&row.webhook)
            .is_some_and(|webhook| webhook.state == WebhookState::Active);
        if row.standing != DeliveryStanding::Pending {
            row.aside = true;
            (row.baseline, row.queued_at, row.settled_at) = (row.attempts, now, None);
            row.standing = DeliveryStanding::Pending;
            row.due_at = active.then_some(now);
        } else if row.due_at.is_some() {
            row.due_at = Some(now);
        }
    }
}

#[async_trait]
impl DeliveryLog for MemoryStore {
    async fn list(
        &self,
        filter: &DeliveryFilter,
        query: CursorQuery<DeliveryId>,
    ) -> Result<CursorPage<StoredDelivery, DeliveryId>> {
        let state = self.lock()?;
        let fits = |row: &Row| {
            filter.webhook.is_none_or(|webhook| webhook == row.webhook)
                && filter.event.is_none_or(|event| event == row.event)
                && filter.device.is_none_or(|device| device == row.device)
                && filter.standing.is_none_or(|standing| standing == row.standing)
        };
        let matching = state
            .deliveries
            .iter()
            .rev()
            .filter(|(id, row)| query.after.is_none_or(|after| **id < after) && fits(row));
        let items = matching
            .map(|(id, row)| state.stored_delivery(*id, row))
            .collect();
        Ok(page(items, query.limit(), |item: &StoredDelivery| item.id))
    }

    async fn counts(&self) -> Result<DeliveryCounts> {
        let state = self.lock()?;
        let count = |standing| {
            let rows = state.deliveries.values();
            rows.filter(|row| row.standing == standing).count() as u64
        };
        Ok(DeliveryCounts {
            pending: count(DeliveryStanding::Pending),
            dead: count(DeliveryStanding::Dead),
        })
    }

    async fn get(&self, id: DeliveryId) -> Result<Option<StoredDelivery>> {
        let state = self.lock()?;
        Ok(state
            .deliveries
            .get(&id)
            .map(|row| state.stored_delivery(id, row)))
    }

    async fn attempts(&self, id: DeliveryId) -> Result<Vec<Attempt>> {
        let state = self.lock()?;
        let log = state.deliveries.get(&id).map_or(&[][..], |row| &row.log);
        Ok(log[log.len().saturating_sub(MAX_ATTEMPTS)..].to_vec())
    }

    async fn replay(&self, id: DeliveryId, now: Timestamp) -> Result<()> {
        let mut state = self.lock()?;
        if !state.deliveries.contains_key(&id) {
            return Err(no_delivery(id));
        }
        state.replay(id, now);
        Ok(())
    }

    async fn replay_many(&self, webhook: WebhookId, which: Replay, now: Timestamp) -> Result<u64> {
        let mut state = self.lock()?;
        let fits = |row: &Row| {
            row.webhook == webhook
                && row.standing == which.standing
                && row.standing != DeliveryStanding::Pending
                && (which.since..which.until).contains(&row.created_at)
        };
        let ids: Vec<DeliveryId> = state
            .deliveries
            .iter()
            .filter(|(_, row)| fits(row))
            .map(|(id, _)| *id)
            .collect();
        for id in &ids {
            state.replay(*id, now);
        }
        Ok(ids.len() as u64)
    }

    async fn replays_pending(&self, replayed: Replayed) -> Result<u64> {
        let state = self.lock()?;
        let rows = state.deliveries.values();
        Ok(rows.filter(|row| is_pending_of(row, replayed)).count() as u64)
    }

    async fn undo_replay(&self, replayed: Replayed, now: Timestamp) -> Result<u64> {
        if replayed.standing == DeliveryStanding::Pending {
            return Ok(0);
        }
        let mut state = self.lock()?;
        let mut count = 0;
        for row in state.deliveries.values_mut() {
            if is_pending_of(row, replayed) && !row.leased && row.attempts == row.baseline {
                row.standing = replayed.standing;
                (row.due_at, row.settled_at) = (None, Some(now));
                count += 1;
            }
        }
        Ok(count)
    }
}

/// What was queued for the first time at that very moment is none of the replay.
fn is_pending_of(row: &Row, replayed: Replayed) -> bool {
    row.webhook == replayed.webhook
        && row.standing == DeliveryStanding::Pending
        && row.queued_at == replayed.at
        && row.created_at < replayed.at
}

/// Cuts a list to a page; what is cut off is on the next one.
pub(super) fn page<T, C>(mut items: Vec<T>, limit: u32, id: impl Fn(&T) -> C) -> CursorPage<T, C> {
    let more = items.len() > limit as usize;
    items.truncate(limit as usize);
    CursorPage {
        next: items.last().filter(|_| more).map(id),
        items,
    }
}
