//! Pairing by phone number: the device shows a code, the person types it on the phone.
//!
//! The server only carries messages between device and phone; it never sees the code.

use crate::clock;
use crate::phone::keys::Secret;
use crate::phone::link;
use crate::stanza::{Answered, Refusal, pair};
use crate::wire::node::{Build, child_bytes, jid_attr, result, server_jid, text_attr, with_bytes};
use crate::world::address::digits;
use crate::world::link::{Client, CodeRequest, PrimaryHello, Waiter};
use crate::world::state::State;
use crate::world::view::SimError;
use wacore::pair_code::PairCodeUtils;
use wacore_binary::Node;

const TAG: &str = "link_code_companion_reg";

/// Both client stages, told apart by `stage`.
pub fn handle(state: &mut State, client: &Client, iq: &Node, registration: &Node) -> Answered {
    match text_attr(registration, "stage").as_deref() {
        Some("companion_hello") => companion_hello(state, client, iq, registration),
        Some("companion_finish") => companion_finish(state, client, iq, registration),
        other => Err(Refusal::bad_request(format!("unknown pairing stage {other:?}"))),
    }
}

fn companion_hello(state: &mut State, client: &Client, iq: &Node, registration: &Node) -> Answered {
    let phone =
        jid_attr(registration, "jid").ok_or_else(|| Refusal::bad_request("companion_hello without jid"))?;
    let wrapped_ephemeral = child_bytes(registration, "link_code_pairing_wrapped_companion_ephemeral_pub");
    if wrapped_ephemeral.len() != 80 {
        return Err(Refusal::bad_request("the wrapped ephemeral key has 80 bytes"));
    }
    if child_bytes(registration, "companion_server_auth_key_pub") != client.noise {
        return Err(Refusal::bad_request("companion_hello names another Noise key"));
    }
    let reference = state.new_id("code-ref").into_bytes();
    let pairing = pairing_of(state, client)?;
    pairing.code = Some(CodeRequest {
        phone: phone.user.to_string(),
        reference: reference.clone(),
        wrapped_ephemeral,
        hello: None,
    });
    let reply = Build::new(TAG)
        .attr("stage", "companion_hello")
        .children([with_bytes("link_code_pairing_ref", reference)])
        .build();
    client.say(result(iq, vec![reply]));
    Ok(())
}

fn pairing_of<'a>(
    state: &'a mut State,
    client: &Client,
) -> Result<&'a mut crate::world::link::Pairing, Refusal> {
    let own = state
        .pairings
        .iter_mut()
        .find(|pairing| pairing.link.number == client.link.number);
    own.ok_or_else(|| Refusal::bad_request("this connection is not pairing"))
}

/// The wrapped key of the device that waits for a code of this phone; newest first.
pub fn waiting(state: &State, phone: &str) -> Result<(u64, Vec<u8>), SimError> {
    let phone = digits(phone);
    state.phone(&phone)?;
    let request = state.pairings.iter().rev().find_map(|pairing| {
        let code = pairing.code.as_ref().filter(|code| code.phone == phone)?;
        Some((pairing.link.number, code.wrapped_ephemeral.clone()))
    });
    request.ok_or_else(|| SimError::Conflict("no device waits for a code of this phone".to_owned()))
}

/// What the phone computes when the code is typed; slow on purpose (PBKDF2), so not done inside the world's lock.
pub struct Typed {
    connection: u64,
    ephemeral: Secret,
    wrapped: [u8; 80],
    companion_ephemeral: [u8; 32],
}

impl Typed {
    pub fn compute(connection: u64, wrapped_ephemeral: &[u8], code: &str) -> Result<Self, SimError> {
        let code: String = code
            .chars()
            .filter(char::is_ascii_alphanumeric)
            .collect::<String>()
            .to_ascii_uppercase();
        if !PairCodeUtils::validate_code(&code) {
            return Err(SimError::Invalid(
                "a pairing code has eight letters and digits".to_owned(),
            ));
        }
        let companion_ephemeral = PairCodeUtils::decrypt_primary_ephemeral_pub(wrapped_ephemeral, &code)
            .map_err(|error| SimError::Conflict(error.to_string()))?;
        let ephemeral = Secret::generate();
        let wrapped = PairCodeUtils::encrypt_ephemeral_pub(&ephemeral.public(), &code);
        Ok(Self {
            connection,
            ephemeral,
            wrapped,
            companion_ephemeral,
        })
    }
}

/// The phone answers the device (`primary_hello`).
pub fn primary_hello(state: &mut State, phone: &str, typed: Typed, waiter: Waiter) -> Result<(), SimError> {
    let identity = state.phone(phone)?.signal.identity().public();
    let id = state.new_id("N");
    let pairing = state
        .pairings
        .iter_mut()
        .find(|pairing| pairing.link.number == typed.connection);
    let gone = || SimError::Conflict("the device went away".to_owned());
    let pairing = pairing.ok_or_else(gone)?;
    let code = pairing.code.as_mut().ok_or_else(gone)?;
    let hello = Build::new(TAG).attr("stage", "primary_hello").children([
        with_bytes("link_code_pairing_wrapped_primary_ephemeral_pub", typed.wrapped),
        with_bytes("primary_identity_pub", identity),
        with_bytes("link_code_pairing_ref", code.reference.clone()),
    ]);
    code.hello = Some(PrimaryHello {
        ephemeral: typed.ephemeral,
        companion_ephemeral: typed.companion_ephemeral,
        waiter,
    });
    let notification = Build::new("notification")
        .attr("type", TAG)
        .attr("from", server_jid())
        .attr("id", id)
        .attr("t", clock::now())
        .children([hello.build()]);
    pairing.link.say(notification.build());
    Ok(())
}

fn companion_finish(state: &mut State, client: &Client, iq: &Node, registration: &Node) -> Answered {
    let bundle = child_bytes(registration, "link_code_pairing_wrapped_key_bundle");
    let identity = child_bytes(registration, "companion_identity_public");
    let reference = child_bytes(registration, "link_code_pairing_ref");
    let pairing = pairing_of(state, client)?;
    if pairing.keys.identity != identity {
        return Err(Refusal::bad_request(
            "companion_finish names another identity key",
        ));
    }
    let code = pairing
        .code
        .take_if(|code| code.reference == reference && code.hello.is_some());
    let code = code.ok_or_else(|| Refusal::bad_request("companion_finish without primary_hello"))?;
    client.say(result(iq, Vec::new()));
    let Some(hello) = code.hello else { return Ok(()) };
    let outcome = finish(state, client, &code.phone, &hello, &identity, &bundle);
    match outcome {
        Ok(secret) => {
            let index = state
                .pairings
                .iter()
                .position(|pairing| pairing.link.number == client.link.number);
            let index = index.ok_or_else(Refusal::not_found)?;
            let accepted = pair::accept(state, index, &code.phone, &secret, hello.waiter);
            accepted.map_err(|error| Refusal::bad_request(error.to_string()))
        }
        // A wrong code: the phone tells its owner, the device hears nothing.
        Err(error) => {
            let _ = hello.waiter.send(Err(SimError::Conflict(error.to_string())));
            Ok(())
        }
    }
}

fn finish(
    state: &State,
    client: &Client,
    phone: &str,
    hello: &PrimaryHello,
    identity: &[u8],
    bundle: &[u8],
) -> anyhow::Result<[u8; 32]> {
    let account = state.phone(phone)?.signal.identity();
    tracing::debug!(connection = client.link.number, phone, "opening the key bundle");
    link::open_key_bundle(
        account,
        &hello.ephemeral,
        &hello.companion_ephemeral,
        identity,
        bundle,
    )
}
