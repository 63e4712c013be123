//! The sends in memory.

use async_trait::async_trait;

use super::memory::{MemoryStore, State};
use super::memory_delivery_log::page;
use crate::Result;
use crate::model::event::Failure;
use crate::model::{
    Answer, ChatChange, CursorPage, CursorQuery, DeviceId, Idempotency, MessageId, MessageStatus, StoredSend,
    Timestamp,
};
use crate::ports::{Express, Outbox, OutboxEntry, Recorded, SendBegin, StatusChange};

/// A send and how far it came.
#[derive(Debug)]
pub(super) struct SendRow {
    /// Position among all sends.
    number: u64,
    to: String,
    idempotency: Option<Idempotency>,
    status: MessageStatus,
    failure: Option<Failure>,
    answer: Option<Answer>,
    at: Timestamp,
    updated_at: Timestamp,
}

impl SendRow {
    pub fn stored(&self, device: DeviceId, id: &MessageId) -> StoredSend {
        StoredSend {
            id: id.clone(),
            device,
            to: self.to.clone(),
            status: self.status,
            failure: self.failure.clone(),
            created_at: self.at,
            updated_at: self.updated_at,
        }
    }
}

impl State {
    /// A status never goes back, and a message that is not ours has none.
    pub fn raise_status(
        &mut self,
        device: DeviceId,
        change: StatusChange,
        express: &mut Express,
        recorded: &mut Recorded,
    ) {
        let key = (device, change.message);
        let Some(send) = self
            .sends
            .get_mut(&key)
            .filter(|send| send.status < change.status)
        else {
            return;
        };
        send.status = change.status;
        send.failure = change.failure;
        send.updated_at = change.at;
        if let Some(to) = change.to {
            send.to = to.to_string();
        }
        if let Some(event) = change.event {
            self.record_event(device, event, express, recorded);
        }
    }

    /// What became of an earlier send with the same key.
    fn earlier(&self, device: DeviceId, asked: &Idempotency) -> Option<SendBegin> {
        self.sends
            .iter()
            .filter(|((owner, _), _)| *owner == device)
            .find_map(|((_, message), send)| {
                let known = send.idempotency.as_ref().filter(|known| known.key == asked.key)?;
                Some(match &send.answer {
                    _ if known.fingerprint != asked.fingerprint => SendBegin::KeyReused,
                    Some(answer) => SendBegin::Answered(message.clone(), answer.clone()),
                    None => SendBegin::Begun(message.clone()),
                })
            })
    }

    /// The device's sends, newest first.
    fn sends_of(&self, device: DeviceId) -> Vec<(&MessageId, &SendRow)> {
        let mut sends: Vec<_> = self
            .sends
            .iter()
            .filter(|((owner, _), _)| *owner == device)
            .map(|((_, id), send)| (id, send))
            .collect();
        sends.sort_by_key(|(_, send)| std::cmp::Reverse((send.at, send.number)));
        sends
    }
}

#[async_trait]
impl Outbox for MemoryStore {
    async fn begin(&self, entry: OutboxEntry, keys_since: Timestamp) -> Result<SendBegin> {
        let mut state = self.lock()?;
        state.require_device(entry.device)?;
        for ((device, _), send) in &mut state.sends {
            if *device == entry.device && send.at < keys_since {
                send.idempotency = None;
                send.answer = None;
            }
        }
        if let Some(earlier) = entry
            .idempotency
            .as_ref()
            .and_then(|asked| state.earlier(entry.device, asked))
        {
            return Ok(earlier);
        }
        let send = SendRow {
            number: state.sends.len() as u64,
            to: entry.to,
            idempotency: entry.idempotency,
            status: MessageStatus::Queued,
            failure: None,
            answer: None,
            at: entry.at,
            updated_at: entry.at,
        };
        state
            .sends
            .entry((entry.device, entry.message.clone()))
            .or_insert(send);
        if let Some(said) = entry.said {
            state.change_chat(entry.device, &ChatChange::Wrote(said));
        }
        Ok(SendBegin::Begun(entry.message))
    }

    async fn finish(
        &self,
        device: DeviceId,
        change: StatusChange,
        answer: Option<Answer>,
        mut express: Express,
    ) -> Result<Recorded> {
        let mut state = self.lock()?;
        let mut recorded = Recorded::default();
        let key = (device, change.message.clone());
        state.raise_status(device, change, &mut express, &mut recorded);
        if let (Some(send), Some(answer)) = (state.sends.get_mut(&key), answer) {
            send.answer = Some(answer);
        }
        Ok(recorded)
    }

    async fn get(&self, device: DeviceId, message: &MessageId) -> Result<Option<StoredSend>> {
        let state = self.lock()?;
        Ok(state
            .sends
            .get(&(device, message.clone()))
            .map(|send| send.stored(device, message)))
    }

    async fn list(
        &self,
        device: DeviceId,
        query: CursorQuery<MessageId>,
    ) -> Result<CursorPage<StoredSend, MessageId>> {
        let state = self.lock()?;
        let sends = state.sends_of(device);
        let after = query.after.as_ref();
        let from = after.and_then(|after| sends.iter().position(|(id, _)| *id == after));
        let items = sends[from.map_or(0, |from| from + 1)..]
            .iter()
            .map(|(id, send)| send.stored(device, id))
            .collect();
        Ok(page(items, query.limit(), |send: &StoredSend| send.id.clone()))
    }

    async fn unfinished(&self, before: Timestamp, limit: u32) -> Result<Vec<StoredSend>> {
        let state = self.lock()?;
        Ok(state
            .sends
            .iter()
            .filter(|(_, send)| send.status == MessageStatus::Queued && send.at < before)
            .map(|((device, id), send)| send.stored(*device, id))
            .take(limit as usize)
            .collect())
    }

    async fn prune(&self, before: Timestamp, limit: u32) -> Result<u64> {
        let mut state = self.lock()?;
        let old: Vec<_> = state
            .sends
            .iter()
            .filter(|(_, send)| send.at < before)
            .map(|(key, _)| key.clone())
            .take(limit as usize)
            .collect();
        state.sends.retain(|key, _| !old.contains(key));
        Ok(old.len() as u64)
    }
}
