//! How a connection begins and ends: registration or login, refusals, replacement, and what stays behind.

use crate::clock;
use crate::fault::{Faults, LoginRefusal};
use crate::stanza::{Refusal, pair, presence};
use crate::wire::node::{Build, server_jid};
use crate::world::address::Address;
use crate::world::link::{Client, Online};
use crate::world::state::{State, entry};
use std::time::Instant;
use wacore_binary::{Jid, Node};
use waproto::whatsapp::ClientPayload;

const LOGGED_OUT: u16 = 401;
const REPLACED: u16 = 409;

/// Admits a connection: a login when the payload names an account, else pairing. `Err` is the last stanza.
pub fn enter(
    state: &mut State,
    faults: &Faults,
    client: &mut Client,
    payload: &ClientPayload,
) -> Result<(), Box<Node>> {
    let Some(username) = payload.username else {
        return pair::open(state, client, payload)
            .map_err(|refusal| Box::new(refuse_registration(state, client, &refusal)));
    };
    let device = u16::try_from(payload.device.unwrap_or(0)).unwrap_or(0);
    let address = Address::new(&username.to_string(), device);
    if let Some(refusal) = faults.on_login(&address.phone) {
        return Err(Box::new(failure(&refusal)));
    }
    let known = state
        .device_mut(&address)
        .is_some_and(|device| device.noise == client.noise);
    if address.is_primary() || !known {
        return Err(Box::new(failure(&LoginRefusal {
            reason: LOGGED_OUT,
            code: None,
            expire_secs: None,
        })));
    }
    client.address = Some(address.clone());
    log_in(state, client, &address);
    Ok(())
}

fn log_in(state: &mut State, client: &Client, address: &Address) {
    let online = Online {
        link: client.link.clone(),
        active: false,
        available: false,
    };
    if let Some(before) = state.online.insert(address.clone(), online) {
        before.link.say(stream_error(REPLACED, Some("replaced")));
        before.link.close();
    }
    let Some(lid) = state.phones.get(&address.phone).map(|phone| phone.lid.clone()) else {
        return;
    };
    let success = Build::new("success")
        .attr("t", clock::now())
        .attr("lid", Jid::lid_device(lid, address.device))
        .attr("props", "29")
        .attr("companion_enc_static", "0")
        .build();
    client.say(success);
}

fn refuse_registration(state: &State, client: &Client, refusal: &Refusal) -> Node {
    let stanza = Build::new("failure")
        .attr("reason", u64::from(refusal.code))
        .build();
    if let Some(what) = &refusal.violation {
        state.accuse(client, &stanza, what.clone());
    }
    stanza
}

fn failure(refusal: &LoginRefusal) -> Node {
    let mut failure = Build::new("failure").attr("reason", u64::from(refusal.reason));
    if let Some(code) = refusal.code {
        failure = failure.attr("code", code);
    }
    if let Some(expire) = refusal.expire_secs {
        failure = failure.attr("expire", expire);
    }
    failure.build()
}

pub fn stream_error(code: u16, conflict: Option<&str>) -> Node {
    let error = Build::new("stream:error").attr("code", u64::from(code));
    match conflict {
        Some(kind) => error
            .children([Build::new("conflict").attr("type", kind).build()])
            .build(),
        None => error.build(),
    }
}

/// The client is ready (`<active/>`): sends what waited, then says how much that was.
pub fn activate(state: &mut State, client: &Client, me: &Address) {
    let own = state
        .online
        .get_mut(me)
        .filter(|online| online.link.number == client.link.number);
    let Some(online) = own else { return };
    online.active = true;
    let waiting = state
        .device_mut(me)
        .map(|device| device.queue.drain_to_socket())
        .unwrap_or_default();
    if !waiting.is_empty() {
        client.say(info(preview(&waiting)));
    }
    let count = waiting.len() as u64;
    for stanza in waiting {
        client.say(stanza);
    }
    client.say(info(Build::new("offline").attr("count", count).build()));
    release_typing(state, client, me);
}

fn preview(waiting: &[Node]) -> Node {
    let count = |tag: &str| waiting.iter().filter(|stanza| stanza.tag == tag).count() as u64;
    Build::new("offline_preview")
        .attr("count", waiting.len() as u64)
        .attr("message", count("message"))
        .attr("receipt", count("receipt"))
        .attr("notification", count("notification"))
        .attr("call", count("call"))
        .attr("appdata", 0_u64)
        .build()
}

/// Typing states that have not expired yet.
fn release_typing(state: &mut State, client: &Client, me: &Address) {
    let now = Instant::now();
    state.typing.retain(|typing| typing.until > now);
    for typing in state.typing.iter().filter(|typing| typing.to == *me) {
        client.say(typing.stanza.clone());
    }
}

/// `<ib>` with one child, as Baileys wants it.
pub fn info(child: Node) -> Node {
    Build::new("ib")
        .attr("from", server_jid())
        .children([child])
        .build()
}

/// The connection is over.
pub fn leave(state: &mut State, client: &Client) {
    pair::abandon(state, client.link.number);
    let Some(me) = &client.address else { return };
    accuse_of_silence(state, client, me);
    let current = state
        .online
        .get(me)
        .is_some_and(|online| online.link.number == client.link.number);
    if current {
        let was_available = state.online.remove(me).is_some_and(|online| online.available);
        for watching in state.watchers.values_mut() {
            watching.remove(me);
        }
        if was_available {
            presence::broadcast(state, &me.phone);
        }
    }
}

fn accuse_of_silence(state: &mut State, client: &Client, me: &Address) {
    let overdue = state
        .device_mut(me)
        .map(|device| device.queue.overdue())
        .unwrap_or_default();
    for (tag, id) in overdue {
        let stanza = Build::new("ack")
            .attr("class", tag.as_str())
            .attr("id", id.as_str())
            .build();
        let mut line = entry(crate::ledger::Direction::FromClient, &client.label(), &stanza);
        line.violation = Some(format!("never acknowledged {tag} {id}"));
        state.ledger.record(line);
    }
}
