//! Carries receipts back to the author: delivered, read, played, and the plea to encrypt again.

use crate::clock;
use crate::stanza::{Answered, Refusal, release_by_receipt};
use crate::wire::node::{Build, jid_attr, text_attr, without_attrs};
use crate::world::address::Address;
use crate::world::link::Client;
use crate::world::state::State;
use wacore_binary::{Jid, JidExt as _, Node};

pub fn from_client(state: &mut State, client: &Client, me: &Address, receipt: &Node) -> Answered {
    let to = jid_attr(receipt, "to").ok_or_else(|| Refusal::bad_request("receipt without to"))?;
    let id = text_attr(receipt, "id").ok_or_else(|| Refusal::bad_request("receipt without id"))?;
    let mut ack = Build::new("ack")
        .attr("class", "receipt")
        .attr("id", id)
        .attr("from", to);
    if let Some(kind) = text_attr(receipt, "type") {
        ack = ack.attr("type", kind);
    }
    if let Some(participant) = jid_attr(receipt, "participant") {
        ack = ack.attr("participant", participant);
    }
    client.say(ack.build());
    release_by_receipt(state, me, receipt);
    route(state, me, receipt)
}

/// How far a receipt goes.
enum Reach {
    /// The very device that wrote the message.
    AuthorDevice,
    /// The author, or the one device that is addressed.
    Author,
    /// The reader's own other devices.
    OwnDevices,
}

fn reach(kind: Option<&str>) -> Reach {
    match kind {
        Some("retry" | "enc_rekey_retry") => Reach::AuthorDevice,
        Some("sender" | "peer_msg" | "hist_sync" | "read-self" | "played-self" | "inactive-self") => {
            Reach::OwnDevices
        }
        _ => Reach::Author,
    }
}

/// Delivers a receipt of any device, phones included.
pub fn route(state: &mut State, from: &Address, receipt: &Node) -> Answered {
    let to = jid_attr(receipt, "to").ok_or_else(|| Refusal::bad_request("receipt without to"))?;
    let kind = text_attr(receipt, "type");
    let reach = reach(kind.as_deref());
    if to.is_group() || to.is_status_broadcast() {
        return route_in_group(state, from, receipt, &to, &reach);
    }
    let forwarded = readdressed(state, from, receipt, &to)?;
    let targets = targets(state, from, &to, &reach)?;
    state.deliver_all(targets, &forwarded);
    Ok(())
}

fn readdressed(state: &State, from: &Address, receipt: &Node, like: &Jid) -> Result<Node, Refusal> {
    let reader = state.phone(&from.phone).map_err(|_| Refusal::not_found())?;
    let mut forwarded = without_attrs(receipt.clone(), &["to", "from"]);
    forwarded
        .attrs
        .insert("from", reader.device_jid(from.device, like));
    forwarded.attrs.insert("t", clock::now());
    Ok(forwarded)
}

fn targets(state: &State, from: &Address, author: &Jid, reach: &Reach) -> Result<Vec<Address>, Refusal> {
    if let Reach::OwnDevices = reach {
        let own = state.phone(&from.phone).map_err(|_| Refusal::not_found())?;
        return Ok(own
            .addresses()
            .into_iter()
            .filter(|address| address != from)
            .collect());
    }
    let address = state.address_of(author).ok_or_else(Refusal::not_found)?;
    if matches!(reach, Reach::AuthorDevice) {
        return Ok(vec![address]);
    }
    let phone = state.phone(&address.phone).map_err(|_| Refusal::not_found())?;
    if address.is_primary() {
        return Ok(phone.addresses());
    }
    // The phone shows its owner how far the message got, whichever device wrote it.
    Ok(vec![Address::primary(&address.phone), address])
}

fn route_in_group(state: &mut State, from: &Address, receipt: &Node, to: &Jid, reach: &Reach) -> Answered {
    let Some(author) = jid_attr(receipt, "participant") else {
        // Own messages of other devices are confirmed without naming their author.
        return Ok(());
    };
    let reader = state.phone(&from.phone).map_err(|_| Refusal::not_found())?;
    let mut forwarded = without_attrs(receipt.clone(), &["to", "from", "participant"]);
    forwarded.attrs.insert("from", to);
    forwarded
        .attrs
        .insert("participant", reader.device_jid(from.device, &author));
    forwarded.attrs.insert("t", clock::now());
    let targets = targets(state, from, &author, reach)?;
    state.deliver_all(targets, &forwarded);
    Ok(())
}
