//! Recorded events in memory, and what a batch changes.

use async_trait::async_trait;

use super::memory::{MemoryStore, State};
use super::memory_delivery_log::page;
use crate::Result;
use crate::model::{Contact, CursorPage, CursorQuery, DeliveryStanding, DeviceId, EventId, Jid, Timestamp};
use crate::ports::{EventBatch, EventQuery, EventStore, Express, NewEvent, Recorded, StoredEvent};

/// An event and whose it is.
#[derive(Debug)]
pub(super) struct EventRow {
    pub device: DeviceId,
    pub event: NewEvent,
}

impl MemoryStore {
    /// Every event recorded so far, in order: the oracle of tests.
    pub fn recorded(&self) -> Vec<NewEvent> {
        self.state()
            .events
            .iter()
            .map(|stored| stored.event.clone())
            .collect()
    }
}

impl State {
    fn has_event(&self, device: DeviceId, event: &NewEvent) -> bool {
        self.events.iter().any(|stored| {
            let same_key = stored.event.dedupe_key.is_some() && stored.event.dedupe_key == event.dedupe_key;
            stored.event.id == event.id || (stored.device == device && same_key)
        })
    }

    /// Records the event unless it is known, and queues its deliveries.
    pub fn record_event(
        &mut self,
        device: DeviceId,
        event: NewEvent,
        express: &mut Express,
        recorded: &mut Recorded,
    ) {
        if self.has_event(device, &event) {
            return;
        }
        recorded.events.push(event.id);
        if let Some(change) = &event.chat {
            self.change_chat(device, change);
        }
        let (reserved, queued) = self.queue_deliveries(device, &event, express);
        recorded.express.extend(reserved);
        recorded.queued |= queued;
        self.events.push(EventRow { device, event });
    }

    fn merge_contact(&mut self, device: DeviceId, newer: Contact) {
        self.contacts
            .entry((device, newer.jid.to_string()))
            .and_modify(|contact| contact.merge(&newer))
            .or_insert(newer);
    }

    fn remove_contact(&mut self, device: DeviceId, jid: &Jid) {
        let key = (device, jid.to_string());
        let Some(contact) = self.contacts.get_mut(&key) else {
            return;
        };
        contact.first_name = None;
        contact.full_name = None;
        if contact.push_name.is_none() && contact.business_name.is_none() {
            self.contacts.remove(&key);
        }
    }
}

#[async_trait]
impl EventStore for MemoryStore {
    async fn record(&self, batch: EventBatch) -> Result<Recorded> {
        let mut state = self.lock()?;
        state.require_device(batch.device)?;
        if let Some(device) = &batch.device_after {
            state.overwrite_device(device)?;
        }
        let mut recorded = Recorded::default();
        let mut express = batch.express;
        for event in batch.events {
            state.record_event(batch.device, event, &mut express, &mut recorded);
        }
        for contact in batch.contacts {
            state.merge_contact(batch.device, contact);
        }
        for jid in &batch.removed_contacts {
            state.remove_contact(batch.device, jid);
        }
        for change in batch.statuses {
            state.raise_status(batch.device, change, &mut express, &mut recorded);
        }
        Ok(recorded)
    }

    async fn list(
        &self,
        filter: &EventQuery,
        query: CursorQuery<EventId>,
    ) -> Result<CursorPage<StoredEvent, EventId>> {
        let state = self.lock()?;
        let from = query.after.map_or(0, |after| {
            let read = state.events.iter().position(|stored| stored.event.id == after);
            let later = || state.events.iter().position(|stored| stored.event.id > after);
            read.map_or_else(|| later().unwrap_or(state.events.len()), |read| read + 1)
        });
        let matching = state.events[from..].iter().filter(|stored| {
            filter.device.is_none_or(|device| device == stored.device)
                && (filter.kinds.is_empty() || filter.kinds.contains(&stored.event.kind))
        });
        let items = matching.map(|stored| StoredEvent {
            id: stored.event.id,
            kind: stored.event.kind,
            device: stored.device,
            at: stored.event.at,
            data: stored.event.data.clone(),
        });
        Ok(page(items.collect(), query.limit(), |event| event.id))
    }

    async fn last(&self) -> Result<Option<EventId>> {
        Ok(self.lock()?.events.last().map(|stored| stored.event.id))
    }

    async fn prune(&self, before: Timestamp, limit: u32) -> Result<u64> {
        let mut state = self.lock()?;
        let State {
            events, deliveries, ..
        } = &mut *state;
        let kept = |event: EventId| {
            deliveries.values().any(|row| {
                row.event == event
                    && match row.standing {
                        DeliveryStanding::Pending => true,
                        DeliveryStanding::Dead => row.settled_at.is_some_and(|at| at >= before),
                        DeliveryStanding::Delivered => false,
                    }
            })
        };
        let old: Vec<EventId> = events
            .iter()
            .filter(|stored| stored.event.recorded_at < before && !kept(stored.event.id))
            .map(|stored| stored.event.id)
            .take(limit as usize)
            .collect();
        events.retain(|stored| !old.contains(&stored.event.id));
        deliveries.retain(|_, row| !old.contains(&row.event));
        Ok(old.len() as u64)
    }
}
