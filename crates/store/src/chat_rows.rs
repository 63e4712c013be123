//! A message of a conversation as a row.

use diesel::prelude::*;
use wagate_domain::model::message::ReceivedMedia;
use wagate_domain::model::{ChatMessage, DeviceId, Jid, MessageId, Place, Timestamp};
use wagate_domain::{Error, Result};

use crate::dialect::without_nul;
use crate::error::{stored, stored_option};
use crate::schema::messages;

/// A message as it is stored.
#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = messages, treat_none_as_default_value = false)]
pub(crate) struct MessageRow {
    device_id: String,
    chat: String,
    at: i64,
    place: String,
    id: String,
    sender: Option<String>,
    name: Option<String>,
    kind: String,
    text: String,
    media: Option<String>,
}

/// Values that a [`MessageRow`] binds.
pub(crate) const MESSAGE_COLUMNS: usize = 10;

impl MessageRow {
    /// As it is stored.
    pub(crate) fn new(device: DeviceId, message: &ChatMessage) -> Result<Self> {
        Ok(Self {
            device_id: device.to_string(),
            chat: message.chat.to_string(),
            at: message.place.at.0,
            place: message.place.number.to_string(),
            id: without_nul(&message.id.0),
            sender: message.sender.as_ref().map(Jid::to_string),
            name: message.name.as_deref().map(without_nul),
            kind: message.kind.clone(),
            text: without_nul(&message.text),
            media: media(message.media.as_ref())?,
        })
    }

    /// The conversation and who wrote, as addresses.
    pub(crate) fn people(&self) -> impl Iterator<Item = String> + '_ {
        [Some(&self.chat), self.sender.as_ref()]
            .into_iter()
            .flatten()
            .cloned()
    }

    /// Reads it back.
    pub(crate) fn stored(self) -> Result<ChatMessage> {
        Ok(ChatMessage {
            chat: stored(&self.chat)?,
            place: place(self.at, &self.place)?,
            id: MessageId(self.id),
            sender: stored_option(self.sender.as_deref())?,
            name: self.name,
            kind: self.kind,
            text: self.text,
            media: self
                .media
                .as_deref()
                .map(serde_json::from_str)
                .transpose()
                .map_err(Error::internal)?,
        })
    }
}

/// What is stored of a file.
pub(crate) fn media(media: Option<&ReceivedMedia>) -> Result<Option<String>> {
    media
        .map(serde_json::to_string)
        .transpose()
        .map_err(Error::internal)
}

fn place(at: i64, number: &str) -> Result<Place> {
    let number = ulid::Ulid::from_string(number).map_err(Error::internal)?;
    Ok(Place::new(Timestamp(at), number))
}
