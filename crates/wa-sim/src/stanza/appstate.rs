//! The server's half of app state: hands out patches, takes new ones, refuses those built on an old version.

use crate::clock;
use crate::stanza::{Answered, Refusal};
use crate::wire::node::error_child;
use crate::wire::node::{Build, bytes_of, children, number_attr, result, server_jid, text_attr, with_bytes};
use crate::world::address::{Address, digits};
use crate::world::collection::{Collection, NAMES};
use crate::world::link::Client;
use crate::world::state::State;
use wacore_appstate::Mutation;
use wacore_binary::Node;

pub fn handle(state: &mut State, client: &Client, me: &Address, iq: &Node) -> Answered {
    let sync = children(iq)
        .first()
        .ok_or_else(|| Refusal::bad_request("empty app-state request"))?;
    let (mut answers, mut changed) = (Vec::new(), Vec::new());
    for asked in children(sync) {
        let name = text_attr(asked, "name").ok_or_else(|| Refusal::bad_request("collection without name"))?;
        if !NAMES.contains(&name.as_str()) {
            return Err(Refusal::bad_request(format!("unknown collection {name}")));
        }
        let (answer, new_version) = collection(state, client, me, iq, asked, &name)?;
        answers.push(answer);
        changed.extend(new_version.map(|version| (name, version)));
    }
    client.say(result(iq, vec![Build::new("sync").children(answers).build()]));
    for (name, version) in changed {
        notify(state, &me.phone, Some(me), &name, version);
    }
    Ok(())
}

/// One collection's answer, and its new version when a patch was taken.
fn collection(
    state: &mut State,
    client: &Client,
    me: &Address,
    iq: &Node,
    asked: &Node,
    name: &str,
) -> Result<(Node, Option<u64>), Refusal> {
    let base = number_attr(asked, "version").unwrap_or(0);
    let phone = state.phone_mut(&me.phone).map_err(|_| Refusal::not_found())?;
    let current = phone.collections.get(name).version();
    let Some(patch) = asked.get_optional_child("patch") else {
        return Ok((with_patches(name, phone.collections.get(name), base), None));
    };
    if base != current {
        let mut conflict = with_patches(name, phone.collections.get(name), base);
        conflict.attrs.insert("type", "error");
        let refusal = error_child(409, "conflict");
        let patches = children(&conflict).to_vec();
        conflict.content = Some(wacore_binary::NodeContent::Nodes(
            [vec![refusal], patches].concat(),
        ));
        return Ok((conflict, None));
    }
    let read = phone.collections.accept(name, &bytes_of(patch))?;
    let answer = with_patches(name, phone.collections.get(name), current + 1);
    match read {
        Ok(mutations) => learn(state, &me.phone, &mutations),
        Err(error) => state.accuse(
            client,
            iq,
            format!("patch of {name} does not check out: {error:#}"),
        ),
    }
    Ok((answer, Some(current + 1)))
}

fn with_patches(name: &str, collection: &Collection, base: u64) -> Node {
    let answer = Build::new("collection")
        .attr("name", name)
        .attr("version", collection.version())
        .attr("has_more_patches", "false");
    let patches = collection
        .since(base)
        .iter()
        .map(|patch| with_bytes("patch", patch.clone()))
        .collect::<Vec<_>>();
    if patches.is_empty() {
        return answer.build();
    }
    answer
        .children([Build::new("patches").children(patches).build()])
        .build()
}

/// The phone reads what its companions changed.
fn learn(state: &mut State, number: &str, mutations: &[Mutation]) {
    for mutation in mutations {
        let [kind, of, ..] = mutation.index.as_slice() else {
            continue;
        };
        let Some(value) = &mutation.action_value else {
            continue;
        };
        if kind == "contact" && value.contact_action.is_set() {
            let named = value.contact_action.full_name.clone();
            let jid = of.parse::<wacore_binary::Jid>().ok();
            let contact = jid.and_then(|jid| state.account_of(&jid).map(|phone| phone.number.clone()));
            let contact = contact.unwrap_or_else(|| digits(of));
            if let (Some(name), Ok(phone)) = (named, state.phone_mut(number)) {
                phone.contacts.insert(contact, name);
            }
        }
    }
}

/// Tells the account's devices that a collection moved on.
pub fn notify(state: &mut State, number: &str, except: Option<&Address>, name: &str, version: u64) {
    let Some(phone) = state.phones.get(number) else {
        return;
    };
    let told: Vec<Address> = phone
        .companions()
        .into_iter()
        .filter(|address| except.is_none_or(|except| except != address))
        .collect();
    let changed = Build::new("collection")
        .attr("name", name)
        .attr("version", version)
        .build();
    let notification = Build::new("notification")
        .attr("from", server_jid())
        .attr("type", "server_sync")
        .attr("t", clock::now())
        .children([changed])
        .build();
    state.notify_all(told, &notification);
}
