//! What clients say, one file per subject: parse, apply to the world, answer.

pub mod appstate;
pub mod blocklist;
pub mod call;
pub mod chatstate;
pub mod devices;
pub mod group;
pub mod group_change;
pub mod group_node;
pub mod iq;
pub mod login;
pub mod media_conn;
pub mod message;
pub mod pair;
pub mod pair_code;
pub mod picture;
pub mod prekeys;
pub mod presence;
pub mod privacy;
pub mod receipt;
pub mod status;
pub mod usync;

use crate::wire::node::{attr_is, children_of, text_attr};
use crate::world::address::Address;
use crate::world::link::Client;
use crate::world::state::State;
use wacore_binary::Node;

/// Why the server refuses a request.
#[derive(Debug)]
pub struct Refusal {
    pub code: u16,
    pub text: &'static str,
    /// What the client did wrong; absent when the request was fair.
    pub violation: Option<String>,
}

impl Refusal {
    pub fn not_found() -> Self {
        Self {
            code: 404,
            text: "item-not-found",
            violation: None,
        }
    }

    pub fn forbidden() -> Self {
        Self {
            code: 403,
            text: "forbidden",
            violation: None,
        }
    }

    pub fn unauthorized() -> Self {
        Self {
            code: 401,
            text: "not-authorized",
            violation: None,
        }
    }

    pub fn bad_request(what: impl Into<String>) -> Self {
        Self {
            code: 400,
            text: "bad-request",
            violation: Some(what.into()),
        }
    }

    pub fn not_implemented(what: impl Into<String>) -> Self {
        Self {
            code: 501,
            text: "feature-not-implemented",
            violation: Some(what.into()),
        }
    }
}

impl From<anyhow::Error> for Refusal {
    fn from(error: anyhow::Error) -> Self {
        Self::bad_request(format!("{error:#}"))
    }
}

pub type Answered = Result<(), Refusal>;

/// One stanza of a client.
pub fn handle(state: &mut State, client: &Client, stanza: &Node) {
    if stanza.tag == "iq" {
        iq::handle(state, client, stanza);
        return;
    }
    let Some(me) = client.address.clone() else {
        // The phone-code notification is acknowledged before there is a login.
        if stanza.tag == "ack" {
            return;
        }
        state.accuse(client, stanza, "only pairing is allowed before login");
        return;
    };
    if state.device_mut(&me).is_none() {
        return; // Unlinked a moment ago; the stream error is on its way.
    }
    let outcome = match stanza.tag.as_ref() {
        "message" => message::from_client(state, client, &me, stanza),
        "receipt" => receipt::from_client(state, client, &me, stanza),
        "ack" => acknowledge(state, &me, stanza),
        "presence" => presence::handle(state, client, &me, stanza),
        "chatstate" => chatstate::route(state, &me, stanza),
        "call" => call::from_client(state, client, &me, stanza),
        "ib" => Ok(()),
        tag => Err(Refusal::bad_request(format!("unknown stanza <{tag}>"))),
    };
    if let Err(Refusal {
        violation: Some(what),
        ..
    }) = outcome
    {
        state.accuse(client, stanza, what);
    }
}

/// An `<ack>` releases the stanza that it answers.
fn acknowledge(state: &mut State, me: &Address, ack: &Node) -> Answered {
    let class = text_attr(ack, "class").ok_or_else(|| Refusal::bad_request("ack without class"))?;
    let id = text_attr(ack, "id").ok_or_else(|| Refusal::bad_request("ack without id"))?;
    release(state, me, &class, &id);
    match text_attr(ack, "error") {
        Some(code) => Err(Refusal::bad_request(format!(
            "the client refused a {class} with error {code}"
        ))),
        None => Ok(()),
    }
}

/// Forgets a queued stanza. Answers to what is no longer queued are fine: redelivery makes them.
pub fn release(state: &mut State, me: &Address, class: &str, id: &str) {
    if let Some(device) = state.device_mut(me) {
        device.queue.acknowledge(class, id);
    }
}

/// A receipt for a message releases it as an ack does; a retry receipt is followed by its own ack.
pub fn release_by_receipt(state: &mut State, me: &Address, receipt: &Node) {
    if attr_is(receipt, "type", "retry") {
        return;
    }
    let first = text_attr(receipt, "id").into_iter();
    let rest = children_of(receipt, "list")
        .iter()
        .filter_map(|item| text_attr(item, "id"));
    for id in first.chain(rest).collect::<Vec<_>>() {
        release(state, me, "message", &id);
    }
}
