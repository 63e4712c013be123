//! Requests about groups: who asks, what about, and the answer; the changes themselves are in `group_change.rs`.

use crate::clock;
use crate::stanza::group_change::{self, Setting, change_participants};
use crate::stanza::group_node::{describe, participant};
use crate::stanza::{Answered, Refusal};
use crate::wire::node::{
    Build, attr_is, child_bytes, children, empty, jid_attr, number_attr, result, text_attr, text_of,
};
use crate::world::address::Address;
use crate::world::group::{Description, Group, Rank};
use crate::world::link::Client;
use crate::world::state::State;
use wacore_binary::Node;

pub fn handle(state: &mut State, client: &Client, me: &Address, iq: &Node) -> Answered {
    let to = jid_attr(iq, "to").ok_or_else(|| Refusal::bad_request("group request without to"))?;
    let request = children(iq)
        .first()
        .ok_or_else(|| Refusal::bad_request("empty group request"))?;
    let answer = if to.user.is_empty() {
        of_all(state, me, iq, request)
    } else {
        let group = state.group_of(&to).ok_or_else(Refusal::not_found)?.id.clone();
        of_group(state, me, iq, request, &group)
    }?;
    client.say(result(iq, answer));
    Ok(())
}

type Answer = Result<Vec<Node>, Refusal>;

/// Requests that name no group, or name it inside.
fn of_all(state: &mut State, me: &Address, iq: &Node, request: &Node) -> Answer {
    match request.tag.as_ref() {
        "create" => create(state, me, request),
        "participating" => {
            let own = state
                .groups
                .values()
                .filter(|group| group.members.contains_key(&me.phone));
            let groups = own.map(|group| describe(state, group)).collect::<Vec<_>>();
            Ok(vec![Build::new("groups").children(groups).build()])
        }
        "invite" => by_invite(state, me, iq, request),
        "leave" => {
            let named = children(request)
                .iter()
                .filter_map(|child| jid_attr(child, "id"))
                .collect::<Vec<_>>();
            let mut left = Vec::new();
            for jid in named {
                let group = state.group_of(&jid).ok_or_else(Refusal::not_found)?.id.clone();
                group_change::leave(state, &group, &me.phone)?;
                left.push(Build::new("group").attr("id", jid).build());
            }
            Ok(vec![Build::new("leave").children(left).build()])
        }
        tag => Err(Refusal::not_implemented(format!("unknown group request <{tag}>"))),
    }
}

fn create(state: &mut State, me: &Address, request: &Node) -> Answer {
    let subject =
        text_attr(request, "subject").ok_or_else(|| Refusal::bad_request("group without subject"))?;
    let members = participants(state, request)?;
    let mut settings = crate::world::group::GroupSettings::default();
    for child in children(request) {
        match child.tag.as_ref() {
            "locked" => settings.locked = true,
            "announcement" => settings.announcement = true,
            "ephemeral" => {
                settings.ephemeral = number_attr(child, "expiration").filter(|seconds| *seconds > 0);
            }
            "member_add_mode" => settings.member_add_mode = Some(text_of(child)),
            "member_link_mode" => settings.member_link_mode = Some(text_of(child)),
            "membership_approval_mode" => settings.join_approval = approval(child),
            _ => {}
        }
    }
    let key = text_attr(request, "key");
    let id = group_change::create(state, me, &subject, &members, settings, key.as_deref());
    let group = state.groups.get(&id).ok_or_else(Refusal::not_found)?;
    Ok(vec![describe(state, group)])
}

fn approval(node: &Node) -> bool {
    children(node)
        .first()
        .is_some_and(|join| attr_is(join, "state", "on"))
}

/// Numbers of the accounts named as `<participant jid>`.
fn participants(state: &State, request: &Node) -> Result<Vec<String>, Refusal> {
    let named = children(request)
        .iter()
        .filter(|child| child.tag == "participant");
    named
        .map(|child| {
            let jid =
                jid_attr(child, "jid").ok_or_else(|| Refusal::bad_request("participant without jid"))?;
            let known = state.account_of(&jid).map(|phone| phone.number.clone());
            Ok(known.unwrap_or_else(|| jid.user.to_string()))
        })
        .collect()
}

fn by_invite(state: &mut State, me: &Address, iq: &Node, request: &Node) -> Answer {
    let code = text_attr(request, "code").ok_or_else(|| Refusal::bad_request("invite without code"))?;
    let group = state
        .groups
        .values()
        .find(|group| group.invite_code == code)
        .ok_or_else(Refusal::not_found)?;
    if attr_is(iq, "type", "get") {
        return Ok(vec![describe(state, group)]);
    }
    let (id, jid) = (group.id.clone(), group.jid());
    if group.settings.join_approval && !group.members.contains_key(&me.phone) {
        group_change::request_to_join(state, &id, &me.phone);
        return Ok(vec![
            Build::new("membership_approval_request").attr("jid", jid).build(),
        ]);
    }
    group_change::join(state, &id, &me.phone, "invite")?;
    Ok(vec![Build::new("group").attr("jid", jid).build()])
}

fn of_group(state: &mut State, me: &Address, iq: &Node, request: &Node, id: &str) -> Answer {
    let is_get = attr_is(iq, "type", "get");
    match request.tag.as_ref() {
        "query" => {
            let group = member_view(state, me, id)?;
            Ok(vec![describe(state, group)])
        }
        "invite" if is_get => {
            let group = admin_view(state, me, id)?;
            Ok(vec![
                Build::new("invite")
                    .attr("code", group.invite_code.as_str())
                    .build(),
            ])
        }
        "invite" => {
            admin_view(state, me, id)?;
            let code = group_change::reset_invite(state, me, id)?;
            Ok(vec![Build::new("invite").attr("code", code).build()])
        }
        "add" | "remove" | "promote" | "demote" => {
            let named = participants(state, request)?;
            let tag = group_change::Action::parse(&request.tag).ok_or_else(Refusal::not_found)?;
            change_participants(state, me, id, tag, &named).map(|answer| vec![answer])
        }
        "membership_approval_requests" if is_get => requests(state, me, id),
        "membership_requests_action" => decide(state, me, id, request),
        _ => change(state, me, id, request),
    }
}

fn member_view<'a>(state: &'a State, me: &Address, id: &str) -> Result<&'a Group, Refusal> {
    let group = state.groups.get(id).ok_or_else(Refusal::not_found)?;
    if group.members.contains_key(&me.phone) {
        Ok(group)
    } else {
        Err(Refusal::forbidden())
    }
}

fn admin_view<'a>(state: &'a State, me: &Address, id: &str) -> Result<&'a Group, Refusal> {
    let group = state.groups.get(id).ok_or_else(Refusal::not_found)?;
    if group.is_admin(&me.phone) {
        Ok(group)
    } else {
        Err(Refusal::forbidden())
    }
}

/// Changes of the group's data; each is told to the members as it came.
fn change(state: &mut State, me: &Address, id: &str, request: &Node) -> Answer {
    let setting = match request.tag.as_ref() {
        "subject" => Setting::Subject(text_of(request)),
        "description" => Setting::Description(described(me, request)),
        "locked" => Setting::Locked(true),
        "unlocked" => Setting::Locked(false),
        "announcement" => Setting::Announcement(true),
        "not_announcement" => Setting::Announcement(false),
        "ephemeral" => Setting::Ephemeral(number_attr(request, "expiration")),
        "not_ephemeral" => Setting::Ephemeral(None),
        "membership_approval_mode" => Setting::JoinApproval(approval(request)),
        "member_add_mode" => Setting::MemberAddMode(text_of(request)),
        "member_link_mode" => Setting::MemberLinkMode(text_of(request)),
        tag => return Err(Refusal::not_implemented(format!("unknown group request <{tag}>"))),
    };
    group_change::set(state, me, id, setting, request)?;
    Ok(Vec::new())
}

fn described(me: &Address, request: &Node) -> Option<Description> {
    if attr_is(request, "delete", "true") {
        return None;
    }
    Some(Description {
        id: text_attr(request, "id").unwrap_or_default(),
        body: String::from_utf8_lossy(&child_bytes(request, "body")).into_owned(),
        by: me.phone.clone(),
        at: clock::now(),
    })
}

fn requests(state: &State, me: &Address, id: &str) -> Answer {
    let group = admin_view(state, me, id)?;
    let asked = group.requests.iter().filter_map(|(number, at)| {
        let phone = state.phones.get(number)?;
        let request = Build::new("membership_approval_request")
            .attr("jid", phone.lid_jid())
            .attr("phone_number", phone.pn_jid())
            .attr("request_method", "invite_link")
            .attr("request_time", *at);
        Some(request.build())
    });
    Ok(vec![
        Build::new("membership_approval_requests")
            .children(asked.collect::<Vec<_>>())
            .build(),
    ])
}

fn decide(state: &mut State, me: &Address, id: &str, request: &Node) -> Answer {
    admin_view(state, me, id)?;
    let mut decisions = Vec::new();
    for decision in children(request) {
        for number in participants(state, decision)? {
            let asked = state
                .groups
                .get_mut(id)
                .and_then(|group| group.requests.remove(&number))
                .is_some();
            if decision.tag == "approve" && asked {
                group_change::join(state, id, &number, "invite")?;
            }
            let Some(phone) = state.phones.get(&number) else {
                continue;
            };
            let node = participant(phone, Rank::Member);
            let inside = Build::new_dynamic(decision.tag.to_string())
                .children([node])
                .build();
            decisions.push(inside);
        }
    }
    let answer = if decisions.is_empty() {
        vec![empty("approve")]
    } else {
        decisions
    };
    Ok(vec![
        Build::new("membership_requests_action").children(answer).build(),
    ])
}
