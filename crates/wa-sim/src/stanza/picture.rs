//! Profile pictures of accounts and groups.

use crate::clock;
use crate::media::PICTURE;
use crate::stanza::{Answered, Refusal, group_node, status};
use crate::wire::node::{Build, attr_is, bytes_of, children, error_child, jid_attr, result, text_attr};
use crate::world::account::Picture;
use crate::world::address::Address;
use crate::world::link::Client;
use crate::world::state::State;
use wacore_binary::{Jid, JidExt as _, Node};

pub fn handle(state: &mut State, client: &Client, me: &Address, iq: &Node) -> Answered {
    let own = state.phone(&me.phone).map_err(|_| Refusal::not_found())?.pn_jid();
    let target = jid_attr(iq, "target").unwrap_or(own).to_non_ad();
    let child = children(iq).first();
    if attr_is(iq, "type", "get") {
        let kind = child
            .and_then(|child| text_attr(child, "type"))
            .unwrap_or_else(|| "image".to_owned());
        let answer = describe(state, &target, &kind);
        client.say(result(iq, vec![answer]));
        return Ok(());
    }
    let picture = match child {
        Some(child) => Some(keep(state, &bytes_of(child))?),
        None => None,
    };
    client.say(result(iq, picture.iter().map(picture_node).collect()));
    set(state, me, &target, picture.as_ref())
}

fn picture_node(picture: &Picture) -> Node {
    Build::new("picture").attr("id", picture.id.as_str()).build()
}

fn keep(state: &mut State, image: &[u8]) -> Result<Picture, Refusal> {
    if image.is_empty() {
        return Err(Refusal::bad_request("empty picture"));
    }
    let direct_path = state.media.put(PICTURE, image);
    let id = state.new_id("17000000");
    Ok(Picture { id, direct_path })
}

fn picture_of<'a>(state: &'a State, target: &Jid) -> Option<&'a Picture> {
    if target.is_group() {
        state.group_of(target)?.picture.as_ref()
    } else {
        state.account_of(target)?.picture.as_ref()
    }
}

fn describe(state: &State, target: &Jid, kind: &str) -> Node {
    let Some(picture) = picture_of(state, target) else {
        return Build::new("picture")
            .children([error_child(404, "item-not-found")])
            .build();
    };
    Build::new("picture")
        .attr("id", picture.id.as_str())
        .attr("type", kind)
        .attr("url", state.media.url_of(&picture.direct_path))
        .attr("direct_path", picture.direct_path.as_str())
        .build()
}

fn set(state: &mut State, me: &Address, target: &Jid, picture: Option<&Picture>) -> Answered {
    let author = state
        .phone(&me.phone)
        .map_err(|_| Refusal::not_found())?
        .lid_jid();
    let told = if target.is_group() {
        let group = state
            .groups
            .get_mut(target.user.as_str())
            .ok_or_else(Refusal::not_found)?;
        if group.settings.locked && !group.is_admin(&me.phone) || !group.members.contains_key(&me.phone) {
            return Err(Refusal::forbidden());
        }
        group.picture = picture.cloned();
        let members: Vec<String> = group.members.keys().cloned().collect();
        group_node::devices_of(state, members.iter(), Some(me))
    } else {
        if state
            .address_of(target)
            .is_none_or(|address| address.phone != me.phone)
        {
            return Err(Refusal::forbidden());
        }
        state
            .phone_mut(&me.phone)
            .map_err(|_| Refusal::not_found())?
            .picture = picture.cloned();
        // The device that set it hears of it too: clients take the news from the notification alone.
        let mut told = status::audience(state, &me.phone, me);
        told.push(me.clone());
        told
    };
    let change = match picture {
        Some(picture) => Build::new("set")
            .attr("jid", target)
            .attr("id", picture.id.as_str())
            .attr("author", author)
            .build(),
        None => Build::new("delete")
            .attr("jid", target)
            .attr("author", author)
            .build(),
    };
    let notification = Build::new("notification")
        .attr("from", target)
        .attr("type", "picture")
        .attr("t", clock::now())
        .children([change])
        .build();
    state.notify_all(told, &notification);
    Ok(())
}
