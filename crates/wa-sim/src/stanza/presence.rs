//! Who is online, and under what name.

use crate::clock;
use crate::stanza::{Answered, Refusal};
use crate::wire::node::{Build, jid_attr, text_attr};
use crate::world::address::Address;
use crate::world::link::Client;
use crate::world::state::State;
use wacore_binary::{Jid, Node};

pub fn handle(state: &mut State, client: &Client, me: &Address, presence: &Node) -> Answered {
    match text_attr(presence, "type").as_deref() {
        None | Some("available") => show(state, client, me, presence, true),
        Some("unavailable") => show(state, client, me, presence, false),
        Some("subscribe") => subscribe(state, client, me, presence),
        Some("unsubscribe") => {
            let of = target(state, presence)?;
            if let Some(watching) = state.watchers.get_mut(&of.1) {
                watching.remove(me);
            }
            Ok(())
        }
        Some(kind) => Err(Refusal::bad_request(format!("unknown presence type {kind}"))),
    }
}

fn show(state: &mut State, client: &Client, me: &Address, presence: &Node, available: bool) -> Answered {
    // The push name is end-to-end encrypted in app state; presence is where the server learns it.
    if let Some(name) = text_attr(presence, "name") {
        state.phone_mut(&me.phone).map_err(|_| Refusal::not_found())?.name = name;
    }
    let own = state
        .online
        .get_mut(me)
        .filter(|online| online.link.number == client.link.number);
    let changed = own.is_some_and(|online| std::mem::replace(&mut online.available, available) != available);
    if changed {
        broadcast(state, &me.phone);
    }
    Ok(())
}

fn target(state: &State, presence: &Node) -> Result<(Jid, String), Refusal> {
    let jid = jid_attr(presence, "to").ok_or_else(|| Refusal::bad_request("subscription without to"))?;
    let phone = state.account_of(&jid).ok_or_else(Refusal::not_found)?;
    Ok((jid.to_non_ad(), phone.number.clone()))
}

fn subscribe(state: &mut State, client: &Client, me: &Address, presence: &Node) -> Answered {
    let (jid, number) = target(state, presence)?;
    state
        .watchers
        .entry(number.clone())
        .or_default()
        .insert(me.clone());
    let available = state.is_available(&number);
    client.say(presence_node(&jid, available));
    Ok(())
}

/// Tells all watchers how an account shows itself now.
pub fn broadcast(state: &mut State, number: &str) {
    let available = state.is_available(number);
    let Some(phone) = state.phones.get(number) else {
        return;
    };
    // Watchers know the account by its LID once chats are addressed by LID.
    let stanza = presence_node(&phone.lid_jid(), available);
    let watching = state.watchers.get(number).cloned().unwrap_or_default();
    for watcher in watching.into_iter().filter(|watcher| watcher.phone != number) {
        state.deliver(&watcher, stanza.clone());
    }
}

fn presence_node(jid: &Jid, available: bool) -> Node {
    let presence = Build::new("presence").attr("from", jid);
    if available {
        presence.attr("type", "available").build()
    } else {
        presence
            .attr("type", "unavailable")
            .attr("last", clock::now())
            .build()
    }
}
