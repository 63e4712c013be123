//! When a message could not be decrypted: asks for it again, or encrypts it anew for who asks.

use crate::clock;
use crate::phone::receive::receipt_for;
use crate::phone::send::{distribution, enc, seal_for, send_app_state_key};
use crate::stanza::{message, receipt};
use crate::wire::node::{Build, jid_attr, number_attr, text_attr, with_bytes};
use crate::world::address::Address;
use crate::world::state::State;
use buffa::Message as _;
use wacore::messages::{MessageUtils, wrap_device_sent};
use wacore_binary::{Jid, JidExt as _, Node, NodeContent};
use waproto::whatsapp as wa;

/// Clients answer no more than this many (seen in whatsapp-rust 0.7.0).
const MAX_RETRIES: u8 = 5;

/// Sends a retry receipt to the author's device.
pub fn ask(state: &mut State, number: &str, id: &str, from: &Jid, author: &Jid) {
    let Ok(phone) = state.phone_mut(number) else {
        return;
    };
    let count = phone.retries.entry(id.to_owned()).or_insert(0);
    *count += 1;
    if *count >= MAX_RETRIES {
        return;
    }
    let retry = Build::new("retry")
        .attr("v", "1")
        .attr("id", id)
        .attr("t", clock::now())
        .attr("count", u64::from(*count))
        .build();
    let registration = with_bytes("registration", phone.signal.registration().to_be_bytes());
    let mut receipt = receipt_for(id, from, author, Some("retry"));
    receipt.content = Some(NodeContent::Nodes(vec![retry, registration]));
    if let Err(refusal) = receipt::route(state, &Address::primary(number), &receipt) {
        tracing::debug!(number, code = refusal.code, "retry receipt went nowhere");
    }
}

/// A device could not read one of the phone's messages: sends it again in a fresh session.
pub fn answer(state: &mut State, number: &str, receipt: &Node) {
    if let Err(error) = resend(state, number, receipt) {
        tracing::warn!(number, error = format!("{error:#}"), "retry not answered");
    }
}

fn resend(state: &mut State, number: &str, receipt: &Node) -> anyhow::Result<()> {
    let from = jid_attr(receipt, "from").ok_or_else(|| anyhow::anyhow!("no from"))?;
    let requester = jid_attr(receipt, "participant").unwrap_or_else(|| from.clone());
    let target = state
        .address_of(&requester)
        .ok_or_else(|| anyhow::anyhow!("unknown requester"))?;
    let id = text_attr(receipt, "id").unwrap_or_default();
    let count = receipt
        .get_optional_child("retry")
        .and_then(|retry| number_attr(retry, "count"))
        .unwrap_or(1);
    if count >= u64::from(MAX_RETRIES) {
        return Ok(());
    }
    state.phone_mut(number)?.signal.forget_session(&target);
    let phone = state.phone(number)?;
    let original = phone
        .messages
        .iter()
        .find(|message| message.view.id == id && !message.sent.is_empty());
    let Some(original) = original else {
        // The only messages that a phone sends without filing them bring the app-state key.
        return if target.phone == number {
            send_app_state_key(state, &target)
        } else {
            Ok(())
        };
    };
    let mut message = wa::Message::decode_from_slice(&original.sent)?;
    let chat = original.view.chat.clone();
    if from.is_group() {
        let sender_key = distribution(state, number, &chat)?;
        message.sender_key_distribution_message = sender_key.sender_key_distribution_message;
    } else if target.phone == number {
        message = wrap_device_sent(message, chat.clone());
    }
    let sealed = seal_for(state, number, &target, &MessageUtils::encode_and_pad(&message))?;
    let mut enc = enc(sealed, None);
    enc.attrs.insert("count", count);
    let mut stanza = Build::new("message")
        .attr("id", id)
        .attr("type", "text")
        .children([enc])
        .build();
    if from.is_group() {
        stanza.attrs.insert("to", &from);
        stanza.attrs.insert("participant", &requester);
        stanza.attrs.insert("addressing_mode", "lid");
    } else {
        stanza.attrs.insert("to", &requester);
        if target.phone == number {
            let peer = state
                .account_of(&chat.parse::<Jid>()?)
                .map(crate::world::account::Phone::lid_jid);
            if let Some(peer) = peer {
                stanza.attrs.insert("recipient", peer);
            }
        }
    }
    message::route(state, &Address::primary(number), &stanza)
        .map_err(|refusal| anyhow::anyhow!("refused: {}", refusal.code))
}
