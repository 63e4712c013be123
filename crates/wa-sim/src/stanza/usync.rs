//! Who is who (`usync`): devices, LIDs, and whether a number is on WhatsApp.

use crate::clock;
use crate::phone::link::key_index_list;
use crate::stanza::{Answered, Refusal};
use crate::wire::node::{
    Build, children, children_of, empty, jid_attr, result, text_attr, text_of, with_bytes,
};
use crate::world::account::Phone;
use crate::world::address::{Address, digits};
use crate::world::link::Client;
use crate::world::state::State;
use wacore_binary::{Jid, Node};

pub fn handle(state: &mut State, client: &Client, _me: &Address, iq: &Node) -> Answered {
    let usync = children(iq)
        .first()
        .ok_or_else(|| Refusal::bad_request("empty usync"))?;
    let protocols: Vec<String> = children_of(usync, "query")
        .iter()
        .map(|child| child.tag.to_string())
        .collect();
    let list = answer_list(state, children_of(usync, "list"), &protocols)?;
    // The side list names users that the client did not ask for; the simulator never volunteers any.
    let side = answer_list(state, children_of(usync, "side_list"), &protocols)?;
    let mut content = vec![Build::new("list").children(list).build()];
    if !side.is_empty() {
        content.push(Build::new("side_list").children(side).build());
    }
    let mut reply = Build::new("usync");
    for key in ["sid", "mode", "context"] {
        if let Some(value) = text_attr(usync, key) {
            reply = reply.attr(key, value);
        }
    }
    client.say(result(iq, vec![reply.children(content).build()]));
    Ok(())
}

fn answer_list(state: &State, users: &[Node], protocols: &[String]) -> Result<Vec<Node>, Refusal> {
    users.iter().map(|user| answer(state, user, protocols)).collect()
}

fn answer(state: &State, user: &Node, protocols: &[String]) -> Result<Node, Refusal> {
    let number = user
        .get_optional_child("contact")
        .map(text_of)
        .unwrap_or_default();
    let asked = match jid_attr(user, "jid") {
        Some(jid) => jid.to_non_ad(),
        None if !number.is_empty() => Jid::pn(digits(&number)),
        None => return Err(Refusal::bad_request("usync user without jid and contact")),
    };
    let Some(phone) = state.account_of(&asked) else {
        return Ok(unknown(asked, protocols, &number));
    };
    let mut reply = Build::new("user").attr("jid", &asked);
    if asked.is_lid() {
        reply = reply.attr("pn_jid", phone.pn_jid());
    }
    let content = protocols
        .iter()
        .filter_map(|protocol| about(phone, protocol, &number))
        .collect::<Vec<_>>();
    Ok(reply.children(content).build())
}

fn unknown(asked: Jid, protocols: &[String], number: &str) -> Node {
    let user = Build::new("user").attr("jid", asked);
    if protocols.iter().any(|protocol| protocol == "contact") {
        user.children([contact("out", number)]).build()
    } else {
        user.build()
    }
}

fn contact(kind: &'static str, number: &str) -> Node {
    let contact = Build::new("contact").attr("type", kind);
    if number.is_empty() {
        contact.build()
    } else {
        contact.string_content(number).build()
    }
}

fn about(phone: &Phone, protocol: &str, number: &str) -> Option<Node> {
    match protocol {
        "contact" => Some(contact("in", number)),
        "lid" => Some(Build::new("lid").attr("val", phone.lid_jid()).build()),
        "devices" => Some(devices(phone)),
        "status" => Some(
            Build::new("status")
                .attr("t", clock::now())
                .string_content(phone.about.as_str())
                .build(),
        ),
        "picture" => match &phone.picture {
            Some(picture) => Some(Build::new("picture").attr("id", picture.id.as_str()).build()),
            None => Some(empty("picture")),
        },
        // Only business accounts have an answer here, and there are none.
        _ => None,
    }
}

fn devices(phone: &Phone) -> Node {
    let mut list = vec![Build::new("device").attr("id", 0_u64).build()];
    list.extend(phone.linked().map(|(id, device)| {
        Build::new("device")
            .attr("id", u64::from(id))
            .attr("key-index", u64::from(device.key_index))
            .build()
    }));
    Build::new("devices")
        .children([
            Build::new("device-list").children(list).build(),
            signed_list(phone),
        ])
        .build()
}

/// Without these signed bytes clients ignore the companions.
pub fn signed_list(phone: &Phone) -> Node {
    let mut list = with_bytes("key-index-list", key_index_list(phone));
    list.attrs.insert("ts", clock::now());
    list
}
