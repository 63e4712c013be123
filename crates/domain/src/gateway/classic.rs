//! The classic webhook format: one flat JSON object per event, as receivers of older gateways expect
//! it, with what those lacked added: `event_id`, `id`, `timestamp`, `lid`, `group`.

use bytes::Bytes;
use chrono::DateTime;
use serde_json::{Value, json};

use crate::model::event::{IncomingCall, Receipt, ReceiptKind};
use crate::model::{Device, EndReason, Event, EventBody, EventId, Jid, ReceivedMessage, Timestamp};

/// The body for an event; `None` for events that the format does not have.
pub(super) fn render(device: &Device, id: EventId, event: &Event, recorded_at: Timestamp) -> Option<Bytes> {
    let mut body = match &event.body {
        EventBody::MessageReceived(message) => message_body(message),
        EventBody::ReceiptReceived(receipt) => receipt_body(receipt),
        EventBody::CallReceived(call) => call_body(call),
        EventBody::QrIssued { expires_at } => json!({ "event": "qr", "expires_at": expires_at.as_secs() }),
        EventBody::Connected => json!({ "event": "connected" }),
        EventBody::Disconnected => json!({ "event": "disconnected", "reason": "connection_lost" }),
        EventBody::Ended(EndReason::LoggedOut) => json!({ "event": "logged_out", "reason": "logged_out" }),
        EventBody::Ended(reason) => json!({ "event": "disconnected", "reason": reason.as_str() }),
        EventBody::Paired { .. }
        | EventBody::MessageProgressed(_)
        | EventBody::WebhookDisabled { .. }
        | EventBody::ProfileChanged { .. }
        | EventBody::ContactsChanged(_)
        | EventBody::ContactsRemoved(_) => return None,
    };
    let common = [
        ("token", json!(device.token.as_str())),
        ("event_id", json!(id)),
        ("timestamp", json!(event.at.as_secs())),
        ("update_at", json!(local_form(recorded_at))),
    ];
    for (key, value) in common {
        body[key] = value;
    }
    if body.get("phone").is_none() {
        body["phone"] = json!(device.phone().unwrap_or_default());
    }
    serde_json::to_vec(&body).ok().map(Bytes::from)
}

fn message_body(message: &ReceivedMessage) -> Value {
    let group = !message.chat.is_user();
    // In a conversation of two the interesting number is the other side's, in a group the writer's.
    let person = if group { &message.sender } else { &message.chat };
    let lid = if group {
        &message.sender_lid
    } else {
        &message.chat_lid
    };
    json!({
        "event": "message",
        "id": message.id,
        "phone": person.user(),
        "to": message.chat.user(),
        "chat": message.chat,
        "remoteJid": message.chat,
        "sender": message.sender.user(),
        "fromMe": message.from_me,
        "pushName": message.push_name.as_deref().unwrap_or_default(),
        "text": message.text,
        "message": message.text,
        "type": message.kind,
        "payload": payload(message, group),
        "media_url": Value::Null,
        "media": message.media,
        "lid": lid.as_ref().map(Jid::to_string).unwrap_or_default(),
        "group": group,
    })
}

/// A JSON string holding an array of one message, as older receivers parse it.
fn payload(message: &ReceivedMessage, group: bool) -> String {
    let mut key = json!({ "remoteJid": message.chat, "fromMe": message.from_me, "id": message.id });
    if group {
        key["participant"] = json!(message.sender);
    }
    json!([{
        "key": key,
        "messageTimestamp": message.at.as_secs(),
        "pushName": message.push_name.as_deref().unwrap_or_default(),
        "broadcast": group,
        "message": message.raw,
    }])
    .to_string()
}

fn receipt_body(receipt: &Receipt) -> Value {
    let kind = match receipt.kind {
        // Receivers know "delivered" by an empty type, as it stands on the wire.
        ReceiptKind::Delivered => "",
        other => other.as_str(),
    };
    json!({
        "event": "receipt",
        "chat": receipt.chat,
        "sender": receipt.sender,
        "phone": receipt.sender.user(),
        "type": kind,
        "ids": receipt.ids,
        "group": receipt.chat.is_group(),
    })
}

fn call_body(call: &IncomingCall) -> Value {
    let from = call.from_phone.as_ref().unwrap_or(&call.from);
    json!({
        "event": "incoming_call",
        "call_id": call.call_id,
        "id": call.call_id,
        "from": from,
        "phone": from.user(),
        "state": call.state.as_str(),
        "video": call.video,
        "lid": if call.from.server() == crate::model::JidServer::Lid { call.from.to_string() } else { String::new() },
    })
}

/// `YYYY-MM-DD HH:MM:SS`, UTC.
fn local_form(at: Timestamp) -> String {
    DateTime::from_timestamp_millis(at.0)
        .map(|at| at.format("%Y-%m-%d %H:%M:%S").to_string())
        .unwrap_or_default()
}
