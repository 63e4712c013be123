//! The sends in memory.

use async_trait::async_trait;

use super::memory::{MemoryStore, State};
use crate::Result;
use crate::model::{Answer, DeviceId, IdempotencyKey, MessageId, MessageStatus, Timestamp};
use crate::ports::{Attempt, Outbox, OutboxEntry};

/// A send and how far it came.
#[derive(Debug)]
pub(super) struct StoredSend {
    key: Option<(IdempotencyKey, [u8; 32])>,
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
}

#[async_trait]
impl Outbox for MemoryStore {
    async fn begin(&self, entry: OutboxEntry, keys_since: Timestamp) -> Result<Attempt> {
        let mut state = self.lock()?;
        state.require_device(entry.device)?;
        for ((device, _), send) in &mut state.sends {
            if *device == entry.device && send.at < keys_since {
                send.key = None;
                send.answer = None;
            }
        }
        if let Some((key, digest)) = &entry.key {
            let mut sends = state.sends.iter().filter(|((device, _), _)| *device == entry.device);
            let earlier = sends.find_map(|((_, message), send)| {
                send.key.as_ref().filter(|(known, _)| known == key).map(|(_, digest)| (message, digest, &send.answer))
            });
            if let Some((message, known_digest, answer)) = earlier {
                return Ok(match answer {
                    _ if known_digest != digest => Attempt::KeyReused,
                    Some(answer) => Attempt::Answered(message.clone(), answer.clone()),
                    None => Attempt::Begun(message.clone()),
                });
            }
        }
        let OutboxEntry { device, message, key, at } = entry;
        let send = StoredSend { key, status: MessageStatus::Queued, answer: None, at };
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
        Ok(self.lock()?.sends.get(&(device, message.clone())).map(|send| send.status))
    }
}
