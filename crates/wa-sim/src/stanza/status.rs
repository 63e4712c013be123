//! The "about" line of a profile.

use crate::clock;
use crate::stanza::{Answered, Refusal};
use crate::wire::node::{Build, children, result, text_of, with_bytes};
use crate::world::address::Address;
use crate::world::link::Client;
use crate::world::state::State;
use wacore_binary::Node;

pub fn handle(state: &mut State, client: &Client, me: &Address, iq: &Node) -> Answered {
    let about = children(iq)
        .first()
        .map(text_of)
        .ok_or_else(|| Refusal::bad_request("status without text"))?;
    let phone = state.phone_mut(&me.phone).map_err(|_| Refusal::not_found())?;
    phone.about.clone_from(&about);
    let notification = Build::new("notification")
        .attr("from", phone.pn_jid())
        .attr("type", "status")
        .attr("t", clock::now())
        .attr("notify", phone.name.as_str())
        .children([with_bytes("set", about)])
        .build();
    client.say(result(iq, Vec::new()));
    let told = audience(state, &me.phone, me);
    state.notify_all(told, &notification);
    Ok(())
}

/// The devices that hear of a profile change: one's own others, and those of everybody who may know the account.
/// The simulator does not know whose address books hold a number, so everybody who is online may.
pub fn audience(state: &State, number: &str, except: &Address) -> Vec<Address> {
    let acquainted = state.acquaintances.get(number);
    let near = |other: &String| other == number || acquainted.is_some_and(|known| known.contains(other));
    let phones = state.phones.iter().filter(|(other, _)| near(other));
    let mut told: Vec<Address> = phones.flat_map(|(_, phone)| phone.companions()).collect();
    told.extend(
        state
            .online
            .keys()
            .filter(|address| !told.contains(address))
            .cloned()
            .collect::<Vec<_>>(),
    );
    told.retain(|address| address != except);
    told
}
