//! What clients see of conversations.

use serde::Serialize;
use utoipa::ToSchema;
use wagate_domain::model::message::ReceivedMedia;
use wagate_domain::model::{Chat, Jid, MessageId, MessageStatus, ShownMessage};

use super::contact_view::phone;
use super::message_view::FailureView;
use super::view::time;

/// A conversation.
#[derive(Serialize, ToSchema)]
#[schema(as = Chat)]
pub(super) struct ChatView {
    /// Its address: of the person (by number when that is known), the group or the channel.
    jid: String,
    /// The person's number, when known.
    #[schema(required = true)]
    phone: Option<String>,
    /// It is a group.
    group: bool,
    /// The person's name: from the address book, else as they show it. Of a group its subject, once groups were
    /// listed.
    #[schema(required = true)]
    name: Option<String>,
    /// Messages of others since the account last read or wrote there.
    unread: u32,
    /// The newest message.
    last_message: ChatMessageView,
}

/// A message in a conversation.
#[derive(Serialize, ToSchema)]
#[schema(as = ChatMessage)]
pub(super) struct ChatMessageView {
    /// Its id at WhatsApp.
    #[schema(value_type = String)]
    id: MessageId,
    /// Written by the account, here or on another of its devices.
    from_me: bool,
    /// Who wrote it; null for the account itself.
    #[schema(required = true)]
    sender: Option<SenderView>,
    /// `conversation` and `extendedText` are texts; also `image`, `video`, `audio`, `document`, `sticker`, `location`,
    /// `contact`, `reaction`, `revoked`, `edited` and others, as in `message.received`; `file` while a file of ours is
    /// not fetched yet.
    kind: String,
    /// Text, caption or emoji; empty when there is none.
    text: String,
    /// The attached file, whose bytes stay at WhatsApp.
    #[schema(required = true)]
    media: Option<ChatMediaView>,
    /// How far it came: `queued`, `sent`, `delivered`, `read`, `played`, `failed` or `unknown`. Null for messages of
    /// others, and for those that were written on another device.
    #[schema(required = true)]
    status: Option<&'static str>,
    /// Why it failed.
    #[schema(required = true)]
    failure: Option<FailureView>,
    /// When it was written, to a second.
    #[schema(format = DateTime)]
    written_at: String,
}

/// Who wrote a message.
#[derive(Serialize, ToSchema)]
#[schema(as = ChatSender)]
struct SenderView {
    /// Their address: by number when that is known, else by hidden identity.
    jid: String,
    /// Their number, when known.
    #[schema(required = true)]
    phone: Option<String>,
    /// Their name: from the address book, else as they showed it.
    #[schema(required = true)]
    name: Option<String>,
}

/// A file in a conversation.
#[derive(Serialize, ToSchema)]
#[schema(as = ChatMedia)]
struct ChatMediaView {
    /// `image`, `video`, `audio`, `document` or `sticker`; `file` while it is not known.
    kind: String,
    /// MIME type.
    #[schema(required = true)]
    mimetype: Option<String>,
    /// Name of the file.
    #[schema(required = true)]
    file_name: Option<String>,
    /// Bytes.
    #[schema(required = true)]
    size: Option<u64>,
}

impl From<Chat> for ChatView {
    fn from(chat: Chat) -> Self {
        Self {
            jid: chat.jid.to_string(),
            phone: phone(&chat.jid),
            group: chat.jid.is_group(),
            name: chat.name,
            unread: chat.unread,
            last_message: chat.last.into(),
        }
    }
}

impl From<ShownMessage> for ChatMessageView {
    fn from(shown: ShownMessage) -> Self {
        let message = shown.message;
        let sender = |jid: Jid| SenderView {
            jid: jid.to_string(),
            phone: phone(&jid),
            name: shown.sender_name,
        };
        Self {
            id: message.id,
            from_me: message.sender.is_none(),
            sender: message.sender.map(sender),
            kind: message.kind,
            text: message.text,
            media: message.media.map(ChatMediaView::from),
            status: shown.status.map(MessageStatus::as_str),
            failure: shown.failure.map(FailureView::from),
            written_at: time(message.place.at),
        }
    }
}

impl From<ReceivedMedia> for ChatMediaView {
    fn from(media: ReceivedMedia) -> Self {
        Self {
            kind: media.kind,
            mimetype: media.mimetype,
            file_name: media.file_name,
            size: media.size,
        }
    }
}
