//! "Is typing": for those who are there, or come within a few seconds.

use crate::stanza::{Answered, Refusal};
use crate::wire::node::{children, jid_attr, without_attrs};
use crate::world::account::Phone;
use crate::world::address::Address;
use crate::world::state::{State, Typing};
use std::time::Instant;
use wacore_binary::{JidExt as _, Node};

/// Delivers a typing state of any device, phones included.
pub fn route(state: &mut State, from: &Address, chatstate: &Node) -> Answered {
    let to = jid_attr(chatstate, "to").ok_or_else(|| Refusal::bad_request("chatstate without to"))?;
    let kind = children(chatstate)
        .first()
        .map(|child| child.tag.to_string())
        .unwrap_or_default();
    if !matches!(kind.as_str(), "composing" | "paused") {
        return Err(Refusal::bad_request(format!("unknown chatstate <{kind}>")));
    }
    let sender = state.phone(&from.phone).map_err(|_| Refusal::not_found())?;
    let mut stanza = without_attrs(chatstate.clone(), &["to", "from"]);
    let members: Vec<String> = if to.is_group() {
        stanza.attrs.insert("from", &to);
        stanza.attrs.insert("participant", sender.lid_jid());
        let group = state.group_of(&to).ok_or_else(Refusal::not_found)?;
        group
            .members
            .keys()
            .filter(|number| **number != from.phone)
            .cloned()
            .collect()
    } else {
        stanza.attrs.insert("from", sender.device_jid(0, &to));
        vec![
            state
                .account_of(&to)
                .ok_or_else(Refusal::not_found)?
                .number
                .clone(),
        ]
    };
    let told: Vec<Address> = members
        .iter()
        .filter_map(|number| state.phones.get(number))
        .flat_map(Phone::addresses)
        .collect();
    for address in told {
        hand_over(state, from, address, &stanza, &kind);
    }
    Ok(())
}

/// Nobody acknowledges a typing state, so one that was written to a dying socket is lost without a trace. While it
/// lasts, therefore, it is told again to a device that comes back.
fn hand_over(state: &mut State, from: &Address, to: Address, stanza: &Node, kind: &str) {
    let now = Instant::now();
    state.typing.retain(|typing| {
        let same = typing.to == to && typing.stanza.attrs == stanza.attrs;
        typing.until > now && !same
    });
    state.deliver(&to, stanza.clone());
    // A phone keeps what it is told itself.
    if kind == "composing" && !to.is_primary() {
        state.typing.push(Typing {
            from: from.phone.clone(),
            to,
            until: now + state.settings.chatstate_ttl,
            stanza: stanza.clone(),
        });
    }
}
