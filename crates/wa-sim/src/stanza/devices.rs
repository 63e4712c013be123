//! Companions come and go: tells everybody concerned, and ends what a removed device still has open.

use crate::clock;
use crate::stanza::login::stream_error;
use crate::stanza::usync::signed_list;
use crate::stanza::{Answered, Refusal};
use crate::wire::node::{Build, children, jid_attr, result};
use crate::world::account::Phone;
use crate::world::address::Address;
use crate::world::link::Client;
use crate::world::state::State;
use wacore_binary::Node;

const DEVICE_REMOVED: u16 = 401;

/// A companion finished pairing.
pub fn announce_new(state: &mut State, device: &Address) {
    announce(state, device, "add");
}

fn announce(state: &mut State, device: &Address, change: &'static str) {
    let Some(phone) = state.phones.get(&device.phone) else {
        return;
    };
    let key_index = phone.devices.get(&device.device).map(|device| device.key_index);
    let mut entry = Build::new("device")
        .attr("jid", phone.device_jid(device.device, &phone.pn_jid()))
        .attr("lid", phone.device_jid(device.device, &phone.lid_jid()));
    if let Some(index) = key_index {
        entry = entry.attr("key-index", u64::from(index));
    }
    let mut list = signed_list(phone);
    if change == "remove" {
        list = Build::new("key-index-list").attr("ts", clock::now()).build();
    }
    let notification = Build::new("notification")
        .attr("from", phone.pn_jid())
        .attr("lid", phone.lid_jid())
        .attr("type", "devices")
        .attr("t", clock::now())
        .children([Build::new(change).children([entry.build(), list]).build()])
        .build();
    let mut told: Vec<Address> = phone
        .companions()
        .into_iter()
        .filter(|companion| companion != device)
        .collect();
    let acquainted = state.acquaintances.get(&device.phone).into_iter().flatten();
    told.extend(
        acquainted
            .filter_map(|number| state.phones.get(number))
            .flat_map(Phone::companions),
    );
    state.notify_all(told, &notification);
}

/// `remove-companion-device`: a device logs itself, or a sibling, out.
pub fn remove_by_request(state: &mut State, client: &Client, me: &Address, iq: &Node) -> Answered {
    let jid = children(iq).first().and_then(|request| jid_attr(request, "jid"));
    let jid = jid.ok_or_else(|| Refusal::bad_request("no device to remove"))?;
    let target = state.address_of(&jid).ok_or_else(Refusal::not_found)?;
    if target.phone != me.phone {
        return Err(Refusal::forbidden());
    }
    client.say(result(iq, Vec::new()));
    remove(state, &target);
    Ok(())
}

/// Unlinks a companion; false when there is none.
pub fn remove(state: &mut State, target: &Address) -> bool {
    let Some(phone) = state.phones.get_mut(&target.phone) else {
        return false;
    };
    if phone.devices.remove(&target.device).is_none() {
        return false;
    }
    phone.signal.forget_session(target);
    if let Some(online) = state.online.remove(target) {
        online
            .link
            .say(stream_error(DEVICE_REMOVED, Some("device_removed")));
        online.link.close();
    }
    for watching in state.watchers.values_mut() {
        watching.remove(target);
    }
    announce(state, target, "remove");
    true
}
