//! QR pairing: codes for an unregistered client, the scan by a phone, and the client's signature at the end.

use crate::clock;
use crate::phone::keys::verify;
use crate::phone::link;
use crate::stanza::{Answered, Refusal, devices};
use crate::wire::node::{Build, children_of, server_jid, text_attr, with_bytes};
use crate::world::account::{Device, PublicKeys, SignedKey};
use crate::world::address::Address;
use crate::world::link::{Client, Pairing, PendingLink, Waiter};
use crate::world::queue::Queue;
use crate::world::state::State;
use crate::world::view::SimError;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use buffa::Message as _;
use wacore::companion_reg::NATIVE_CAMERA_DEEP_LINK_PREFIX;
use wacore::pair::PairUtils;
use wacore_binary::Node;
use waproto::whatsapp as wa;

/// Refs per connection; the first is shown for a minute, the others for twenty seconds each.
const REFS: usize = 6;
const FIRST_REF_SECS: u64 = 60;
const REF_SECS: u64 = 20;
/// A person may scan the very moment a code is replaced.
const SCAN_GRACE_SECS: u64 = 20;

/// What a QR code says.
pub struct QrCode {
    reference: String,
    noise: [u8; 32],
    identity: [u8; 32],
    adv_secret: Vec<u8>,
}

impl QrCode {
    pub fn parse(text: &str) -> Result<Self, SimError> {
        let text = text.trim();
        let (reference, noise, identity) = PairUtils::parse_qr_code(text)
            .map_err(|error| SimError::Conflict(format!("not a pairing code: {error}")))?;
        let body = text.strip_prefix(NATIVE_CAMERA_DEEP_LINK_PREFIX).unwrap_or(text);
        let adv_secret = body
            .split(',')
            .nth(3)
            .and_then(|field| BASE64_STANDARD.decode(field).ok());
        let adv_secret =
            adv_secret.ok_or_else(|| SimError::Conflict("no ADV secret in the code".to_owned()))?;
        Ok(Self {
            reference,
            noise,
            identity,
            adv_secret,
        })
    }
}

/// Opens pairing for an unregistered connection and sends it the refs for its QR codes.
pub fn open(state: &mut State, client: &Client, payload: &wa::ClientPayload) -> Answered {
    let data = payload.device_pairing_data.as_option();
    let data = data.ok_or_else(|| Refusal::bad_request("registration without pairing data"))?;
    let keys = PublicKeys {
        registration: data.e_regid.clone().unwrap_or_default(),
        identity: data.e_ident.clone().unwrap_or_default(),
        signed: SignedKey {
            id: data.e_skey_id.clone().unwrap_or_default(),
            public: data.e_skey_val.clone().unwrap_or_default(),
            signature: data.e_skey_sig.clone().unwrap_or_default(),
        },
        ..Default::default()
    };
    check_signed_key(&keys)?;
    let refs: Vec<String> = (0..REFS).map(|_| format!("2@{}", state.new_id("ref"))).collect();
    let children = refs
        .iter()
        .map(|text| with_bytes("ref", text.as_bytes()))
        .collect::<Vec<_>>();
    state.pairings.push(Pairing {
        link: client.link.clone(),
        noise: client.noise.clone(),
        keys,
        push_name: payload.push_name.clone().filter(|name| !name.is_empty()),
        refs,
        opened: clock::now(),
        code: None,
        pending: None,
    });
    let id = state.new_id("pair");
    client.say(md_request(
        &id,
        Build::new("pair-device").children(children).build(),
    ));
    Ok(())
}

/// The signed prekey must bear the identity's signature, or nobody could start a session.
pub fn check_signed_key(keys: &PublicKeys) -> Answered {
    let message = [&[5], keys.signed.public.as_slice()].concat();
    if verify(&keys.identity, &message, &keys.signed.signature) {
        Ok(())
    } else {
        Err(Refusal::bad_request("bad signature of the signed prekey"))
    }
}

/// The push name that the client of this code registered with.
pub fn push_name_of(state: &State, qr: &QrCode) -> Result<Option<String>, SimError> {
    let index = find(state, qr)?;
    Ok(state.pairings[index].push_name.clone())
}

/// A phone scans the code; `waiter` hears when the device has signed.
pub fn scan(state: &mut State, phone: &str, qr: &QrCode, waiter: Waiter) -> Result<(), SimError> {
    let index = find(state, qr)?;
    if state.pairings[index].pending.is_some() {
        return Err(SimError::Conflict("the code has been scanned already".to_owned()));
    }
    accept(state, index, phone, &qr.adv_secret, waiter)
}

fn find(state: &State, qr: &QrCode) -> Result<usize, SimError> {
    let matching = state
        .pairings
        .iter()
        .position(|pairing| pairing.refs.contains(&qr.reference));
    let index =
        matching.ok_or_else(|| SimError::Conflict("the code is not, or no longer, valid".to_owned()))?;
    let pairing = &state.pairings[index];
    let place = pairing
        .refs
        .iter()
        .position(|text| *text == qr.reference)
        .unwrap_or(0) as u64;
    if clock::now() > pairing.opened + FIRST_REF_SECS + place * REF_SECS + SCAN_GRACE_SECS {
        return Err(SimError::Conflict("the code is no longer valid".to_owned()));
    }
    if pairing.noise != qr.noise || pairing.keys.identity != qr.identity {
        return Err(SimError::Conflict(
            "the code and the connection name different keys".to_owned(),
        ));
    }
    Ok(index)
}

/// The phone takes the companion in: makes the device and sends `pair-success`.
pub fn accept(
    state: &mut State,
    index: usize,
    number: &str,
    adv_secret: &[u8],
    waiter: Waiter,
) -> Result<(), SimError> {
    let keys = state.pairings[index].keys.clone();
    let noise = state.pairings[index].noise.clone();
    let iq = state.new_id("pair");
    let phone = state.phone_mut(number)?;
    let (device, key_index) = phone.next_device();
    let vouched = link::vouch(phone, key_index, &keys.identity, adv_secret)
        .map_err(|error| SimError::Invalid(error.to_string()))?;
    let address = Address::new(&phone.number, device);
    let (pn, lid) = (
        phone.device_jid(device, &phone.pn_jid()),
        phone.device_jid(device, &phone.lid_jid()),
    );
    let made = Device {
        key_index,
        noise,
        identity: Vec::new(),
        keys,
        queue: Queue::default(),
        key_shared: false,
    };
    phone.devices.insert(device, made);
    let pairing = &mut state.pairings[index];
    pairing.pending = Some(PendingLink {
        iq: iq.clone(),
        address,
        details: vouched.details,
        waiter,
    });
    let success = Build::new("pair-success").children([
        with_bytes("device-identity", vouched.container),
        Build::new("device").attr("jid", pn).attr("lid", lid).build(),
        Build::new("platform").attr("name", "android").build(),
        with_bytes("client-props", client_props()),
    ]);
    pairing.link.say(md_request(&iq, success.build()));
    Ok(())
}

/// Tells the client that chats are addressed by LID; it decides how direct messages are addressed.
fn client_props() -> Vec<u8> {
    wa::ClientPairingProps {
        is_chat_db_lid_migrated: Some(true),
        ..Default::default()
    }
    .encode_to_vec()
}

fn md_request(id: &str, child: Node) -> Node {
    Build::new("iq")
        .attr("from", server_jid())
        .attr("type", "set")
        .attr("id", id)
        .attr("xmlns", "md")
        .attr("t", clock::now())
        .children([child])
        .build()
}

/// The client's answer to `pair-success`, or to anything else the server asked of it.
pub fn reply(state: &mut State, client: &Client, stanza: &Node) -> Answered {
    let id = text_attr(stanza, "id").unwrap_or_default();
    let owner = state
        .pairings
        .iter_mut()
        .find(|pairing| pairing.link.number == client.link.number);
    let Some(pending) = owner.and_then(|pairing| pairing.pending.take_if(|pending| pending.iq == id)) else {
        return Ok(());
    };
    match sign(state, &pending, stanza) {
        Ok(()) => {
            let _ = pending.waiter.send(Ok(pending.address.pn_jid().to_string()));
            client.say(Build::new("stream:error").attr("code", "515").build());
            client.link.close();
            devices::announce_new(state, &pending.address);
            Ok(())
        }
        Err(refusal) => {
            withdraw(state, &pending.address);
            let why = refusal
                .violation
                .clone()
                .unwrap_or_else(|| "the device refused to pair".to_owned());
            let _ = pending.waiter.send(Err(SimError::Conflict(why)));
            Err(refusal)
        }
    }
}

fn sign(state: &mut State, pending: &PendingLink, stanza: &Node) -> Answered {
    let signed = children_of(stanza, "pair-device-sign")
        .iter()
        .find(|child| child.tag == "device-identity");
    let identity = signed.map(crate::wire::node::bytes_of);
    let identity = identity.ok_or_else(|| Refusal::bad_request("the device did not sign its identity"))?;
    let phone = state
        .phone(&pending.address.phone)
        .map_err(|_| Refusal::not_found())?;
    let companion = phone
        .devices
        .get(&pending.address.device)
        .ok_or_else(Refusal::not_found)?;
    link::check_device_signature(phone, &companion.keys.identity, &pending.details, &identity)?;
    if let Some(device) = state.device_mut(&pending.address) {
        device.identity = identity;
    }
    Ok(())
}

/// Ends the pairing of a connection that is gone.
pub fn abandon(state: &mut State, number: u64) {
    let Some(index) = state
        .pairings
        .iter()
        .position(|pairing| pairing.link.number == number)
    else {
        return;
    };
    let pairing = state.pairings.swap_remove(index);
    let gone = || {
        Err(SimError::Conflict(
            "the device went away while pairing".to_owned(),
        ))
    };
    if let Some(pending) = pairing.pending {
        withdraw(state, &pending.address);
        let _ = pending.waiter.send(gone());
    }
    if let Some(hello) = pairing.code.and_then(|code| code.hello) {
        let _ = hello.waiter.send(gone());
    }
}

/// Takes back a device that never finished pairing.
fn withdraw(state: &mut State, address: &Address) {
    if let Ok(phone) = state.phone_mut(&address.phone) {
        phone.devices.remove(&address.device);
    }
}
