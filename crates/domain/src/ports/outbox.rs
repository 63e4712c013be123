//! What clients asked us to send: stored before it leaves, so that a crash cannot send it twice.

use async_trait::async_trait;

use crate::Result;
use crate::model::{Answer, DeviceId, Idempotency, MessageId, MessageStatus, Timestamp};

/// A send that is about to begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboxEntry {
    /// Who sends.
    pub device: DeviceId,
    /// The message id to send with.
    pub message: MessageId,
    /// The client's key and a digest of its request, when it gave one.
    pub idempotency: Option<Idempotency>,
    /// When.
    pub at: Timestamp,
}

/// How a send begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Attempt {
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
    async fn begin(&self, entry: OutboxEntry, keys_since: Timestamp) -> Result<Attempt>;

    /// Stores how it ended. An answer, when there is one, is what a retry with the same key gets.
    async fn finish(
        &self,
        device: DeviceId,
        message: &MessageId,
        status: MessageStatus,
        answer: Option<Answer>,
    ) -> Result<()>;

    /// How far a message has come.
    async fn status(&self, device: DeviceId, message: &MessageId) -> Result<Option<MessageStatus>>;
}
