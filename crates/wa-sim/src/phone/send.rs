//! A phone writes: encrypts for every device concerned and hands the stanza to the same router that clients use.

use crate::clock;
use crate::phone::content::{self, Message};
use crate::phone::signal::Sealed;
use crate::stanza::{message, prekeys};
use crate::wire::node::Build;
use crate::world::account::Phone;
use crate::world::address::{Address, digits};
use crate::world::state::State;
use crate::world::view::{MessageView, SimError};
use buffa::{Message as _, MessageField};
use std::collections::BTreeSet;
use wacore::messages::{MessageUtils, wrap_device_sent};
use wacore_binary::{Jid, JidExt as _, Node};
use waproto::whatsapp as wa;

/// Where a message goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Chat {
    /// By phone number.
    Person(String),
    /// By the user part of the JID.
    Group(String),
}

impl Chat {
    /// Reads a phone number, a user's JID of either kind, or a group's JID.
    pub fn parse(state: &State, to: &str) -> Result<Self, SimError> {
        if let Ok(jid) = to.parse::<Jid>() {
            if jid.is_group() {
                let group = state.group_of(&jid).ok_or(SimError::NotFound {
                    what: "group",
                    id: to.to_owned(),
                })?;
                return Ok(Self::Group(group.id.clone()));
            }
            if let Some(phone) = state.account_of(&jid) {
                return Ok(Self::Person(phone.number.clone()));
            }
        }
        state
            .phone(&digits(to))
            .map(|phone| Self::Person(phone.number.clone()))
    }

    /// As people and the control API name the chat.
    pub fn shown(&self) -> String {
        match self {
            Self::Person(number) => Jid::pn(number.as_str()).to_string(),
            Self::Group(id) => Jid::group(id.as_str()).to_string(),
        }
    }
}

/// A message and the words that its stanza needs about it.
#[derive(Debug, Clone)]
pub struct Draft {
    pub message: wa::Message,
    /// `type` of the stanza: `text`, `media`, `reaction`.
    pub kind: &'static str,
    /// `mediatype` of each `enc`.
    pub media_type: Option<&'static str>,
    pub view: Option<crate::world::view::MediaView>,
}

impl Draft {
    pub fn text(text: &str) -> Self {
        let message = wa::Message {
            conversation: Some(text.to_owned()),
            ..Default::default()
        };
        Self {
            message,
            kind: "text",
            media_type: None,
            view: None,
        }
    }
}

/// Sends a draft and files it among the phone's messages.
pub fn send(state: &mut State, number: &str, chat: &Chat, draft: &Draft) -> Result<String, SimError> {
    let id = State::new_message_id();
    let phone = state.phone(number)?;
    if !phone.online {
        return Err(SimError::Conflict(format!("{number} is offline")));
    }
    let shown = content::read(&draft.message);
    let view = MessageView {
        id: id.clone(),
        chat: chat.shown(),
        sender: phone.pn_jid().to_string(),
        from_me: true,
        timestamp: clock::now(),
        kind: shown.kind.to_owned(),
        text: shown.text,
        media: draft.view.clone(),
        status: "sent".to_owned(),
        target: shown.target,
        edited: false,
    };
    let author = phone.lid_jid().to_string();
    let sent = draft.message.encode_to_vec();
    // Filed before it goes out: an answer may come within the same step.
    state
        .phone_mut(number)?
        .messages
        .push(Message { view, author, sent });
    let stanza = match chat {
        Chat::Person(peer) => direct(state, number, peer, &id, draft)?,
        Chat::Group(group) => to_group(state, number, group, &id, draft)?,
    };
    let own = Address::primary(number);
    message::route(state, &own, &stanza).map_err(|refusal| {
        SimError::Conflict(format!("the server refused: {} {}", refusal.code, refusal.text))
    })?;
    Ok(id)
}

fn direct(state: &mut State, number: &str, peer: &str, id: &str, draft: &Draft) -> Result<Node, SimError> {
    let chat = state.phone(peer)?.lid_jid();
    let plain = MessageUtils::encode_and_pad(&draft.message);
    let for_own = MessageUtils::encode_and_pad(&wrap_device_sent(draft.message.clone(), chat.to_string()));
    let own = Address::primary(number);
    let mut targets: BTreeSet<Address> = state.phone(peer)?.addresses().into_iter().collect();
    targets.extend(state.phone(number)?.companions());
    targets.remove(&own);
    let mut legs = Vec::new();
    for target in targets {
        let plain = if target.phone == number { &for_own } else { &plain };
        legs.extend(leg(state, number, &target, plain, draft.media_type));
    }
    if legs.is_empty() {
        return Err(SimError::Conflict("there is no device to write to".to_owned()));
    }
    Ok(Build::new("message")
        .attr("to", chat)
        .attr("id", id)
        .attr("type", draft.kind)
        .children([Build::new("participants").children(legs).build()])
        .build())
}

/// `<to>` with the message for one device; `None` when it cannot be encrypted for.
fn leg(
    state: &mut State,
    number: &str,
    target: &Address,
    plain: &[u8],
    media: Option<&'static str>,
) -> Option<Node> {
    let jid = lid_of(state, target)?;
    match seal_for(state, number, target, plain) {
        Ok(sealed) => Some(
            Build::new("to")
                .attr("jid", jid)
                .children([enc(sealed, media)])
                .build(),
        ),
        Err(error) => {
            tracing::warn!(number, device = %jid, error = format!("{error:#}"), "phone cannot encrypt");
            None
        }
    }
}

fn lid_of(state: &State, target: &Address) -> Option<Jid> {
    let phone = state.phones.get(&target.phone)?;
    Some(phone.device_jid(target.device, &phone.lid_jid()))
}

pub fn enc(sealed: Sealed, media: Option<&'static str>) -> Node {
    let mut node = Build::new("enc")
        .attr("v", "2")
        .attr("type", sealed.kind)
        .bytes(sealed.bytes)
        .build();
    if let Some(media) = media {
        node.attrs.insert("mediatype", media);
    }
    node
}

/// Encrypts for one device, starting a session when there is none.
pub fn seal_for(state: &mut State, number: &str, target: &Address, plain: &[u8]) -> anyhow::Result<Sealed> {
    if !state.phone(number)?.signal.has_session(target) {
        let bundle = prekeys::take_bundle(state, target);
        let (keys, one_time, _) = bundle.ok_or_else(|| anyhow::anyhow!("no prekeys"))?;
        state
            .phone_mut(number)?
            .signal
            .start_session(target, &keys, one_time)?;
    }
    state.phone_mut(number)?.signal.seal(target, plain)
}

fn to_group(
    state: &mut State,
    number: &str,
    id: &str,
    message_id: &str,
    draft: &Draft,
) -> Result<Node, SimError> {
    let group = state.groups.get(id).ok_or(SimError::NotFound {
        what: "group",
        id: id.to_owned(),
    })?;
    if !group.members.contains_key(number) {
        return Err(SimError::Conflict(format!("{number} is not in the group")));
    }
    let (jid, members) = (group.jid(), group.members.keys().cloned().collect::<Vec<_>>());
    let own = Address::primary(number);
    let devices = members
        .iter()
        .filter_map(|member| state.phones.get(member))
        .flat_map(Phone::addresses);
    let devices: Vec<Address> = devices.filter(|address| *address != own).collect();
    let invalid = |error: anyhow::Error| SimError::Invalid(format!("{error:#}"));
    let name = jid.to_string();
    let distribution = distribution(state, number, &name).map_err(invalid)?;
    let plain = MessageUtils::encode_and_pad(&distribution);
    let known = state
        .phone(number)?
        .shared_sender_keys
        .get(&name)
        .cloned()
        .unwrap_or_default();
    let mut legs = Vec::new();
    for device in devices.iter().filter(|device| !known.contains(device)) {
        legs.extend(leg(state, number, device, &plain, None));
    }
    let phone = state.phone_mut(number)?;
    phone
        .shared_sender_keys
        .insert(name.clone(), devices.into_iter().collect());
    let plain = MessageUtils::encode_and_pad(&draft.message);
    let sealed = phone.signal.seal_group(&own, &name, &plain).map_err(invalid)?;
    let mut content = Vec::new();
    if !legs.is_empty() {
        content.push(Build::new("participants").children(legs).build());
    }
    content.push(enc(sealed, draft.media_type));
    Ok(Build::new("message")
        .attr("to", jid)
        .attr("id", message_id)
        .attr("type", draft.kind)
        .attr("addressing_mode", "lid")
        .children(content)
        .build())
}

/// The message that brings the phone's sender key.
pub fn distribution(state: &mut State, number: &str, group: &str) -> anyhow::Result<wa::Message> {
    let own = Address::primary(number);
    let bytes = state.phone_mut(number)?.signal.distribution(&own, group)?;
    Ok(wa::Message {
        sender_key_distribution_message: MessageField::some(wa::message::SenderKeyDistributionMessage {
            group_id: Some(group.to_owned()),
            axolotl_sender_key_distribution_message: Some(bytes),
        }),
        ..Default::default()
    })
}

/// Gives a companion the app-state key, once; it cannot read the account's collections without.
pub fn share_app_state_key(state: &mut State, device: &Address) {
    let shared = state
        .device_mut(device)
        .map(|device| std::mem::replace(&mut device.key_shared, true));
    if shared == Some(false)
        && let Err(error) = send_app_state_key(state, device)
    {
        tracing::warn!(device = %device.pn_jid(), error = format!("{error:#}"), "app-state key not shared");
        if let Some(device) = state.device_mut(device) {
            device.key_shared = false;
        }
    }
}

/// The peer message with the key, its id and its fingerprint; clients drop a key that lacks one of them.
pub fn send_app_state_key(state: &mut State, device: &Address) -> anyhow::Result<()> {
    let phone = state.phone(&device.phone)?;
    let key_index = phone
        .devices
        .get(&device.device)
        .map_or(0, |device| device.key_index);
    let key = wa::message::AppStateSyncKey {
        key_id: MessageField::some(wa::message::AppStateSyncKeyId {
            key_id: Some(phone.collections.key_id.clone()),
        }),
        key_data: MessageField::some(wa::message::AppStateSyncKeyData {
            key_data: Some(phone.collections.key_data()),
            timestamp: Some(i64::try_from(clock::now_ms())?),
            fingerprint: MessageField::some(wa::message::AppStateSyncKeyFingerprint {
                raw_id: Some(phone.raw_id),
                current_index: Some(key_index),
                device_indexes: vec![0, key_index],
            }),
        }),
    };
    let message = wa::Message {
        protocol_message: MessageField::some(wa::message::ProtocolMessage {
            r#type: Some(wa::message::protocol_message::Type::APP_STATE_SYNC_KEY_SHARE),
            app_state_sync_key_share: MessageField::some(wa::message::AppStateSyncKeyShare {
                keys: vec![key],
            }),
            ..Default::default()
        }),
        ..Default::default()
    };
    let sealed = seal_for(
        state,
        &device.phone,
        device,
        &MessageUtils::encode_and_pad(&message),
    )?;
    let to = lid_of(state, device).ok_or_else(|| anyhow::anyhow!("no such device"))?;
    let stanza = Build::new("message")
        .attr("to", to)
        .attr("id", State::new_message_id())
        .attr("type", "text")
        .attr("category", "peer")
        .children([enc(sealed, None)])
        .build();
    let own = Address::primary(&device.phone);
    message::route(state, &own, &stanza).map_err(|refusal| anyhow::anyhow!("refused: {}", refusal.code))
}
