//! Requests: finds the handler for an `<iq>` and turns its refusal into an error reply.

use crate::stanza::{
    Answered, Refusal, appstate, blocklist, devices, group, login, media_conn, pair, pair_code, picture,
    prekeys, privacy, status, usync,
};
use crate::wire::node::{Build, attr_is, children, empty, error, result, text_attr};
use crate::world::address::Address;
use crate::world::link::Client;
use crate::world::state::State;
use wacore_binary::Node;

pub fn handle(state: &mut State, client: &Client, iq: &Node) {
    let outcome = match text_attr(iq, "type").as_deref() {
        Some("result" | "error") => pair::reply(state, client, iq),
        Some("get" | "set") => request(state, client, iq),
        other => Err(Refusal::bad_request(format!("iq of type {other:?}"))),
    };
    if let Err(refusal) = outcome {
        if !attr_is(iq, "type", "result") && !attr_is(iq, "type", "error") {
            client.say(error(iq, refusal.code, refusal.text));
        }
        if let Some(what) = refusal.violation {
            state.accuse(client, iq, what);
        }
    }
}

fn request(state: &mut State, client: &Client, iq: &Node) -> Answered {
    if text_attr(iq, "id").is_none() {
        return Err(Refusal::bad_request("iq without id"));
    }
    let namespace = text_attr(iq, "xmlns").unwrap_or_default();
    let child = children(iq).first();
    let tag = child.map(|child| child.tag.to_string()).unwrap_or_default();
    match (namespace.as_str(), tag.as_str(), child) {
        ("w:p" | "urn:xmpp:ping", _, _) => {
            client.say(result(iq, Vec::new()));
            Ok(())
        }
        ("md", "link_code_companion_reg", Some(registration)) => {
            pair_code::handle(state, client, iq, registration)
        }
        _ => {
            let me = client.address.clone().ok_or_else(Refusal::unauthorized)?;
            if state.device_mut(&me).is_none() {
                return Err(Refusal::unauthorized());
            }
            of_device(state, client, &me, iq, &namespace, child)
        }
    }
}

fn of_device(
    state: &mut State,
    client: &Client,
    me: &Address,
    iq: &Node,
    namespace: &str,
    child: Option<&Node>,
) -> Answered {
    let tag = child.map(|child| child.tag.as_ref()).unwrap_or_default();
    match (namespace, tag) {
        ("passive", "active") => {
            client.say(result(iq, Vec::new()));
            login::activate(state, client, me);
            Ok(())
        }
        ("passive", "passive")
        | ("urn:xmpp:whatsapp:dirty", "clean")
        | ("w:stats" | "spam", _)
        | ("disappearing_mode", "disappearing_mode") => {
            client.say(result(iq, Vec::new()));
            Ok(())
        }
        ("encrypt", _) => prekeys::handle(state, client, me, iq),
        ("usync", "usync") => usync::handle(state, client, me, iq),
        ("w:sync:app:state", "sync") => appstate::handle(state, client, me, iq),
        ("w:g2", _) => group::handle(state, client, me, iq),
        ("w:m", "media_conn") => media_conn::handle(state, client, me, iq),
        ("w:profile:picture", _) => picture::handle(state, client, me, iq),
        ("status", "status") => status::handle(state, client, me, iq),
        ("blocklist", _) => blocklist::handle(state, client, me, iq),
        ("privacy", "tokens") => privacy::tokens(state, client, me, iq),
        ("privacy", "privacy") => privacy::handle(state, client, me, iq),
        ("abt", "props") => {
            client.say(result(iq, vec![ab_props()]));
            Ok(())
        }
        // Nobody here is a business.
        ("w:biz", "business_profile") => {
            client.say(result(iq, vec![empty("business_profile")]));
            Ok(())
        }
        ("md", "remove-companion-device") => devices::remove_by_request(state, client, me, iq),
        _ => Err(Refusal::not_implemented(format!(
            "unknown request {namespace} <{tag}>"
        ))),
    }
}

/// Chats are addressed by LID (code seen in whatsapp-rust 0.7.0).
const LID_MIGRATED: &str = "9435";
/// Direct messages carry the recipient's trusted-contact token (code seen in whatsapp-rust 0.7.0).
const TOKEN_ON_DIRECT_MESSAGES: &str = "10518";

/// Server-side switches that the simulator turns on.
fn ab_props() -> Node {
    let on = |code: &'static str| {
        Build::new("prop")
            .attr("config_code", code)
            .attr("config_value", "1")
            .build()
    };
    Build::new("props")
        .attr("protocol", "1")
        .attr("hash", "wa-sim")
        .attr("refresh", "86400")
        .children([on(LID_MIGRATED), on(TOKEN_ON_DIRECT_MESSAGES)])
        .build()
}
