//! Keys that devices leave with the server, so that others can start sessions while they are away.

use crate::clock;
use crate::phone::send;
use crate::stanza::{Answered, Refusal, pair};
use crate::wire::node::{
    Build, child_bytes, children, children_of, error_child, jid_attr, result, server_jid, with_bytes,
};
use crate::world::account::{PublicKeys, SignedKey};
use crate::world::address::Address;
use crate::world::link::Client;
use crate::world::state::State;
use wacore::prekeys::compute_key_bundle_digest;
use wacore_binary::{Jid, Node};

/// Key type of Curve25519.
const CURVE: u8 = 5;
/// Below this many one-time keys the device is told to bring more.
const LOW: usize = 10;

/// A one-time key: id and public key.
pub type OneTime = (Vec<u8>, Vec<u8>);

pub fn handle(state: &mut State, client: &Client, me: &Address, iq: &Node) -> Answered {
    let child = children(iq)
        .first()
        .ok_or_else(|| Refusal::bad_request("empty encrypt request"))?;
    match child.tag.as_ref() {
        "registration" | "identity" | "type" | "list" | "skey" => upload(state, client, me, iq),
        "count" => {
            let count = own_keys(state, me)?.pool.len() as u64;
            client.say(result(iq, vec![Build::new("count").attr("value", count).build()]));
            Ok(())
        }
        "digest" => {
            let digest = digest(own_keys(state, me)?);
            client.say(result(iq, vec![digest]));
            Ok(())
        }
        "rotate" => rotate(state, client, me, iq, child),
        "key" => {
            fetch(state, client, iq, child);
            Ok(())
        }
        tag => Err(Refusal::not_implemented(format!(
            "unknown request encrypt <{tag}>"
        ))),
    }
}

fn own_keys<'a>(state: &'a mut State, me: &Address) -> Result<&'a mut PublicKeys, Refusal> {
    state
        .device_mut(me)
        .map(|device| &mut device.keys)
        .ok_or_else(Refusal::unauthorized)
}

fn upload(state: &mut State, client: &Client, me: &Address, iq: &Node) -> Answered {
    let keys = own_keys(state, me)?;
    let identity = child_bytes(iq, "identity");
    if identity != keys.identity {
        return Err(Refusal::bad_request(
            "prekeys under another identity than the one paired",
        ));
    }
    let mut fresh = PublicKeys {
        registration: child_bytes(iq, "registration"),
        identity,
        ..Default::default()
    };
    fresh.signed = signed_key(iq).ok_or_else(|| Refusal::bad_request("prekeys without a signed prekey"))?;
    pair::check_signed_key(&fresh)?;
    fresh.pool.append(&mut keys.pool);
    for key in children_of(iq, "list") {
        let (id, value) = (child_bytes(key, "id"), child_bytes(key, "value"));
        if value.len() != 32 || id.is_empty() {
            return Err(Refusal::bad_request("malformed one-time prekey"));
        }
        fresh.pool.retain(|(other, _)| *other != id);
        fresh.pool.push_back((id, value));
    }
    *keys = fresh;
    client.say(result(iq, Vec::new()));
    // The phone has been waiting for keys to encrypt to.
    send::share_app_state_key(state, me);
    Ok(())
}

fn signed_key(parent: &Node) -> Option<SignedKey> {
    let skey = parent.get_optional_child("skey")?;
    Some(SignedKey {
        id: child_bytes(skey, "id"),
        public: child_bytes(skey, "value"),
        signature: child_bytes(skey, "signature"),
    })
}

fn rotate(state: &mut State, client: &Client, me: &Address, iq: &Node, child: &Node) -> Answered {
    let signed = signed_key(child).ok_or_else(|| Refusal::bad_request("rotation without a signed prekey"))?;
    let keys = own_keys(state, me)?;
    let fresh = PublicKeys {
        identity: keys.identity.clone(),
        signed: signed.clone(),
        ..Default::default()
    };
    pair::check_signed_key(&fresh)?;
    keys.signed = signed;
    client.say(result(iq, Vec::new()));
    Ok(())
}

fn signed_node(key: &SignedKey) -> Node {
    Build::new("skey")
        .children([
            with_bytes("id", key.id.clone()),
            with_bytes("value", key.public.clone()),
            with_bytes("signature", key.signature.clone()),
        ])
        .build()
}

/// What the server holds, so that the device can compare it with its own store.
fn digest(keys: &PublicKeys) -> Node {
    let publics: Vec<&[u8]> = keys.pool.iter().map(|(_, key)| key.as_slice()).collect();
    let hash = compute_key_bundle_digest(
        &keys.identity,
        &keys.signed.public,
        &keys.signed.signature,
        &publics,
    );
    let ids = keys
        .pool
        .iter()
        .map(|(id, _)| with_bytes("id", id.clone()))
        .collect::<Vec<_>>();
    Build::new("digest")
        .children([
            with_bytes("registration", keys.registration.clone()),
            with_bytes("type", vec![CURVE]),
            with_bytes("identity", keys.identity.clone()),
            signed_node(&keys.signed),
            Build::new("list").children(ids).build(),
            with_bytes("hash", hash),
        ])
        .build()
}

fn fetch(state: &mut State, client: &Client, iq: &Node, wanted: &Node) {
    let jids: Vec<Jid> = children(wanted)
        .iter()
        .filter_map(|user| jid_attr(user, "jid"))
        .collect();
    let users = jids
        .into_iter()
        .map(|jid| bundle_node(state, jid))
        .collect::<Vec<_>>();
    client.say(result(iq, vec![Build::new("list").children(users).build()]));
}

/// One user's bundle; an unknown device spoils its own entry only.
fn bundle_node(state: &mut State, jid: Jid) -> Node {
    let bundle = state
        .address_of(&jid)
        .and_then(|address| take_bundle(state, &address));
    let user = Build::new("user").attr("jid", jid);
    let Some((keys, one_time, identity)) = bundle else {
        return user.children([error_child(406, "not-acceptable")]).build();
    };
    let mut content = vec![
        with_bytes("registration", keys.registration),
        with_bytes("type", vec![CURVE]),
        with_bytes("identity", keys.identity),
    ];
    if let Some((id, value)) = one_time {
        content.push(
            Build::new("key")
                .children([with_bytes("id", id), with_bytes("value", value)])
                .build(),
        );
    }
    content.push(signed_node(&keys.signed));
    if !identity.is_empty() {
        content.push(with_bytes("device-identity", identity));
    }
    user.attr("t", clock::now()).children(content).build()
}

/// A device's public keys with one one-time key, taken for good, and its signed identity.
pub fn take_bundle(state: &mut State, address: &Address) -> Option<(PublicKeys, Option<OneTime>, Vec<u8>)> {
    if address.is_primary() {
        let phone = state.phones.get(&address.phone)?;
        return Some((phone.signal.public_keys(), None, Vec::new()));
    }
    let device = state
        .device_mut(address)
        .filter(|device| !device.identity.is_empty())?;
    let one_time = device.keys.pool.pop_front();
    let keys = PublicKeys {
        pool: std::collections::VecDeque::new(),
        ..device.keys.clone()
    };
    let (identity, left) = (device.identity.clone(), device.keys.pool.len());
    if one_time.is_some() && left == LOW {
        warn_low(state, address, left);
    }
    Some((keys, one_time, identity))
}

fn warn_low(state: &mut State, address: &Address, left: usize) {
    let warning = Build::new("notification")
        .attr("from", server_jid())
        .attr("type", "encrypt")
        .attr("t", clock::now())
        .children([Build::new("count").attr("value", left as u64).build()])
        .build();
    state.notify_all([address.clone()], &warning);
}
