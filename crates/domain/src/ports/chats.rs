//! Conversations. Messages get into them with their events, in [`EventStore`](super::EventStore), and with sends, in
//! [`Outbox`](super::Outbox).

use async_trait::async_trait;

use crate::Result;
use crate::model::message::ReceivedMedia;
use crate::model::{Chat, CursorPage, CursorQuery, DeviceId, Jid, MessageId, Place, ShownMessage, Timestamp};

/// What became known of a message of ours before it left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Completion {
    /// Which.
    pub message: MessageId,
    /// The conversation, as WhatsApp knows it.
    pub chat: Jid,
    /// Its file.
    pub media: Option<ReceivedMedia>,
}

/// Conversations of devices, and what was said in them. Of a device that is gone there are none.
#[async_trait]
pub trait Chats: Send + Sync {
    /// The device's conversations, the one with the newest message first; with `search`, those that have it in a
    /// name or in their address, in any case. One that gets a message while somebody pages moves to the front.
    async fn list(
        &self,
        device: DeviceId,
        search: Option<&str>,
        query: CursorQuery<Place>,
    ) -> Result<CursorPage<Chat, Place>>;

    /// One conversation.
    async fn get(&self, device: DeviceId, chat: &Jid) -> Result<Option<Chat>>;

    /// Messages of the conversation, newest first; with `search`, those that have it in their text or in the name
    /// of their file, in any case. A page of a search may have fewer messages than asked for, or none, and a next
    /// one all the same: one call looks at a limited number of messages.
    async fn history(
        &self,
        device: DeviceId,
        chat: &Jid,
        search: Option<&str>,
        query: CursorQuery<Place>,
    ) -> Result<CursorPage<ShownMessage, Place>>;

    /// Moves a message of ours into its conversation and describes its file. One that is not there is fine.
    async fn complete(&self, device: DeviceId, completion: &Completion) -> Result<()>;

    /// The messages that count as unread, newest first, with who wrote each; at most `limit`.
    async fn unread(&self, device: DeviceId, chat: &Jid, limit: u32) -> Result<Vec<(MessageId, Jid)>>;

    /// Nothing in the conversation is unread any more. One that is not there is fine.
    async fn mark_read(&self, device: DeviceId, chat: &Jid, at: Timestamp) -> Result<()>;

    /// Keeps what conversations are called; those that are not there are left out.
    async fn remember_names(&self, device: DeviceId, names: &[(Jid, String)]) -> Result<()>;

    /// Removes at most `limit` messages that were written before, and conversations of which nothing is left. Says
    /// how many went.
    async fn prune(&self, before: Timestamp, limit: u32) -> Result<u64>;
}
