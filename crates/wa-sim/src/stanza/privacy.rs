//! Privacy settings, and the tokens that vouch for a trusted contact.

use crate::clock;
use crate::stanza::{Answered, Refusal};
use crate::wire::node::{Build, attr_is, children, children_of, jid_attr, result, text_attr, without_attrs};
use crate::world::account::Phone;
use crate::world::address::Address;
use crate::world::link::Client;
use crate::world::state::State;
use wacore_binary::{Node, NodeContent};

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

/// Makes a token for each contact that the account trusts: the account reads it in the answer, the contact's devices
/// in a notification, and they show it when they write.
pub fn tokens(state: &mut State, client: &Client, me: &Address, iq: &Node) -> Answered {
    let list = children(iq)
        .first()
        .ok_or_else(|| Refusal::bad_request("no tokens"))?;
    let mut made = Vec::new();
    for asked in children(list) {
        let jid = jid_attr(asked, "jid").ok_or_else(|| Refusal::bad_request("token without jid"))?;
        if !attr_is(asked, "type", "trusted_contact") || text_attr(asked, "t").is_none() {
            return Err(Refusal::bad_request("token without time or of an unknown type"));
        }
        let trusted = state.account_of(&jid).map(|phone| phone.number.clone());
        let Some(trusted) = trusted.filter(|trusted| *trusted != me.phone) else {
            continue;
        };
        let issuer = state.phone_mut(&me.phone).map_err(|_| Refusal::not_found())?;
        let mut token = asked.clone();
        token.content = Some(NodeContent::Bytes(issuer.token_for(&trusted)));
        made.push((trusted, token));
    }
    let answer = made.iter().map(|(_, token)| token.clone()).collect::<Vec<_>>();
    client.say(result(iq, vec![Build::new("tokens").children(answer).build()]));
    for (trusted, token) in made {
        pass_on(state, me, &trusted, token);
    }
    Ok(())
}

fn pass_on(state: &mut State, from: &Address, trusted: &str, token: Node) {
    let (Ok(issuer), Ok(contact)) = (state.phone(&from.phone), state.phone(trusted)) else {
        return;
    };
    let notification = Build::new("notification")
        .attr("from", issuer.pn_jid())
        .attr("sender_lid", issuer.lid_jid())
        .attr("type", "privacy_token")
        .attr("t", clock::now())
        .children([Build::new("tokens")
            .children([without_attrs(token, &["jid"])])
            .build()])
        .build();
    let told = contact.companions();
    state.notify_all(told, &notification);
}
