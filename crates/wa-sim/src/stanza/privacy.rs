//! Privacy settings, and the tokens that vouch for a trusted contact.

use crate::clock;
use crate::stanza::{Answered, Refusal};
use crate::wire::node::{Build, attr_is, children, children_of, jid_attr, result, text_attr};
use crate::world::account::Phone;
use crate::world::address::Address;
use crate::world::link::Client;
use crate::world::state::State;
use wacore_binary::Node;

pub fn handle(state: &mut State, client: &Client, me: &Address, iq: &Node) -> Answered {
    let phone = state.phone_mut(&me.phone).map_err(|_| Refusal::not_found())?;
    if attr_is(iq, "type", "set") {
        for category in children_of(iq, "privacy") {
            let (name, value) = (text_attr(category, "name"), text_attr(category, "value"));
            let (Some(name), Some(value)) = (name, value) else {
                return Err(Refusal::bad_request("privacy category without name or value"));
            };
            phone.privacy.insert(name, value);
        }
    }
    let settings = settings_node(phone);
    client.say(result(iq, vec![settings]));
    Ok(())
}

fn settings_node(phone: &Phone) -> Node {
    let category = |(name, value): (&String, &String)| {
        Build::new("category")
            .attr("name", name.as_str())
            .attr("value", value.as_str())
            .build()
    };
    Build::new("privacy")
        .children(phone.privacy.iter().map(category))
        .build()
}

/// Passes a token on to the contact it was made for.
pub fn tokens(state: &mut State, client: &Client, me: &Address, iq: &Node) -> Answered {
    let list = children(iq)
        .first()
        .ok_or_else(|| Refusal::bad_request("no tokens"))?;
    client.say(result(iq, Vec::new()));
    let Ok(sender) = state.phone(&me.phone) else {
        return Ok(());
    };
    let (from, from_lid) = (sender.pn_jid(), sender.lid_jid());
    for token in children(list) {
        let Some(target) = jid_attr(token, "jid").and_then(|jid| state.address_of(&jid)) else {
            continue;
        };
        if target.phone == me.phone {
            continue;
        }
        let mut passed = token.clone();
        passed.attrs.insert("jid", &from_lid);
        let notification = Build::new("notification")
            .attr("from", &from)
            .attr("sender_lid", &from_lid)
            .attr("type", "privacy_token")
            .attr("t", clock::now())
            .children([Build::new("tokens").children([passed]).build()])
            .build();
        let told = state
            .phones
            .get(&target.phone)
            .map(Phone::companions)
            .unwrap_or_default();
        state.notify_all(told, &notification);
    }
    Ok(())
}
