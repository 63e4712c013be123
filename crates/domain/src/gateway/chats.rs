//! Conversations: which there are, what was said, and that it was read.

use super::Gateway;
use crate::model::{
    Chat, CursorPage, CursorQuery, DeviceId, Group, Jid, Place, ShownMessage, Timestamp, Token,
};
use crate::{Error, Result};

/// Messages that WhatsApp is told at once are read: what fits into one receipt. Older ones count as read with them.
const MAX_RECEIPT: u32 = 256;

impl Gateway {
    /// The device's conversations, the one with the newest message first; with `search`, those that have it in a
    /// name or in their number.
    pub async fn list_chats(
        &self,
        token: &Token,
        search: Option<&str>,
        query: CursorQuery<Place>,
    ) -> Result<CursorPage<Chat, Place>> {
        let device = self.device(token).await?;
        self.parts.chats.list(device.id, search, query).await
    }

    /// One conversation, or `NotFound`.
    pub async fn get_chat(&self, token: &Token, chat: &Jid) -> Result<Chat> {
        let device = self.device(token).await?;
        self.chat(device.id, chat).await
    }

    /// Messages of a conversation, newest first; with `search`, those that have it in their text. Of one that is not
    /// there yet there are none.
    pub async fn chat_history(
        &self,
        token: &Token,
        chat: &Jid,
        search: Option<&str>,
        query: CursorQuery<Place>,
    ) -> Result<CursorPage<ShownMessage, Place>> {
        let device = self.device(token).await?;
        self.parts.chats.history(device.id, chat, search, query).await
    }

    /// Nothing in the conversation is unread any more; while the device is connected WhatsApp is told as well, which
    /// shows to those who wrote. `NotFound` when there is no such conversation.
    pub async fn read_chat(&self, token: &Token, chat: &Jid) -> Result<Chat> {
        let device = self.device(token).await?;
        let before = self.chat(device.id, chat).await?;
        if before.unread == 0 {
            return Ok(before);
        }
        if let Ok(session) = self.connected_session(&device) {
            let unread = self.parts.chats.unread(device.id, chat, MAX_RECEIPT).await?;
            session.mark_read(chat, &unread).await?;
        }
        // By WhatsApp's clock, which has whole seconds: what is written in this one counts as read later.
        let now = Timestamp::from_secs(self.parts.clock.now().as_secs());
        self.parts.chats.mark_read(device.id, chat, now).await?;
        self.chat(device.id, chat).await
    }

    async fn chat(&self, device: DeviceId, chat: &Jid) -> Result<Chat> {
        let found = self.parts.chats.get(device, chat).await?;
        found.ok_or_else(|| Error::NotFound {
            what: "chat",
            id: chat.to_string(),
        })
    }

    /// Conversations of groups are called as the groups are. Whoever asked for groups gets them in any case.
    pub(super) async fn remember_subjects(&self, device: DeviceId, groups: &[Group]) {
        let names: Vec<(Jid, String)> = groups
            .iter()
            .map(|group| (group.jid.clone(), group.name.clone()))
            .collect();
        if let Err(error) = self.parts.chats.remember_names(device, &names).await {
            tracing::warn!(%device, %error, "names of groups were not kept");
        }
    }
}
