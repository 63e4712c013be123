//! What clients asked us to send: stored before it leaves, so that a crash cannot send it twice.

use async_trait::async_trait;

use super::{Express, Recorded, StatusChange};
use crate::Result;
use crate::model::{
    Answer, ChatMessage, CursorPage, CursorQuery, DeviceId, Idempotency, MessageId, StoredSend, Timestamp,
};

/// A send that is about to begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboxEntry {
    /// Who sends.
    pub device: DeviceId,
    /// The message id to send with.
    pub message: MessageId,
    /// The recipient as the client wrote it.
    pub to: String,
    /// What it says, for its conversation; the conversation is a guess until WhatsApp was asked.
    pub said: Option<Box<ChatMessage>>,
    /// The client's key and a digest of its request, when it gave one.
    pub idempotency: Option<Idempotency>,
    /// When.
    pub at: Timestamp,
}

/// How a send begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SendBegin {
    /// Go on, with this message id: the entry's, or the one that an unfinished earlier attempt with
    /// the same key began with.
    Begun(MessageId),
    /// The same request was answered before.
    Answered(MessageId, Answer),
    /// The key belongs to another request.
    KeyReused,
}

/// The sends.
#[async_trait]
pub trait Outbox: Send + Sync {
    /// Stores the send as queued, durable on return, or says what an earlier one with the same device
    /// and key came to. Keys older than `keys_since` are forgotten. `NotFound` when the device is gone.
    async fn begin(&self, entry: OutboxEntry, keys_since: Timestamp) -> Result<SendBegin>;

    /// Stores how it ended, and records the change's event when the status changed. An answer, when there is
    /// one, is what a retry with the same key gets.
    async fn finish(
        &self,
        device: DeviceId,
        change: StatusChange,
        answer: Option<Answer>,
        express: Express,
    ) -> Result<Recorded>;

    /// One message.
    async fn get(&self, device: DeviceId, message: &MessageId) -> Result<Option<StoredSend>>;

    /// The device's messages, newest first.
    async fn list(
        &self,
        device: DeviceId,
        query: CursorQuery<MessageId>,
    ) -> Result<CursorPage<StoredSend, MessageId>>;

    /// At most `limit` messages that were queued before and never ended: the process died over them.
    async fn unfinished(&self, before: Timestamp, limit: u32) -> Result<Vec<StoredSend>>;

    /// Removes at most `limit` messages that were asked for before, and says how many.
    async fn prune(&self, before: Timestamp, limit: u32) -> Result<u64>;
}
