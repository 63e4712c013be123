//! The standard form of an event: what `GET /v1/events` lists and standard endpoints receive, byte for
//! byte the same, so that a receiver that fell behind can catch up with the code it has.

use bytes::Bytes;
use chrono::{DateTime, SecondsFormat};
use serde_json::{Value, json};

use crate::model::event::{IncomingCall, Progress, Receipt};
use crate::model::{
    Device, EndReason, Event, EventBody, EventId, EventKind, Jid, JidServer, ReceivedMessage, Timestamp,
};
use crate::{Error, Result};

/// The event as `{id, type, timestamp, device, data}`.
pub(super) fn render(device: &Device, id: EventId, kind: EventKind, event: &Event) -> Result<Bytes> {
    let body = json!({
        "id": id,
        "type": kind.as_str(),
        "timestamp": rfc3339(event.at),
        "device": {
            "id": device.id,
            "token": device.token.as_str(),
            "phone": device.phone(),
            "lid": device.lid,
        },
        "data": data(&event.body),
    });
    serde_json::to_vec(&body)
        .map(Bytes::from)
        .map_err(Error::internal)
}

fn data(body: &EventBody) -> Value {
    match body {
        EventBody::MessageReceived(message) => message_data(message),
        EventBody::ReceiptReceived(receipt) => receipt_data(receipt),
        EventBody::CallReceived(call) => call_data(call),
        EventBody::MessageProgressed(progress) => progress_data(progress),
        EventBody::QrIssued { expires_at } => json!({ "expires_at": rfc3339(*expires_at) }),
        EventBody::Disconnected => json!({ "reason": "connection_lost" }),
        EventBody::Ended(reason) => end_data(reason),
        EventBody::WebhookDisabled { webhook, reason } => json!({ "webhook": webhook, "reason": reason }),
        EventBody::Connected
        | EventBody::Paired { .. }
        | EventBody::ProfileChanged { .. }
        | EventBody::ContactsChanged(_)
        | EventBody::ContactsRemoved(_) => json!({}),
    }
}

/// Somebody by all names we know: a number, a hidden identity, or both.
fn party(jid: &Jid, lid: Option<&Jid>) -> Value {
    let own = (jid.server() == JidServer::Lid).then_some(jid);
    json!({
        "jid": jid,
        "phone": (jid.server() == JidServer::Phone).then(|| jid.user()),
        "lid": lid.or(own),
    })
}

fn message_data(message: &ReceivedMessage) -> Value {
    let mut sender = party(&message.sender, message.sender_lid.as_ref());
    sender["name"] = json!(message.push_name);
    json!({
        "id": message.id,
        "chat": party(&message.chat, message.chat_lid.as_ref()),
        "sender": sender,
        "from_me": message.from_me,
        "group": message.chat.is_group(),
        "kind": message.kind,
        "text": message.text,
        "media": message.media,
        "raw": message.raw,
    })
}

fn receipt_data(receipt: &Receipt) -> Value {
    json!({
        "kind": receipt.kind.as_str(),
        "chat": party(&receipt.chat, receipt.chat_lid.as_ref()),
        "sender": party(&receipt.sender, receipt.sender_lid.as_ref()),
        "group": receipt.chat.is_group(),
        "message_ids": receipt.ids,
    })
}

fn progress_data(progress: &Progress) -> Value {
    json!({
        "id": progress.id,
        "status": progress.status.as_str(),
        "chat": progress.chat.as_ref().map(|chat| party(chat, progress.chat_lid.as_ref())),
        "failure": progress.failure,
    })
}

fn call_data(call: &IncomingCall) -> Value {
    let from = call.from_phone.as_ref().unwrap_or(&call.from);
    let lid = (call.from.server() == JidServer::Lid).then_some(&call.from);
    json!({
        "call_id": call.call_id,
        "from": party(from, lid),
        "state": call.state.as_str(),
        "video": call.video,
    })
}

fn end_data(reason: &EndReason) -> Value {
    let (code, until) = match reason {
        EndReason::Banned { code, until } => (Some(*code), *until),
        EndReason::Rejected { code } => (Some(*code), None),
        EndReason::LoggedOut | EndReason::Replaced | EndReason::Outdated => (None, None),
    };
    json!({ "reason": reason.as_str(), "wa_code": code, "until": until.map(rfc3339) })
}

/// With milliseconds, UTC; empty for a time that no calendar has.
fn rfc3339(at: Timestamp) -> String {
    DateTime::from_timestamp_millis(at.0)
        .map(|at| at.to_rfc3339_opts(SecondsFormat::Millis, true))
        .unwrap_or_default()
}
