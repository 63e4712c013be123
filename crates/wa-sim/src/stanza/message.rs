//! Carries encrypted messages from one device to others; the server reads envelopes, never letters.
//!
//! Addressing (simulator facts, seen in whatsapp-rust 0.7.0): a leg to a LID comes from the sender's LID and names
//! the phone number beside it, a leg to a phone number the other way round; the two are never mixed.

use crate::clock;
use crate::stanza::{Answered, Refusal};
use crate::wire::node::{Build, attr_is, bytes_of, children, children_of, jid_attr, text_attr};
use crate::world::account::Phone;
use crate::world::address::Address;
use crate::world::group::Group;
use crate::world::link::Client;
use crate::world::state::State;
use std::collections::{BTreeMap, BTreeSet};
use wacore_binary::builder::NodeBuilder;
use wacore_binary::{Jid, JidExt as _, Node};
use wacore_libsignal::protocol::{PreKeySignalMessage, SignalMessage};

/// Children of a message that are for the server alone.
const SERVER_ONLY: [&str; 6] = [
    "participants",
    "enc",
    "tctoken",
    "cstoken",
    "reporting",
    "device-identity",
];

pub fn from_client(state: &mut State, client: &Client, me: &Address, stanza: &Node) -> Answered {
    let to = jid_attr(stanza, "to").ok_or_else(|| Refusal::bad_request("message without to"))?;
    let id = text_attr(stanza, "id").ok_or_else(|| Refusal::bad_request("message without id"))?;
    let outcome = route(state, me, stanza);
    let ack = Build::new("ack")
        .attr("class", "message")
        .attr("id", id)
        .attr("from", to)
        .attr("t", clock::now());
    client.say(match &outcome {
        Ok(()) => ack.build(),
        Err(refusal) => ack.attr("error", u64::from(refusal.code)).build(),
    });
    outcome
}

/// Delivers a message of any device, phones included.
pub fn route(state: &mut State, from: &Address, stanza: &Node) -> Answered {
    let to = jid_attr(stanza, "to").ok_or_else(|| Refusal::bad_request("message without to"))?;
    let legs = legs(state, stanza, &to)?;
    // Who has written has stopped typing.
    state.typing.retain(|typing| typing.from != from.phone);
    for leg in legs.iter().filter(|leg| leg.to != *from) {
        check_counter(state, from, leg, stanza);
    }
    if to.is_group() {
        route_group(state, from, stanza, &to, &legs)
    } else if to.is_status_broadcast() {
        route_status(state, from, stanza, &to, &legs)
    } else {
        route_direct(state, from, stanza, &to, &legs)
    }
}

/// One recipient device with what was encrypted for it.
struct Leg {
    jid: Jid,
    to: Address,
    enc: Option<Node>,
}

/// The legs under `<participants>`, or the one leg of a resend, which stands bare under the message.
fn legs(state: &State, stanza: &Node, to: &Jid) -> Result<Vec<Leg>, Refusal> {
    let mut legs = Vec::new();
    for target in children_of(stanza, "participants") {
        let jid = jid_attr(target, "jid").ok_or_else(|| Refusal::bad_request("participant without jid"))?;
        let Some(address) = state.address_of(&jid) else {
            continue;
        };
        legs.push(Leg {
            jid,
            to: address,
            enc: target.get_optional_child("enc").cloned(),
        });
    }
    if stanza.get_optional_child("participants").is_some() {
        return Ok(legs);
    }
    let jid = jid_attr(stanza, "participant").unwrap_or_else(|| to.clone());
    let bare = stanza
        .get_optional_child("enc")
        .filter(|enc| !attr_is(enc, "type", "skmsg"));
    if let (Some(address), Some(enc)) = (state.address_of(&jid), bare) {
        legs.push(Leg {
            jid,
            to: address,
            enc: Some(enc.clone()),
        });
    }
    Ok(legs)
}

/// A ratchet key and counter name one message key; using it twice gives the text away.
fn check_counter(state: &mut State, from: &Address, leg: &Leg, stanza: &Node) {
    let Some(enc) = &leg.enc else { return };
    let bytes = bytes_of(enc);
    let message = match text_attr(enc, "type").as_deref() {
        Some("msg") => SignalMessage::try_from(bytes.as_slice()).ok(),
        Some("pkmsg") => PreKeySignalMessage::try_from(bytes.as_slice())
            .ok()
            .map(|sealed| sealed.message().clone()),
        _ => None,
    };
    let who = from.pn_jid().to_string();
    let Some(message) = message else {
        state.violation(
            &who,
            stanza,
            format!("unreadable Signal envelope for {}", leg.jid),
        );
        return;
    };
    let mut key = [0; 32];
    key.copy_from_slice(message.sender_ratchet_key().public_key_bytes());
    if !state.spend_counter(&leg.to, key, message.counter()) {
        state.violation(
            &who,
            stanza,
            format!("reused Signal counter {} for {}", message.counter(), leg.jid),
        );
    }
}

fn route_direct(state: &mut State, from: &Address, stanza: &Node, to: &Jid, legs: &[Leg]) -> Answered {
    let peer = state
        .account_of(to)
        .map(|phone| phone.number.clone())
        .ok_or_else(Refusal::not_found)?;
    if legs.iter().all(|leg| leg.enc.is_none()) {
        return Err(Refusal::bad_request("message encrypted for nobody"));
    }
    if legs
        .iter()
        .any(|leg| leg.to.phone == peer && leg.jid.is_lid() != to.is_lid())
    {
        return Err(Refusal::bad_request("message and leg are addressed differently"));
    }
    check_token(state, from, &peer, stanza);
    state.introduce(&from.phone, &peer);
    for leg in legs {
        if leg.to.phone != from.phone && is_blocked(state, &leg.to.phone, &from.phone) {
            continue;
        }
        let Some(enc) = &leg.enc else { continue };
        let Ok(sender) = state.phone(&from.phone) else {
            continue;
        };
        let envelope = direct_envelope(sender, state.phone(&peer).ok(), from, stanza, to, leg);
        let mut content = vec![enc.clone()];
        content.extend(carried(stanza));
        let message = envelope.children(content).build();
        state.deliver(&leg.to, message);
    }
    Ok(())
}

/// The recipient's token, if the sender shows one, must be the one that the recipient made for it.
fn check_token(state: &State, from: &Address, peer: &str, stanza: &Node) {
    let Some(shown) = stanza.get_optional_child("tctoken").map(bytes_of) else {
        return;
    };
    let made = state
        .phones
        .get(peer)
        .and_then(|phone| phone.token_of(&from.phone));
    if made != Some(shown.as_slice()) {
        state.violation(
            &from.pn_jid().to_string(),
            stanza,
            "a token that the recipient did not make",
        );
    }
}

fn is_blocked(state: &State, by: &str, whom: &str) -> bool {
    state
        .phones
        .get(by)
        .is_some_and(|phone| phone.blocked.contains(whom))
}

fn direct_envelope(
    sender: &Phone,
    peer: Option<&Phone>,
    from: &Address,
    stanza: &Node,
    to: &Jid,
    leg: &Leg,
) -> NodeBuilder {
    let mut envelope = envelope(sender, stanza).attr("from", sender.device_jid(from.device, &leg.jid));

    if leg.to.phone == from.phone {
        // For one's own devices `from` is oneself, so the chat is named apart; peer messages have no chat.
        if !attr_is(stanza, "category", "peer") {
            let chat = jid_attr(stanza, "recipient").unwrap_or_else(|| to.to_non_ad());
            // A chat that is named by LID comes with the number (seen in whatsapp-rust 0.7.0).
            if chat.is_lid()
                && let Some(peer) = peer
            {
                envelope = envelope.attr("peer_recipient_pn", peer.pn_jid());
            }
            envelope = envelope.attr("recipient", chat);
        }
    } else if leg.jid.is_lid() {
        envelope = envelope.attr("sender_pn", sender.pn_jid());
    } else {
        envelope = envelope.attr("sender_lid", sender.lid_jid());
    }
    envelope
}

fn envelope(sender: &Phone, stanza: &Node) -> NodeBuilder {
    let mut envelope = Build::new("message")
        .attr("id", text_attr(stanza, "id").unwrap_or_default())
        .attr("t", clock::now())
        .attr(
            "type",
            text_attr(stanza, "type").unwrap_or_else(|| "text".to_owned()),
        )
        .attr("notify", sender.name.as_str());
    for key in ["edit", "category", "push_priority"] {
        if let Some(value) = text_attr(stanza, key) {
            envelope = envelope.attr(key, value);
        }
    }
    envelope
}

/// What travels along with the encrypted part.
fn carried(stanza: &Node) -> Vec<Node> {
    let identity = stanza.get_optional_child("device-identity").cloned();
    let others = children(stanza)
        .iter()
        .filter(|child| !SERVER_ONLY.contains(&child.tag.as_ref()))
        .cloned();
    others.chain(identity).collect()
}

fn route_group(state: &mut State, from: &Address, stanza: &Node, to: &Jid, legs: &[Leg]) -> Answered {
    let group = state.group_of(to).ok_or_else(Refusal::not_found)?;
    may_write(group, &from.phone)?;
    let sealed = stanza
        .get_optional_child("enc")
        .filter(|enc| attr_is(enc, "type", "skmsg"))
        .cloned();
    let only = jid_attr(stanza, "participant").and_then(|jid| state.address_of(&jid));
    let members: Vec<String> = group.members.keys().cloned().collect();
    let recipients = members
        .iter()
        .filter_map(|number| state.phones.get(number))
        .flat_map(Phone::addresses);
    let recipients: Vec<Address> = recipients
        .filter(|address| address != from && only.as_ref().is_none_or(|only| only == address))
        .collect();
    for member in &members {
        state.introduce(&from.phone, member);
    }
    fan_out(state, from, stanza, to, &recipients, legs, sealed.as_ref())
}

fn may_write(group: &Group, phone: &str) -> Answered {
    if !group.members.contains_key(phone) || (group.settings.announcement && !group.is_admin(phone)) {
        return Err(Refusal::forbidden());
    }
    Ok(())
}

/// A status goes to all devices of the accounts that are named, with or without a sender key for them.
fn route_status(state: &mut State, from: &Address, stanza: &Node, to: &Jid, legs: &[Leg]) -> Answered {
    let sealed = stanza
        .get_optional_child("enc")
        .filter(|enc| attr_is(enc, "type", "skmsg"))
        .cloned();
    let mut named: BTreeSet<&str> = legs.iter().map(|leg| leg.to.phone.as_str()).collect();
    named.insert(&from.phone);
    let devices = named
        .into_iter()
        .filter_map(|number| state.phones.get(number))
        .flat_map(Phone::addresses);
    let recipients: Vec<Address> = devices.filter(|address| address != from).collect();
    fan_out(state, from, stanza, to, &recipients, legs, sealed.as_ref())
}

/// To each recipient its own leg first (it may bring the sender key), then the message sealed for all.
fn fan_out(
    state: &mut State,
    from: &Address,
    stanza: &Node,
    to: &Jid,
    recipients: &[Address],
    legs: &[Leg],
    sealed: Option<&Node>,
) -> Answered {
    let sender = state.phone(&from.phone).map_err(|_| Refusal::not_found())?;
    let by_pn = attr_is(stanza, "addressing_mode", "pn");
    let name_space = if by_pn { sender.pn_jid() } else { sender.lid_jid() };
    let mut envelope = envelope(sender, stanza)
        .attr("from", to)
        .attr("participant", sender.device_jid(from.device, &name_space));
    envelope = if by_pn {
        envelope.attr("participant_lid", sender.lid_jid())
    } else {
        envelope.attr("participant_pn", sender.pn_jid())
    };
    if to.is_group() {
        envelope = envelope.attr("addressing_mode", if by_pn { "pn" } else { "lid" });
    }
    let blank = envelope.build();
    let own_legs: BTreeMap<&Address, &Node> = legs
        .iter()
        .filter_map(|leg| Some((&leg.to, leg.enc.as_ref()?)))
        .collect();
    for recipient in recipients {
        let mut content: Vec<Node> = own_legs
            .get(recipient)
            .into_iter()
            .copied()
            .chain(sealed)
            .cloned()
            .collect();
        if content.is_empty() {
            continue;
        }
        content.extend(carried(stanza));
        let mut message = blank.clone();
        message.content = Some(wacore_binary::NodeContent::Nodes(content));
        state.deliver(recipient, message);
    }
    Ok(())
}
