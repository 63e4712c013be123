//! Recorded events in memory, and what a batch changes.

use async_trait::async_trait;

use super::memory::{MemoryStore, State};
use crate::Result;
use crate::model::{Contact, DeviceId, EventId, Jid};
use crate::ports::{EventBatch, EventStore, NewEvent};

/// An event and whose it is.
#[derive(Debug)]
pub(super) struct StoredEvent {
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
    async fn record(&self, batch: EventBatch) -> Result<Vec<EventId>> {
        let mut state = self.lock()?;
        state.require_device(batch.device)?;
        if let Some(device) = &batch.device_after {
            state.overwrite_device(device)?;
        }
        let mut new = Vec::new();
        for event in batch.events {
            if state.has_event(batch.device, &event) {
                continue;
            }
            new.push(event.id);
            state.queue_deliveries(batch.device, &event);
            state.events.push(StoredEvent {
                device: batch.device,
                event,
            });
        }
        for contact in batch.contacts {
            state.merge_contact(batch.device, contact);
        }
        for jid in &batch.removed_contacts {
            state.remove_contact(batch.device, jid);
        }
        for (message, status) in batch.statuses {
            state.raise_status(batch.device, message, status);
        }
        Ok(new)
    }
}
