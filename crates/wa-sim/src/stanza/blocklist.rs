//! Whom an account has blocked.

use crate::clock;
use crate::stanza::{Answered, Refusal};
use crate::wire::node::{Build, attr_is, children, jid_attr, result, server_jid, text_attr};
use crate::world::account::Phone;
use crate::world::address::Address;
use crate::world::link::Client;
use crate::world::state::State;
use wacore_binary::Node;

pub fn handle(state: &mut State, client: &Client, me: &Address, iq: &Node) -> Answered {
    if attr_is(iq, "type", "get") {
        let list = list_node(state, &me.phone);
        client.say(result(iq, vec![list]));
        return Ok(());
    }
    let item = children(iq)
        .first()
        .ok_or_else(|| Refusal::bad_request("no blocklist item"))?;
    let jid = jid_attr(item, "jid").ok_or_else(|| Refusal::bad_request("blocklist item without jid"))?;
    let target = state.address_of(&jid).ok_or_else(Refusal::not_found)?;
    let phone = state.phone_mut(&me.phone).map_err(|_| Refusal::not_found())?;
    match text_attr(item, "action").as_deref() {
        Some("block") => phone.blocked.insert(target.phone),
        Some("unblock") => phone.blocked.remove(&target.phone),
        action => {
            return Err(Refusal::bad_request(format!(
                "unknown blocklist action {action:?}"
            )));
        }
    };
    let list = list_node(state, &me.phone);
    client.say(result(iq, vec![list]));
    let changed = Build::new("blocklist").children([item.clone()]).build();
    notify_own(state, me, changed);
    Ok(())
}

fn list_node(state: &State, number: &str) -> Node {
    let blocked = state
        .phones
        .get(number)
        .into_iter()
        .flat_map(|phone| &phone.blocked);
    let items = blocked
        .filter_map(|number| state.phones.get(number))
        .map(|phone| {
            Build::new("item")
                .attr("jid", phone.lid_jid())
                .attr("pn_jid", phone.pn_jid())
                .build()
        });
    Build::new("list").children(items).build()
}

/// Tells the account's other devices of a change to the account.
fn notify_own(state: &mut State, me: &Address, change: Node) {
    let siblings = state
        .phones
        .get(&me.phone)
        .map(Phone::companions)
        .unwrap_or_default();
    let notification = Build::new("notification")
        .attr("from", server_jid())
        .attr("type", "account_sync")
        .attr("t", clock::now())
        .children([change])
        .build();
    state.notify_all(
        siblings.into_iter().filter(|address| address != me),
        &notification,
    );
}
