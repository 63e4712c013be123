//! A phone receives: opens what was encrypted for it, files it, confirms it, and does what its script says.

use crate::clock;
use crate::phone::content::{self, Change, Message};
use crate::phone::retry;
use crate::phone::send::{self, Chat, Draft};
use crate::stanza::receipt;
use crate::wire::node::{Build, attr_is, bytes_of, children, children_of, jid_attr, number_attr, text_attr};
use crate::world::address::Address;
use crate::world::state::State;
use crate::world::view::{MessageView, Script, TypingState, TypingView};
use wacore::messages::{decode_plaintext, unwrap_device_sent};
use wacore_binary::{Jid, JidExt as _, Node};
use waproto::whatsapp as wa;

/// Padding version of `enc` nodes with `v="2"`.
const PADDING: u8 = 2;

pub fn receive(state: &mut State, number: &str, stanza: &Node) {
    match stanza.tag.as_ref() {
        "message" => on_message(state, number, stanza),
        "receipt" if attr_is(stanza, "type", "retry") => retry::answer(state, number, stanza),
        "receipt" => on_receipt(state, number, stanza),
        "chatstate" => on_chatstate(state, number, stanza),
        _ => {}
    }
}

/// Who wrote a message, and where.
struct Envelope {
    id: String,
    /// The author's device as named by the stanza.
    author: Jid,
    sender: Address,
    /// `from` of the stanza: the author again, or the group.
    from: Jid,
}

impl Envelope {
    fn read(state: &State, stanza: &Node) -> Option<Self> {
        let from = jid_attr(stanza, "from")?;
        let author = jid_attr(stanza, "participant").unwrap_or_else(|| from.clone());
        Some(Self {
            id: text_attr(stanza, "id")?,
            sender: state.address_of(&author)?,
            author,
            from,
        })
    }

    fn in_group(&self) -> bool {
        self.from.is_group() || self.from.is_status_broadcast()
    }
}

fn on_message(state: &mut State, number: &str, stanza: &Node) {
    let Some(envelope) = Envelope::read(state, stanza) else {
        return;
    };
    let mut content = None;
    for enc in children(stanza).iter().filter(|child| child.tag == "enc") {
        match open(state, number, &envelope, enc) {
            Ok(message) => content = take_in(state, number, &envelope, message).or(content),
            Err(error) => {
                let who = envelope.sender.pn_jid().to_string();
                state.violation(&who, stanza, format!("{number} cannot read it: {error:#}"));
                retry::ask(state, number, &envelope.id, &envelope.from, &envelope.author);
                return;
            }
        }
    }
    check_identity(state, &envelope, stanza);
    if let Some(message) = content {
        file(state, number, &envelope, stanza, &message);
    }
}

fn open(state: &mut State, number: &str, envelope: &Envelope, enc: &Node) -> anyhow::Result<wa::Message> {
    let kind = text_attr(enc, "type").unwrap_or_default();
    let bytes = bytes_of(enc);
    let signal = &mut state.phone_mut(number)?.signal;
    let padded = if kind == "skmsg" {
        signal.open_group(&envelope.sender, &envelope.from.to_string(), &bytes)?
    } else {
        signal.open(&envelope.sender, &kind, &bytes)?
    };
    decode_plaintext(&padded, PADDING)
}

/// A companion that starts a session must prove that it belongs to its account.
fn check_identity(state: &State, envelope: &Envelope, stanza: &Node) {
    let starts = children(stanza)
        .iter()
        .any(|child| child.tag == "enc" && attr_is(child, "type", "pkmsg"));
    if !starts || envelope.sender.is_primary() {
        return;
    }
    let shown = stanza.get_optional_child("device-identity").map(bytes_of);
    let stored = state
        .phones
        .get(&envelope.sender.phone)
        .and_then(|phone| phone.devices.get(&envelope.sender.device))
        .map(|device| &device.identity);
    let who = envelope.sender.pn_jid().to_string();
    match (shown, stored) {
        (None, _) => state.violation(&who, stanza, "pkmsg without device-identity"),
        (Some(shown), Some(stored)) if !same_device(&shown, stored) => {
            state.violation(&who, stanza, "device-identity is not the one signed at pairing");
        }
        _ => {}
    }
}

fn same_device(shown: &[u8], stored: &[u8]) -> bool {
    use buffa::Message as _;
    let details = |bytes: &[u8]| {
        wa::ADVSignedDeviceIdentity::decode_from_slice(bytes)
            .ok()
            .and_then(|id| id.details)
    };
    details(shown).is_some() && details(shown) == details(stored)
}

/// Handles what is not for the eye; returns the rest.
fn take_in(
    state: &mut State,
    number: &str,
    envelope: &Envelope,
    message: wa::Message,
) -> Option<wa::Message> {
    let mut hidden = false;
    if let Some(key) = message.sender_key_distribution_message.as_option() {
        hidden = true;
        let group = key.group_id.clone().unwrap_or_else(|| envelope.from.to_string());
        let bytes = key
            .axolotl_sender_key_distribution_message
            .clone()
            .unwrap_or_default();
        let learned = state
            .phone_mut(number)
            .map_err(anyhow::Error::from)
            .and_then(|phone| phone.signal.learn_sender_key(&envelope.sender, &group, &bytes));
        if let Err(error) = learned {
            tracing::warn!(number, error = format!("{error:#}"), "bad sender key");
        }
    }
    let message = unwrap_device_sent(message);
    if let Some(protocol) = message.protocol_message.as_option() {
        hidden |= content::change(&message).is_none();
        if protocol.app_state_sync_key_request.is_set()
            && envelope.sender.phone == number
            && let Err(error) = send::send_app_state_key(state, &envelope.sender)
        {
            tracing::warn!(number, error = format!("{error:#}"), "key request not answered");
        }
    }
    (!hidden || content::read(&message).kind != "other").then_some(message)
}

fn file(state: &mut State, number: &str, envelope: &Envelope, stanza: &Node, message: &wa::Message) {
    let from_me = envelope.sender.phone == number;
    let known = state.phones.get(number).is_some_and(|phone| {
        phone
            .messages
            .iter()
            .any(|message| message.view.id == envelope.id)
    });
    let script = script_of(state, number);
    if !from_me && script != Script::Silent {
        confirm(state, number, envelope, None);
    }
    if known {
        return;
    }
    if let Some(change) = content::change(message) {
        apply(state, number, &change);
        return;
    }
    let Some(chat) = chat_of(state, number, envelope, stanza) else {
        return;
    };
    let view = view(state, envelope, stanza, message, chat.clone(), from_me);
    let text = view.text.clone().filter(|_| view.kind == "text");
    let author = envelope.author.to_string();
    if let Ok(phone) = state.phone_mut(number) {
        // Who has written has stopped typing.
        phone.hide_typing(&view.chat, &view.sender);
        phone.messages.push(Message {
            view,
            author,
            sent: Vec::new(),
        });
    }
    if !from_me {
        follow_script(state, number, envelope, &chat, text);
    }
}

fn on_chatstate(state: &mut State, number: &str, stanza: &Node) {
    let Some(from) = jid_attr(stanza, "from") else {
        return;
    };
    let author = jid_attr(stanza, "participant").unwrap_or_else(|| from.clone());
    let Some(sender) = state.account_of(&author).map(|phone| phone.number.clone()) else {
        return;
    };
    let chat = if from.is_group() {
        from.to_string()
    } else {
        Chat::Person(sender.clone()).shown()
    };
    let sender = Jid::pn(sender).to_string();
    let lasts = state.settings.chatstate_ttl;
    let does = match children(stanza).first() {
        Some(child) if child.tag == "composing" && attr_is(child, "media", "audio") => TypingState::Recording,
        Some(child) if child.tag == "composing" => TypingState::Composing,
        _ => TypingState::Paused,
    };
    let Ok(phone) = state.phone_mut(number) else {
        return;
    };
    match does {
        TypingState::Paused => phone.hide_typing(&chat, &sender),
        does => phone.show_typing(
            TypingView {
                chat,
                sender,
                state: does,
            },
            lasts,
        ),
    }
}

fn script_of(state: &State, number: &str) -> Script {
    state
        .phones
        .get(number)
        .map(|phone| phone.script)
        .unwrap_or_default()
}

fn chat_of(state: &State, number: &str, envelope: &Envelope, stanza: &Node) -> Option<String> {
    if envelope.in_group() {
        return Some(envelope.from.to_string());
    }
    let with = if envelope.sender.phone == number {
        let recipient = jid_attr(stanza, "recipient").unwrap_or_else(|| envelope.from.clone());
        state.account_of(&recipient)?.number.clone()
    } else {
        envelope.sender.phone.clone()
    };
    Some(Chat::Person(with).shown())
}

fn view(
    state: &State,
    envelope: &Envelope,
    stanza: &Node,
    message: &wa::Message,
    chat: String,
    from_me: bool,
) -> MessageView {
    let shown = content::read(message);
    let media = shown.file.as_ref().and_then(|file| {
        let opened = state
            .media
            .get(&file.direct_path)
            .ok_or_else(|| anyhow::anyhow!("no such upload"));
        match opened.and_then(|ciphertext| file.open(&ciphertext)) {
            Ok((_, view)) => Some(view),
            Err(error) => {
                let who = envelope.sender.pn_jid().to_string();
                state.violation(&who, stanza, format!("file at {}: {error:#}", file.direct_path));
                None
            }
        }
    });
    MessageView {
        id: envelope.id.clone(),
        chat,
        sender: Jid::pn(envelope.sender.phone.as_str()).to_string(),
        from_me,
        timestamp: number_attr(stanza, "t").unwrap_or_else(clock::now),
        kind: shown.kind.to_owned(),
        text: shown.text,
        media,
        status: if from_me { "sent" } else { "delivered" }.to_owned(),
        target: shown.target,
        edited: false,
    }
}

fn apply(state: &mut State, number: &str, change: &Change) {
    let Ok(phone) = state.phone_mut(number) else {
        return;
    };
    let (Change::Revoke { id } | Change::Edit { id, .. }) = change;
    let Some(message) = phone
        .messages
        .iter_mut()
        .rev()
        .find(|message| message.view.id == *id)
    else {
        return;
    };
    match change {
        Change::Revoke { .. } => {
            "revoke".clone_into(&mut message.view.kind);
            message.view.text = None;
            message.view.media = None;
        }
        Change::Edit { text, .. } => {
            message.view.text.clone_from(text);
            message.view.edited = true;
        }
    }
}

/// Sends a receipt for a message: delivered, or of the kind given.
fn confirm(state: &mut State, number: &str, envelope: &Envelope, kind: Option<&'static str>) {
    let receipt = receipt_for(&envelope.id, &envelope.from, &envelope.author, kind);
    if let Err(refusal) = receipt::route(state, &Address::primary(number), &receipt) {
        tracing::debug!(number, code = refusal.code, "receipt went nowhere");
    }
}

pub fn receipt_for(id: &str, from: &Jid, author: &Jid, kind: Option<&'static str>) -> Node {
    let mut receipt = Build::new("receipt").attr("to", from).attr("id", id).build();
    if from != author {
        receipt.attrs.insert("participant", author);
    }
    if let Some(kind) = kind {
        receipt.attrs.insert("type", kind);
    }
    receipt
}

fn follow_script(state: &mut State, number: &str, envelope: &Envelope, chat: &str, text: Option<String>) {
    let script = script_of(state, number);
    if matches!(script, Script::None | Script::Silent) || envelope.from.is_status_broadcast() {
        return;
    }
    confirm(state, number, envelope, Some("read"));
    // Two echoing phones would never stop.
    let from_echo = envelope.sender.is_primary()
        && state
            .phones
            .get(&envelope.sender.phone)
            .is_some_and(|phone| phone.script == Script::Echo);
    let (Script::Echo, Some(text), false) = (script, text, from_echo) else {
        return;
    };
    let sent =
        Chat::parse(state, chat).and_then(|chat| send::send(state, number, &chat, &Draft::text(&text)));
    if let Err(error) = sent {
        tracing::warn!(number, %error, "echo not sent");
    }
}

/// Receipts move one's own messages forward: sent, delivered, read, played.
fn on_receipt(state: &mut State, number: &str, stanza: &Node) {
    let reader = jid_attr(stanza, "participant").or_else(|| jid_attr(stanza, "from"));
    let by_me = reader
        .and_then(|jid| state.address_of(&jid))
        .is_none_or(|address| address.phone == number);
    let status = match text_attr(stanza, "type").as_deref() {
        None => "delivered",
        Some("read") => "read",
        Some("played") => "played",
        _ => return,
    };
    let ids: Vec<String> = text_attr(stanza, "id")
        .into_iter()
        .chain(
            children_of(stanza, "list")
                .iter()
                .filter_map(|item| text_attr(item, "id")),
        )
        .collect();
    let Ok(phone) = state.phone_mut(number) else {
        return;
    };
    let own = phone
        .messages
        .iter_mut()
        .filter(|message| message.view.from_me && !by_me);
    for message in own.filter(|message| ids.contains(&message.view.id)) {
        if rank(status) > rank(&message.view.status) {
            status.clone_into(&mut message.view.status);
        }
    }
}

fn rank(status: &str) -> usize {
    ["sent", "delivered", "read", "played"]
        .iter()
        .position(|known| *known == status)
        .unwrap_or(0)
}
