//! What happens to groups: by a client's request or by a person's thumb on a phone.

use crate::clock;
use crate::phone::keys::rng;
use crate::stanza::group_node::{describe, devices_of, notify, participant};
use crate::stanza::{Answered, Refusal};
use crate::wire::node::Build;
use crate::world::address::Address;
use crate::world::group::{Description, Group, GroupSettings, Rank};
use crate::world::state::State;
use rand::RngExt as _;
use std::collections::BTreeMap;
use wacore_binary::{Jid, Node};

/// One change of a group's data.
pub enum Setting {
    Subject(String),
    Description(Option<Description>),
    Locked(bool),
    Announcement(bool),
    Ephemeral(Option<u64>),
    JoinApproval(bool),
    MemberAddMode(String),
    MemberLinkMode(String),
}

/// One change of who is in a group and in which rank.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    Add,
    Remove,
    Promote,
    Demote,
}

impl Action {
    pub fn parse(tag: &str) -> Option<Self> {
        match tag {
            "add" => Some(Self::Add),
            "remove" => Some(Self::Remove),
            "promote" => Some(Self::Promote),
            "demote" => Some(Self::Demote),
            _ => None,
        }
    }

    fn tag(self) -> &'static str {
        match self {
            Self::Add => "add",
            Self::Remove => "remove",
            Self::Promote => "promote",
            Self::Demote => "demote",
        }
    }
}

/// Makes a group and tells its members; returns its id.
pub fn create(
    state: &mut State,
    by: &Address,
    subject: &str,
    members: &[String],
    settings: GroupSettings,
    key: Option<&str>,
) -> String {
    let serial = state.groups.len() + 1;
    let id = format!("12036300000{serial:07}");
    let known = members
        .iter()
        .filter(|number| state.phones.contains_key(*number) && **number != by.phone);
    let mut ranks: BTreeMap<String, Rank> = known.map(|number| (number.clone(), Rank::Member)).collect();
    ranks.insert(by.phone.clone(), Rank::SuperAdmin);
    let group = Group {
        id: id.clone(),
        subject: subject.to_owned(),
        subject_by: (by.phone.clone(), clock::now()),
        description: None,
        owner: by.phone.clone(),
        created: clock::now(),
        members: ranks,
        settings,
        invite_code: invite_code(),
        picture: None,
        requests: BTreeMap::new(),
    };
    let mut action = Build::new("create")
        .attr("type", "new")
        .children([describe(state, &group)])
        .build();
    if let Some(key) = key {
        action.attrs.insert("key", key);
    }
    let told = devices_of(state, group.members.keys(), Some(by));
    state.groups.insert(id.clone(), group.clone());
    notify(state, &group, &by.phone, told, action);
    id
}

fn invite_code() -> String {
    let mut bytes = [0_u8; 11];
    rng().fill(&mut bytes);
    hex::encode_upper(bytes)
}

/// Changes participants one by one; who cannot be changed gets an error of its own.
pub fn change_participants(
    state: &mut State,
    by: &Address,
    id: &str,
    action: Action,
    named: &[String],
) -> Result<Node, Refusal> {
    let before = state.groups.get(id).ok_or_else(Refusal::not_found)?.clone();
    let open_add = action == Action::Add
        && before.members.contains_key(&by.phone)
        && before.settings.member_add_mode.as_deref() == Some("all_member_add");
    if !before.is_admin(&by.phone) && !open_add {
        return Err(Refusal::forbidden());
    }
    let (mut answers, mut changed) = (Vec::new(), Vec::new());
    for number in named {
        let outcome = change_one(state, &before, action, number);
        answers.push(participant_answer(state, number, outcome));
        if outcome.is_ok() {
            changed.push(number.clone());
        }
    }
    if !changed.is_empty() {
        announce(state, by, &before, action, &changed);
    }
    Ok(Build::new(action.tag()).children(answers).build())
}

fn change_one(state: &mut State, before: &Group, action: Action, number: &str) -> Result<(), u16> {
    if !state.phones.contains_key(number) {
        return Err(404);
    }
    let rank = before.members.get(number).copied();
    let group = state.groups.get_mut(&before.id).ok_or(404_u16)?;
    match (action, rank) {
        (Action::Add, Some(_)) => return Err(409),
        (Action::Add, None) => {
            group.requests.remove(number);
            group.members.insert(number.to_owned(), Rank::Member);
        }
        (_, None) => return Err(404),
        (Action::Remove | Action::Demote, Some(Rank::SuperAdmin)) => return Err(406),
        (Action::Remove, Some(_)) => {
            group.members.remove(number);
        }
        (Action::Promote, Some(Rank::Member)) => {
            group.members.insert(number.to_owned(), Rank::Admin);
        }
        (Action::Promote, Some(_)) => {}
        (Action::Demote, Some(_)) => {
            group.members.insert(number.to_owned(), Rank::Member);
        }
    }
    Ok(())
}

fn participant_answer(state: &State, number: &str, outcome: Result<(), u16>) -> Node {
    let mut node = match state.phones.get(number) {
        Some(phone) => participant(phone, Rank::Member),
        None => Build::new("participant").attr("jid", Jid::pn(number)).build(),
    };
    match outcome {
        Ok(()) => node.attrs.insert("type", "200"),
        Err(code) => node.attrs.insert("error", u64::from(code)),
    }
    node
}

/// Tells those who were members before, and greets the new ones with the whole group.
fn announce(state: &mut State, by: &Address, before: &Group, action: Action, changed: &[String]) {
    let named = changed
        .iter()
        .filter_map(|number| Some(participant(state.phones.get(number)?, Rank::Member)));
    let node = Build::new(action.tag())
        .children(named.collect::<Vec<_>>())
        .build();
    let told = devices_of(state, before.members.keys(), Some(by));
    notify(state, before, &by.phone, told, node);
    if action == Action::Add {
        greet(state, &before.id, &by.phone, changed, "invite");
    }
    if action == Action::Remove {
        renew_sender_keys(state, &before.id);
    }
}

fn greet(state: &mut State, id: &str, by: &str, newcomers: &[String], reason: &'static str) {
    let Some(group) = state.groups.get(id).cloned() else {
        return;
    };
    let node = Build::new("create")
        .attr("type", "new")
        .attr("reason", reason)
        .children([describe(state, &group)])
        .build();
    let told = devices_of(state, newcomers.iter(), None);
    notify(state, &group, by, told, node);
}

/// After a departure the phones start new sender keys, so that whoever left cannot read on.
fn renew_sender_keys(state: &mut State, id: &str) {
    let Some(group) = state.groups.get(id).cloned() else {
        return;
    };
    let jid = group.jid().to_string();
    for number in group.members.keys() {
        if let Some(phone) = state.phones.get_mut(number) {
            phone.signal.rotate_sender_key(&Address::primary(number), &jid);
            phone.shared_sender_keys.remove(&jid);
        }
    }
}

pub fn leave(state: &mut State, id: &str, number: &str) -> Answered {
    let before = state.groups.get(id).ok_or_else(Refusal::not_found)?.clone();
    let group = state.groups.get_mut(id).ok_or_else(Refusal::not_found)?;
    let rank = group.members.remove(number).ok_or_else(Refusal::forbidden)?;
    let orphaned = rank == Rank::SuperAdmin || !group.members.values().any(|rank| *rank > Rank::Member);
    if let (true, Some(heir)) = (orphaned, group.members.values_mut().next()) {
        *heir = (*heir).max(Rank::Admin);
    }
    let Some(phone) = state.phones.get(number) else {
        return Ok(());
    };
    let node = Build::new("remove")
        .children([participant(phone, Rank::Member)])
        .build();
    let told = devices_of(state, before.members.keys(), None);
    notify(state, &before, number, told, node);
    renew_sender_keys(state, id);
    Ok(())
}

/// A newcomer comes in by invitation.
pub fn join(state: &mut State, id: &str, number: &str, reason: &'static str) -> Answered {
    let before = state.groups.get(id).ok_or_else(Refusal::not_found)?.clone();
    if before.members.contains_key(number) {
        return Err(Refusal {
            code: 409,
            text: "conflict",
            violation: None,
        });
    }
    let phone = state.phones.get(number).ok_or_else(Refusal::not_found)?;
    let node = Build::new("add")
        .attr("reason", reason)
        .children([participant(phone, Rank::Member)])
        .build();
    let told = devices_of(state, before.members.keys(), None);
    if let Some(group) = state.groups.get_mut(id) {
        group.members.insert(number.to_owned(), Rank::Member);
    }
    notify(state, &before, number, told, node);
    greet(state, id, number, &[number.to_owned()], reason);
    Ok(())
}

pub fn request_to_join(state: &mut State, id: &str, number: &str) {
    let Some(group) = state.groups.get_mut(id) else {
        return;
    };
    group.requests.insert(number.to_owned(), clock::now());
    let group = group.clone();
    let admins: Vec<&String> = group
        .members
        .keys()
        .filter(|number| group.is_admin(number))
        .collect();
    let told = devices_of(state, admins.into_iter(), None);
    let node = Build::new("created_membership_requests")
        .attr("request_method", "invite_link")
        .build();
    notify(state, &group, number, told, node);
}

pub fn reset_invite(state: &mut State, by: &Address, id: &str) -> Result<String, Refusal> {
    let group = state.groups.get_mut(id).ok_or_else(Refusal::not_found)?;
    group.invite_code = invite_code();
    let (code, group) = (group.invite_code.clone(), group.clone());
    let told = devices_of(state, group.members.keys(), Some(by));
    let node = Build::new("invite").attr("code", code.as_str()).build();
    notify(state, &group, &by.phone, told, node);
    Ok(code)
}

/// Changes the group's data and tells the members with the node that asked for it.
pub fn set(state: &mut State, by: &Address, id: &str, setting: Setting, told_as: &Node) -> Answered {
    let group = state.groups.get_mut(id).ok_or_else(Refusal::not_found)?;
    let (member, admin) = (group.members.contains_key(&by.phone), group.is_admin(&by.phone));
    let for_members = matches!(
        setting,
        Setting::Subject(_) | Setting::Description(_) | Setting::Ephemeral(_)
    );
    if !admin && (!member || !for_members || group.settings.locked) {
        return Err(Refusal::forbidden());
    }
    let mut told_as = told_as.clone();
    match setting {
        Setting::Subject(subject) => {
            group.subject_by = (by.phone.clone(), clock::now());
            told_as = Build::new("subject")
                .attr("subject", subject.as_str())
                .attr("s_t", clock::now())
                .build();
            group.subject = subject;
        }
        Setting::Description(description) => {
            if description.is_none() {
                told_as.content = Some(wacore_binary::NodeContent::Nodes(vec![
                    Build::new("delete").build(),
                ]));
            }
            group.description = description;
        }
        Setting::Locked(locked) => group.settings.locked = locked,
        Setting::Announcement(announcement) => group.settings.announcement = announcement,
        Setting::Ephemeral(seconds) => group.settings.ephemeral = seconds,
        Setting::JoinApproval(approval) => group.settings.join_approval = approval,
        Setting::MemberAddMode(mode) => group.settings.member_add_mode = Some(mode),
        Setting::MemberLinkMode(mode) => group.settings.member_link_mode = Some(mode),
    }
    let group = group.clone();
    if told_as.tag == "subject"
        && let Some(author) = state.phones.get(&by.phone)
    {
        told_as.attrs.insert("s_o", author.lid_jid());
    }
    let told = devices_of(state, group.members.keys(), None);
    notify(state, &group, &by.phone, told, told_as);
    Ok(())
}
