//! The sends in memory.

use async_trait::async_trait;

use super::memory::{MemoryStore, State};
use crate::Result;
use crate::model::{Answer, DeviceId, Idempotency, MessageId, MessageStatus, Timestamp};
use crate::ports::{Attempt, Outbox, OutboxEntry};

/// A send and how far it came.
#[derive(Debug)]
pub(super) struct StoredSend {
    idempotency: Option<Idempotency>,
    status: MessageStatus,
    answer: Option<Answer>,
    at: Timestamp,
}

impl State {
    /// A status never goes back, and a message that is not ours has none.
    pub fn raise_status(&mut self, device: DeviceId, message: MessageId, status: MessageStatus) {
        if let Some(send) = self.sends.get_mut(&(device, message)) {
            send.status = send.status.max(status);
        }
    }

    /// What became of an earlier send with the same key.
    fn earlier(&self, device: DeviceId, asked: &Idempotency) -> Option<Attempt> {
        self.sends
            .iter()
            .filter(|((owner, _), _)| *owner == device)
            .find_map(|((_, message), send)| {
                let known = send.idempotency.as_ref().filter(|known| known.key == asked.key)?;
                Some(match &send.answer {
                    _ if known.fingerprint != asked.fingerprint => Attempt::KeyReused,
                    Some(answer) => Attempt::Answered(message.clone(), answer.clone()),
                    None => Attempt::Begun(message.clone()),
                })
            })
    }
}

#[async_trait]
impl Outbox for MemoryStore {
    async fn begin(&self, entry: OutboxEntry, keys_since: Timestamp) -> Result<Attempt> {
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
        let OutboxEntry {
            device,
            message,
            idempotency,
            at,
        } = entry;
        let send = StoredSend {
            idempotency,
            status: MessageStatus::Queued,
            answer: None,
            at,
        };
        state.sends.entry((device, message.clone())).or_insert(send);
        Ok(Attempt::Begun(message))
    }

    async fn finish(
        &self,
        device: DeviceId,
        message: &MessageId,
        status: MessageStatus,
        answer: Option<Answer>,
    ) -> Result<()> {
        let mut state = self.lock()?;
        if let Some(send) = state.sends.get_mut(&(device, message.clone())) {
            send.status = send.status.max(status);
            if answer.is_some() {
                send.answer = answer;
            }
        }
        Ok(())
    }

    async fn status(&self, device: DeviceId, message: &MessageId) -> Result<Option<MessageStatus>> {
        Ok(self
            .lock()?
            .sends
            .get(&(device, message.clone()))
            .map(|send| send.status))
    }
}
