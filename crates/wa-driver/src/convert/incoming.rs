//! Messages that arrive: what kind they are, what text they carry, and which of them are only the
//! protocol talking to itself.

use serde_json::Value;
use wagate_domain::model::message::ReceivedMedia;
use wagate_domain::model::{MediaKind, MessageId, ReceivedMessage, Timestamp};
use whatsapp_rust::wacore::types::events::InboundMessage;
use whatsapp_rust::wacore::types::message::EditAttribute;
use whatsapp_rust::waproto::whatsapp::message::interactive_response_message::InteractiveResponseMessage as Answer;
use whatsapp_rust::waproto::whatsapp::message::{buttons_response_message, protocol_message};
use whatsapp_rust::waproto::whatsapp::{Message, message};

use super::party::Parties;
use super::raw;

/// Deepest nesting of wrappers that is followed; WhatsApp uses three at most.
const MAX_WRAPPERS: usize = 8;

/// Fields that say nothing to a person, in the spelling of the JSON form.
const SILENT_FIELDS: [&str; 5] = [
    "senderKeyDistributionMessage",
    "fastRatchetKeySenderKeyDistributionMessage",
    "messageContextInfo",
    "groupRootKeyShare",
    "rootSecretDistributeMessage",
];

/// The message as the domain knows it; `None` for key exchange and other housekeeping.
pub(crate) fn to_domain(inbound: &InboundMessage, parties: &Parties) -> Option<ReceivedMessage> {
    let info = &inbound.info;
    let mut said = read(&inbound.message)?;
    if info.edit == EditAttribute::MessageEdit && said.kind != "edited" {
        // An edit that arrived encrypted is decrypted to its new content alone.
        said.kind = "edited";
    }
    Some(ReceivedMessage {
        id: MessageId(info.id.clone()),
        chat: parties.chat.jid.clone(),
        sender: parties.sender.jid.clone(),
        sender_lid: parties.sender.lid.clone(),
        chat_lid: parties.chat.lid.clone(),
        from_me: info.source.is_from_me,
        push_name: Some(info.push_name.clone()).filter(|name| !name.is_empty()),
        at: Timestamp(info.timestamp.timestamp_millis()),
        kind: said.kind.into(),
        text: said.text,
        media: said.media,
        raw: said.raw,
    })
}

/// What a message says.
struct Said {
    kind: &'static str,
    text: String,
    media: Option<ReceivedMedia>,
    raw: Value,
}

fn read(message: &Message) -> Option<Said> {
    let (inner, edited) = unwrap(message);
    let known = protocol(inner).unwrap_or_else(|| content(inner).map_or(Known::Unknown, Known::Said));
    let (kind, text, media) = match known {
        Known::Noise => return None,
        Known::Said((kind, text, media)) => (kind, text, media),
        Known::Unknown => ("unknown", String::new(), None),
    };
    let raw = raw::to_json(message);
    if kind == "unknown" && is_silent(inner) {
        return None;
    }
    Some(Said {
        kind: if edited { "edited" } else { kind },
        text,
        media,
        raw,
    })
}

type Content = (&'static str, String, Option<ReceivedMedia>);

enum Known {
    Said(Content),
    Noise,
    Unknown,
}

/// Whether nothing but key material and context is set.
fn is_silent(message: &Message) -> bool {
    match raw::to_json(message) {
        Value::Object(fields) => fields.keys().all(|name| SILENT_FIELDS.contains(&name.as_str())),
        _ => true,
    }
}

/// The message inside its wrappers, and whether one of them said that it is an edit.
fn unwrap(message: &Message) -> (&Message, bool) {
    let mut inner = message;
    let mut edited = false;
    for _ in 0..MAX_WRAPPERS {
        let Some((next, is_edit)) = wrapped(inner) else {
            break;
        };
        edited |= is_edit;
        inner = next;
    }
    (inner, edited)
}

fn wrapped(message: &Message) -> Option<(&Message, bool)> {
    if let Some(sent) = message.device_sent_message.as_option() {
        return Some((sent.message.as_option()?, false));
    }
    if let Some(edit) = message.edited_message.as_option() {
        return Some((edit.message.as_option()?, true));
    }
    if let Some(protocol) = message.protocol_message.as_option()
        && protocol.r#type == Some(protocol_message::Type::MESSAGE_EDIT)
    {
        return Some((protocol.edited_message.as_option()?, true));
    }
    let wrapper = [
        &message.ephemeral_message,
        &message.view_once_message,
        &message.view_once_message_v2,
        &message.view_once_message_v2_extension,
        &message.document_with_caption_message,
        &message.group_mentioned_message,
        &message.bot_invoke_message,
        &message.lottie_sticker_message,
        &message.associated_child_message,
        &message.group_status_message,
        &message.group_status_message_v2,
        &message.status_mention_message,
        &message.group_status_mention_message,
        &message.poll_creation_message_v4,
        &message.spoiler_message,
        &message.question_message,
        &message.question_reply_message,
        &message.bot_forwarded_message,
    ]
    .into_iter()
    .find_map(|wrapper| wrapper.as_option())?;
    Some((wrapper.message.as_option()?, false))
}

/// Protocol messages: a revoke is news, the rest is housekeeping.
fn protocol(message: &Message) -> Option<Known> {
    let protocol = message.protocol_message.as_option()?;
    Some(match protocol.r#type {
        // `REVOKE` is the enum's zero, so old clients leave the type out and only name the message.
        Some(protocol_message::Type::REVOKE) => Known::Said(plain("revoked")),
        None if protocol.key.is_set() => Known::Said(plain("revoked")),
        _ => Known::Noise,
    })
}

fn plain(kind: &'static str) -> Content {
    (kind, String::new(), None)
}

fn text(kind: &'static str, text: Option<&str>) -> Content {
    (kind, text.unwrap_or_default().to_owned(), None)
}

fn content(m: &Message) -> Option<Content> {
    written(m)
        .or_else(|| media(m))
        .or_else(|| answered(m))
        .or_else(|| shared(m))
        .or_else(|| reacted(m))
}

fn written(m: &Message) -> Option<Content> {
    if let Some(said) = &m.conversation {
        return Some(text("conversation", Some(said)));
    }
    m.extended_text_message
        .as_option()
        .map(|extended| text("extendedText", extended.text.as_deref()))
}

fn file(
    kind: MediaKind,
    mimetype: Option<&String>,
    size: Option<u64>,
    file_name: Option<&String>,
) -> ReceivedMedia {
    ReceivedMedia {
        mimetype: mimetype.cloned(),
        size,
        file_name: file_name.cloned(),
        ..ReceivedMedia::new(kind)
    }
}

fn media(m: &Message) -> Option<Content> {
    let with = |kind: MediaKind, caption: Option<&String>, media: ReceivedMedia| {
        Some((kind.as_str(), caption.cloned().unwrap_or_default(), Some(media)))
    };
    if let Some(f) = m.image_message.as_option() {
        let media = file(MediaKind::Image, f.mimetype.as_ref(), f.file_length, None);
        return with(MediaKind::Image, f.caption.as_ref(), media);
    }
    if let Some(f) = m.video_message.as_option().or_else(|| m.ptv_message.as_option()) {
        let media = file(MediaKind::Video, f.mimetype.as_ref(), f.file_length, None);
        return with(MediaKind::Video, f.caption.as_ref(), media);
    }
    if let Some(f) = m.audio_message.as_option() {
        return with(
            MediaKind::Audio,
            None,
            file(MediaKind::Audio, f.mimetype.as_ref(), f.file_length, None),
        );
    }
    if let Some(f) = m.document_message.as_option() {
        let name = f.file_name.as_ref().or(f.title.as_ref());
        let media = file(MediaKind::Document, f.mimetype.as_ref(), f.file_length, name);
        return with(MediaKind::Document, f.caption.as_ref(), media);
    }
    let f = m.sticker_message.as_option()?;
    with(
        MediaKind::Sticker,
        None,
        file(MediaKind::Sticker, f.mimetype.as_ref(), f.file_length, None),
    )
}

/// Answers to buttons, lists and flows.
fn answered(m: &Message) -> Option<Content> {
    if let Some(answer) = m.buttons_response_message.as_option() {
        let shown = answer
            .response
            .as_ref()
            .map(|buttons_response_message::Response::SelectedDisplayText(t)| t);
        return Some(text(
            "buttonsResponse",
            shown.or(answer.selected_button_id.as_ref()).map(String::as_str),
        ));
    }
    if let Some(answer) = m.list_response_message.as_option() {
        return Some(text("listResponse", answer.title.as_deref()));
    }
    if let Some(answer) = m.template_button_reply_message.as_option() {
        return Some(text(
            "templateButtonReply",
            answer.selected_display_text.as_deref(),
        ));
    }
    m.interactive_response_message.as_option().map(interactive)
}

fn interactive(answer: &message::InteractiveResponseMessage) -> Content {
    const KIND: &str = "interactiveResponse";
    match &answer.interactive_response_message {
        Some(Answer::NativeFlowResponseMessage(flow)) => {
            let name = flow.name.as_deref().unwrap_or_default();
            let params = flow.params_json.as_deref().unwrap_or_default();
            (KIND, format!("{name} | {params}"), None)
        }
        None => text(
            KIND,
            answer.body.as_option().and_then(|body| body.text.as_deref()),
        ),
    }
}

/// Places, people, polls and the like.
fn shared(m: &Message) -> Option<Content> {
    if let Some(place) = m.location_message.as_option() {
        return Some(text(
            "location",
            place.name.as_deref().or(place.address.as_deref()),
        ));
    }
    if let Some(place) = m.live_location_message.as_option() {
        return Some(text("liveLocation", place.caption.as_deref()));
    }
    if let Some(card) = m.contact_message.as_option() {
        return Some(text("contact", card.display_name.as_deref()));
    }
    if let Some(cards) = m.contacts_array_message.as_option() {
        return Some(text("contact", cards.display_name.as_deref()));
    }
    let polls = [
        &m.poll_creation_message,
        &m.poll_creation_message_v2,
        &m.poll_creation_message_v3,
        &m.poll_creation_message_v5,
        &m.poll_creation_message_v6,
    ];
    if let Some(poll) = polls.into_iter().find_map(|poll| poll.as_option()) {
        return Some(text("poll", poll.name.as_deref()));
    }
    if let Some(event) = m.event_message.as_option() {
        return Some(text("event", event.name.as_deref()));
    }
    if let Some(invite) = m.group_invite_message.as_option() {
        return Some(text(
            "groupInvite",
            invite.caption.as_deref().or(invite.group_name.as_deref()),
        ));
    }
    if let Some(offer) = m.interactive_message.as_option() {
        return Some(text(
            "interactive",
            offer.body.as_option().and_then(|body| body.text.as_deref()),
        ));
    }
    if let Some(list) = m.list_message.as_option() {
        return Some(text(
            "list",
            list.description.as_deref().or(list.title.as_deref()),
        ));
    }
    if let Some(buttons) = m.buttons_message.as_option() {
        return Some(text("buttons", buttons.content_text.as_deref()));
    }
    m.album_message.is_set().then(|| plain("album"))
}

/// What is said about another message.
fn reacted(m: &Message) -> Option<Content> {
    if let Some(reaction) = m.reaction_message.as_option() {
        return Some(text("reaction", reaction.text.as_deref()));
    }
    let about = [
        (m.enc_reaction_message.is_set(), "reaction"),
        (m.poll_update_message.is_set(), "pollVote"),
        (m.pin_in_chat_message.is_set(), "pin"),
        (m.keep_in_chat_message.is_set(), "keep"),
        (m.enc_event_response_message.is_set(), "eventResponse"),
        (
            m.comment_message.is_set() || m.enc_comment_message.is_set(),
            "comment",
        ),
        (m.secret_encrypted_message.is_set(), "edited"),
    ];
    about.into_iter().find_map(|(set, kind)| set.then(|| plain(kind)))
}

#[cfg(test)]
mod tests;
