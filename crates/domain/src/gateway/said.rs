//! Messages of ours as their conversations show them.

use super::Gateway;
use super::message::MessageRequest;
use crate::Result;
use crate::model::message::ReceivedMedia;
use crate::model::{ChatMessage, Content, Device, Jid, MessageId, Place};
use crate::ports::Completion;

/// The kind of a text, as received ones have it.
const TEXT: &str = "conversation";
/// The kind of a message whose file was not fetched yet.
const FILE: &str = "file";

impl Gateway {
    /// What the message says, as its conversation shows it at once. Stories are in none.
    pub(super) fn said(
        &self,
        id: &MessageId,
        chat: Jid,
        request: &MessageRequest,
    ) -> Option<Box<ChatMessage>> {
        if chat == Jid::status_broadcast() {
            return None;
        }
        let given = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        let media = given(&request.file_url).map(|_| ReceivedMedia {
            kind: FILE.into(),
            mimetype: None,
            file_name: given(&request.file_name),
            size: None,
        });
        Some(Box::new(ChatMessage {
            id: id.clone(),
            chat,
            place: Place::new(self.parts.clock.now(), self.parts.ids.next()),
            sender: None,
            name: None,
            kind: if media.is_some() { FILE } else { TEXT }.into(),
            text: request.text.clone().unwrap_or_default(),
            media,
        }))
    }

    /// Tells the conversation what was not known when the message was stored.
    pub(super) async fn complete_message(
        &self,
        device: &Device,
        id: &MessageId,
        (guess, to): (&Jid, &Jid),
        content: &Content,
    ) -> Result<()> {
        let media = match content {
            Content::Text(_) if guess == to => return Ok(()),
            Content::Text(_) => None,
            Content::Media { file, file_name, .. } => Some(ReceivedMedia {
                mimetype: Some(file.mimetype().into()),
                file_name: file_name.clone(),
                size: Some(file.size()),
                ..ReceivedMedia::new(file.kind())
            }),
        };
        let completion = Completion {
            message: id.clone(),
            chat: to.clone(),
            media,
        };
        self.parts.chats.complete(device.id, &completion).await
    }
}
