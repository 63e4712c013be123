//! How a group looks on the wire, and who hears of its changes.

use crate::clock;
use crate::wire::node::{Build, empty};
use crate::world::account::Phone;
use crate::world::address::Address;
use crate::world::group::{Group, Rank};
use crate::world::state::State;
use wacore_binary::Node;

/// The full description that queries and `create` carry.
pub fn describe(state: &State, group: &Group) -> Node {
    let mut content: Vec<Node> = group
        .members
        .iter()
        .filter_map(|(number, rank)| Some(participant(state.phones.get(number)?, *rank)))
        .collect();
    content.extend(description(state, group));
    content.extend(settings(group));
    let mut node = Build::new("group")
        .attr("id", group.id.as_str())
        .attr("subject", group.subject.as_str())
        .attr("creation", group.created)
        .attr("s_t", group.subject_by.1)
        .attr("addressing_mode", "lid")
        .attr("size", group.members.len() as u64);
    if let Some(owner) = state.phones.get(&group.owner) {
        node = node
            .attr("creator", owner.lid_jid())
            .attr("creator_pn", owner.pn_jid());
    }
    if let Some(author) = state.phones.get(&group.subject_by.0) {
        node = node.attr("s_o", author.lid_jid()).attr("s_o_pn", author.pn_jid());
    }
    node.children(content).build()
}

pub fn participant(phone: &Phone, rank: Rank) -> Node {
    let node = Build::new("participant")
        .attr("jid", phone.lid_jid())
        .attr("phone_number", phone.pn_jid());
    match rank.wire() {
        Some(kind) => node.attr("type", kind).build(),
        None => node.build(),
    }
}

fn description(state: &State, group: &Group) -> Option<Node> {
    let description = group.description.as_ref()?;
    let mut node = Build::new("description")
        .attr("id", description.id.as_str())
        .attr("t", description.at);
    if let Some(author) = state.phones.get(&description.by) {
        node = node
            .attr("participant", author.lid_jid())
            .attr("participant_pn", author.pn_jid());
    }
    let body = Build::new("body").bytes(description.body.as_bytes()).build();
    Some(node.children([body]).build())
}

fn settings(group: &Group) -> Vec<Node> {
    let settings = &group.settings;
    let mut nodes = Vec::new();
    if settings.locked {
        nodes.push(empty("locked"));
    }
    if settings.announcement {
        nodes.push(empty("announcement"));
    }
    if let Some(seconds) = settings.ephemeral {
        nodes.push(Build::new("ephemeral").attr("expiration", seconds).build());
    }
    if settings.join_approval {
        let join = Build::new("group_join").attr("state", "on").build();
        nodes.push(Build::new("membership_approval_mode").children([join]).build());
    }
    // Modes are text, not bytes: clients compare them as words.
    if let Some(mode) = &settings.member_add_mode {
        nodes.push(
            Build::new("member_add_mode")
                .string_content(mode.as_str())
                .build(),
        );
    }
    if let Some(mode) = &settings.member_link_mode {
        nodes.push(
            Build::new("member_link_mode")
                .string_content(mode.as_str())
                .build(),
        );
    }
    nodes
}

/// All devices of some members.
pub fn devices_of<'a>(
    state: &State,
    members: impl Iterator<Item = &'a String>,
    except: Option<&Address>,
) -> Vec<Address> {
    let phones = members.filter_map(|number| state.phones.get(number));
    phones
        .flat_map(Phone::companions)
        .filter(|address| except.is_none_or(|except| except != address))
        .collect()
}

/// `w:gp2`: tells devices what `by` did to the group.
pub fn notify(state: &mut State, group: &Group, by: &str, told: Vec<Address>, action: Node) {
    let Some(author) = state.phones.get(by) else {
        return;
    };
    let notification = Build::new("notification")
        .attr("from", group.jid())
        .attr("type", "w:gp2")
        .attr("t", clock::now())
        .attr("participant", author.lid_jid())
        .attr("participant_pn", author.pn_jid())
        .attr("addressing_mode", "lid")
        .attr("notify", author.name.as_str())
        .children([action])
        .build();
    state.notify_all(told, &notification);
}
