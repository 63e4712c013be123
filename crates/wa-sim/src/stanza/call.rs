//! Call signalling: enough to ring, reject, accept and hang up.

use crate::clock;
use crate::stanza::{Answered, Refusal};
use crate::wire::node::{Build, children, jid_attr, text_attr, without_attrs};
use crate::world::address::Address;
use crate::world::link::Client;
use crate::world::state::State;
use crate::world::view::{CallState, CallView};
use wacore_binary::Node;

pub fn from_client(state: &mut State, client: &Client, me: &Address, call: &Node) -> Answered {
    let to = jid_attr(call, "to").ok_or_else(|| Refusal::bad_request("call without to"))?;
    let ack = Build::new("ack")
        .attr("class", "call")
        .attr("id", text_attr(call, "id").unwrap_or_default())
        .attr("from", to)
        .attr("t", clock::now());
    let action = children(call)
        .first()
        .ok_or_else(|| Refusal::bad_request("empty call"))?;
    client.say(ack.attr("type", action.tag.as_ref()).build());
    route(state, me, call)
}

/// Delivers call signalling of any device, phones included.
pub fn route(state: &mut State, from: &Address, call: &Node) -> Answered {
    let to = jid_attr(call, "to").ok_or_else(|| Refusal::bad_request("call without to"))?;
    let action = children(call)
        .first()
        .ok_or_else(|| Refusal::bad_request("empty call"))?;
    let call_id = text_attr(action, "call-id").ok_or_else(|| Refusal::bad_request("call without call-id"))?;
    let callee = state
        .account_of(&to)
        .ok_or_else(Refusal::not_found)?
        .number
        .clone();
    let outcome = match action.tag.as_ref() {
        "offer" => CallState::Ringing,
        "reject" => CallState::Rejected,
        "accept" => CallState::Accepted,
        "terminate" => CallState::Ended,
        "preaccept" | "transport" | "relaylatency" | "mute_v2" | "enc_rekey" | "offer_notice" => {
            CallState::Ringing
        }
        tag => return Err(Refusal::bad_request(format!("unknown call action <{tag}>"))),
    };
    if action.tag == "offer" {
        begin(state, from, &callee, &call_id);
    } else if outcome != CallState::Ringing {
        note(state, &call_id, outcome);
    }
    let forwarded = forwarded(state, from, call, &to)?;
    let phone = state.phone(&callee).map_err(|_| Refusal::not_found())?;
    let targets = if to.device == 0 {
        phone.addresses()
    } else {
        vec![Address::new(&callee, to.device)]
    };
    state.deliver_all(targets, &forwarded);
    if matches!(outcome, CallState::Rejected) {
        elsewhere(state, from, action, &callee);
    }
    Ok(())
}

fn forwarded(state: &State, from: &Address, call: &Node, like: &wacore_binary::Jid) -> Result<Node, Refusal> {
    let sender = state.phone(&from.phone).map_err(|_| Refusal::not_found())?;
    let mut forwarded = without_attrs(call.clone(), &["to", "from"]);
    forwarded
        .attrs
        .insert("from", sender.device_jid(from.device, like));
    forwarded.attrs.insert("t", clock::now());
    if forwarded.attrs.get("notify").is_none() {
        forwarded.attrs.insert("notify", sender.name.as_str());
    }
    Ok(forwarded)
}

fn begin(state: &mut State, from: &Address, callee: &str, call_id: &str) {
    let view = CallView {
        call_id: call_id.to_owned(),
        from: from.phone.clone(),
        to: callee.to_owned(),
        state: CallState::Ringing,
    };
    for number in [&from.phone, callee] {
        if let Ok(phone) = state.phone_mut(number) {
            phone.calls.push(view.clone());
        }
    }
}

/// Writes the call's fate on both phones; what is over stays as it ended.
fn note(state: &mut State, call_id: &str, outcome: CallState) {
    for phone in state.phones.values_mut() {
        for call in phone.calls.iter_mut().filter(|call| call.call_id == call_id) {
            if !matches!(call.state, CallState::Rejected | CallState::Ended) {
                call.state = outcome;
            }
        }
    }
}

/// The rejecting account's other devices stop ringing.
fn elsewhere(state: &mut State, by: &Address, reject: &Node, caller: &str) {
    let Some(caller) = state
        .phones
        .get(caller)
        .map(crate::world::account::Phone::lid_jid)
    else {
        return;
    };
    let mut terminate = Build::new("terminate")
        .attr("reason", "rejected_elsewhere")
        .build();
    for key in ["call-id", "call-creator"] {
        if let Some(value) = reject.attrs.get(key) {
            terminate.attrs.insert(key, value.clone());
        }
    }
    let stanza = Build::new("call")
        .attr("from", caller)
        .attr("t", clock::now())
        .children([terminate])
        .build();
    let siblings = state
        .phones
        .get(&by.phone)
        .map(crate::world::account::Phone::companions)
        .unwrap_or_default();
    state.notify_all(siblings.into_iter().filter(|address| address != by), &stanza);
}
