//! Conversations in memory.

use async_trait::async_trait;

use super::memory::{MemoryStore, State};
use super::memory_delivery_log::page;
use crate::Result;
use crate::model::chat::fold;
use crate::model::{
    Chat, ChatChange, ChatMessage, CursorPage, CursorQuery, DeviceId, Jid, MessageId, Place, ShownMessage,
    Timestamp,
};
use crate::ports::{Chats, Completion};

/// What is known of a conversation beside its messages.
#[derive(Debug, Default)]
pub(super) struct ChatRow {
    name: Option<String>,
    unread: u32,
    read_at: Timestamp,
}

impl State {
    /// Puts it into its conversation. A message of ours that is there already is left out.
    pub fn change_chat(&mut self, device: DeviceId, change: &ChatChange) {
        match change {
            ChatChange::Wrote(message) => {
                if message.sender.is_none() && self.own(device, &message.id).is_some() {
                    return;
                }
                let row = self.chats.entry((device, message.chat.clone())).or_default();
                if message.sender.is_none() {
                    row.read(message.place.at);
                } else if message.asks_to_be_read() {
                    row.unread += 1;
                }
                self.messages
                    .insert((device, message.place), ChatMessage::clone(message));
            }
            ChatChange::Read { chat, at } => {
                let row = self.chats.entry((device, chat.clone())).or_default();
                row.read(*at);
            }
        }
    }

    fn own(&self, device: DeviceId, id: &MessageId) -> Option<Place> {
        let own = |(owner, _): &(DeviceId, Place), message: &ChatMessage| {
            *owner == device && message.sender.is_none() && message.id == *id
        };
        let mut all = self.messages.iter();
        all.find(|(key, message)| own(key, message))
            .map(|((_, place), _)| *place)
    }

    /// Newest first.
    fn said<'a>(&'a self, device: DeviceId, chat: &'a Jid) -> impl Iterator<Item = &'a ChatMessage> {
        let all = self.messages.iter().rev();
        all.filter(move |((owner, _), message)| *owner == device && message.chat == *chat)
            .map(|(_, message)| message)
    }

    fn shown(&self, device: DeviceId, message: &ChatMessage) -> ShownMessage {
        let send = self
            .sends
            .get(&(device, message.id.clone()))
            .filter(|_| message.sender.is_none())
            .map(|send| send.stored(device, &message.id));
        let known = message
            .sender
            .as_ref()
            .and_then(|sender| self.name_of(device, sender));
        ShownMessage {
            sender_name: known.or_else(|| message.name.clone()),
            status: send.as_ref().map(|send| send.status),
            failure: send.and_then(|send| send.failure),
            message: message.clone(),
        }
    }

    fn name_of(&self, device: DeviceId, jid: &Jid) -> Option<String> {
        let contact = self.contacts.get(&(device, jid.to_string()))?;
        contact.best_name().map(Into::into)
    }

    fn chat(&self, device: DeviceId, jid: &Jid, row: &ChatRow) -> Option<Chat> {
        let last = self.said(device, jid).next()?;
        Some(Chat {
            jid: jid.clone(),
            name: self.name_of(device, jid).or_else(|| row.name.clone()),
            unread: row.unread,
            last: self.shown(device, last),
        })
    }
}

impl ChatRow {
    fn read(&mut self, at: Timestamp) {
        if at >= self.read_at {
            self.unread = 0;
            self.read_at = at;
        }
    }
}

#[async_trait]
impl Chats for MemoryStore {
    async fn list(
        &self,
        device: DeviceId,
        search: Option<&str>,
        query: CursorQuery<Place>,
    ) -> Result<CursorPage<Chat, Place>> {
        let state = self.lock()?;
        let folded = search.map(fold);
        let mut chats: Vec<Chat> = state
            .chats
            .iter()
            .filter(|((owner, _), _)| *owner == device)
            .filter_map(|((_, jid), row)| state.chat(device, jid, row))
            .filter(|chat| query.after.is_none_or(|after| chat.last.message.place < after))
            .filter(|chat| {
                let contact = state.contacts.get(&(device, chat.jid.to_string()));
                let called = |folded: &String| chat.is_called(contact, folded);
                folded.as_ref().is_none_or(called)
            })
            .collect();
        chats.sort_by_key(|chat| std::cmp::Reverse(chat.last.message.place));
        Ok(page(chats, query.limit(), |chat| chat.last.message.place))
    }

    async fn get(&self, device: DeviceId, chat: &Jid) -> Result<Option<Chat>> {
        let state = self.lock()?;
        let row = state.chats.get(&(device, chat.clone()));
        Ok(row.and_then(|row| state.chat(device, chat, row)))
    }

    async fn history(
        &self,
        device: DeviceId,
        chat: &Jid,
        search: Option<&str>,
        query: CursorQuery<Place>,
    ) -> Result<CursorPage<ShownMessage, Place>> {
        let state = self.lock()?;
        let folded = search.map(fold);
        let said = state
            .said(device, chat)
            .filter(|message| query.after.is_none_or(|after| message.place < after))
            .filter(|message| folded.as_ref().is_none_or(|folded| message.says(folded)))
            .map(|message| state.shown(device, message));
        Ok(page(said.collect(), query.limit(), |shown| shown.message.place))
    }

    async fn complete(&self, device: DeviceId, completion: &Completion) -> Result<()> {
        let mut state = self.lock()?;
        let Some(place) = state.own(device, &completion.message) else {
            return Ok(());
        };
        let Some(message) = state.messages.get_mut(&(device, place)) else {
            return Ok(());
        };
        message.chat.clone_from(&completion.chat);
        if let Some(media) = &completion.media {
            message.kind.clone_from(&media.kind);
            message.media = Some(media.clone());
        }
        let row = state.chats.entry((device, completion.chat.clone())).or_default();
        row.read(place.at);
        Ok(())
    }

    async fn unread(&self, device: DeviceId, chat: &Jid, limit: u32) -> Result<Vec<(MessageId, Jid)>> {
        let state = self.lock()?;
        let unread = state
            .chats
            .get(&(device, chat.clone()))
            .map_or(0, |row| row.unread.min(limit));
        let asking = state
            .said(device, chat)
            .filter(|message| message.asks_to_be_read());
        Ok(asking
            .filter_map(|message| Some((message.id.clone(), message.sender.clone()?)))
            .take(unread as usize)
            .collect())
    }

    async fn mark_read(&self, device: DeviceId, chat: &Jid, at: Timestamp) -> Result<()> {
        let mut state = self.lock()?;
        if let Some(row) = state.chats.get_mut(&(device, chat.clone())) {
            row.unread = 0;
            row.read_at = row.read_at.max(at);
        }
        Ok(())
    }

    async fn remember_names(&self, device: DeviceId, names: &[(Jid, String)]) -> Result<()> {
        let mut state = self.lock()?;
        for (jid, name) in names {
            if let Some(row) = state.chats.get_mut(&(device, jid.clone())) {
                row.name = Some(name.clone());
            }
        }
        Ok(())
    }

    async fn prune(&self, before: Timestamp, limit: u32) -> Result<u64> {
        let mut state = self.lock()?;
        let mut old: Vec<(DeviceId, Place)> = state
            .messages
            .keys()
            .filter(|(_, place)| place.at < before)
            .copied()
            .collect();
        old.sort_by_key(|(_, place)| *place);
        old.truncate(limit as usize);
        state.messages.retain(|key, _| !old.contains(key));
        Ok(old.len() as u64)
    }
}
