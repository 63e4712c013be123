//! What can be heard: every type of event with a made-up one, written by what writes real ones.

use bytes::Bytes;
use serde_json::json;
use ulid::Ulid;

use super::{classic, standard};
use crate::Result;
use crate::model::event::{CallState, Failure, IncomingCall, Progress, Receipt, ReceiptKind};
use crate::model::message::ReceivedMedia;
use crate::model::{
    Device, DeviceId, EndReason, Event, EventBody, EventId, EventKind, Jid, MediaKind, MessageId,
    MessageStatus, ReceivedMessage, Timestamp, Token, WebhookId,
};

/// 2026-01-01T08:00:00Z.
const MOMENT: Timestamp = Timestamp(1_767_254_400_000);

/// A type of event, and what an endpoint would get.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventType {
    /// Which.
    pub kind: EventKind,
    /// In the standard format: a JSON object.
    pub standard: Bytes,
    /// In the classic format: a JSON object; `None` for types that it does not have.
    pub classic: Option<Bytes>,
}

/// Every type of event, in the order of the documentation, with a made-up one: always the same.
pub fn list_event_types() -> Result<Vec<EventType>> {
    let device = device()?;
    let id = EventId::new(Ulid::from_parts(MOMENT.0.unsigned_abs(), 1));
    let type_of = |kind: EventKind| {
        let event = Event {
            at: MOMENT,
            body: body(kind)?,
        };
        Ok(EventType {
            kind,
            standard: standard::render(&device, id, kind, &event)?,
            classic: classic::render(&device, id, &event, MOMENT),
        })
    };
    EventKind::ALL.into_iter().map(type_of).collect()
}

fn device() -> Result<Device> {
    let id = DeviceId::new(Ulid::from_parts(MOMENT.0.unsigned_abs(), 2));
    let mut device = Device::new(id, "my-token".parse::<Token>()?, MOMENT);
    device.jid = Some("628123456789:7@s.whatsapp.net".parse()?);
    device.lid = Some("98765432101234@lid".parse()?);
    Ok(device)
}

fn person() -> Result<Jid> {
    "628111111111@s.whatsapp.net".parse()
}

fn hidden() -> Result<Jid> {
    "12345678901234@lid".parse()
}

fn message_id() -> MessageId {
    MessageId("3EB0C431C26A1916E07A".into())
}

fn body(kind: EventKind) -> Result<EventBody> {
    Ok(match kind {
        EventKind::Message => EventBody::MessageReceived(Box::new(message()?)),
        EventKind::Progress(status) => EventBody::MessageProgressed(progress(status)?),
        EventKind::Receipt => EventBody::ReceiptReceived(Receipt {
            chat: person()?,
            chat_lid: Some(hidden()?),
            sender: person()?,
            sender_lid: Some(hidden()?),
            kind: ReceiptKind::Read,
            ids: vec![message_id()],
        }),
        EventKind::Call => EventBody::CallReceived(IncomingCall {
            call_id: "A1B2C3D4E5F60718293A4B5C6D7E8F90".into(),
            from: hidden()?,
            from_phone: Some(person()?),
            video: false,
            state: CallState::Ringing,
        }),
        EventKind::Qr => EventBody::QrIssued {
            expires_at: Timestamp(MOMENT.0 + 20_000),
        },
        EventKind::Connected => EventBody::Connected,
        EventKind::Disconnected => EventBody::Disconnected,
        EventKind::Ended => EventBody::Ended(EndReason::LoggedOut),
        EventKind::WebhookDisabled => EventBody::WebhookDisabled {
            webhook: WebhookId::new(Ulid::from_parts(MOMENT.0.unsigned_abs(), 3)),
            reason: "status 410: gone".into(),
        },
    })
}

fn message() -> Result<ReceivedMessage> {
    Ok(ReceivedMessage {
        id: message_id(),
        chat: person()?,
        sender: person()?,
        sender_lid: Some(hidden()?),
        chat_lid: Some(hidden()?),
        from_me: false,
        push_name: Some("Budi".into()),
        at: MOMENT,
        kind: "image".into(),
        text: "Is this still there?".into(),
        media: Some(ReceivedMedia {
            mimetype: Some("image/jpeg".into()),
            size: Some(48_213),
            ..ReceivedMedia::new(MediaKind::Image)
        }),
        raw: json!({ "imageMessage": { "caption": "Is this still there?", "mimetype": "image/jpeg" } }),
    })
}

fn progress(status: MessageStatus) -> Result<Progress> {
    let failure = |code: &str, wa_code, text: &str| Failure {
        code: code.into(),
        wa_code,
        text: text.into(),
    };
    Ok(Progress {
        id: message_id(),
        chat: Some(person()?),
        chat_lid: Some(hidden()?),
        status,
        failure: match status {
            MessageStatus::Failed => Some(failure(
                "whatsapp_refused",
                Some(463),
                "WhatsApp refused the message",
            )),
            MessageStatus::Unknown => Some(failure(
                "whatsapp_timeout",
                None,
                "WhatsApp did not answer in time",
            )),
            MessageStatus::Queued
            | MessageStatus::Sent
            | MessageStatus::Delivered
            | MessageStatus::Read
            | MessageStatus::Played => None,
        },
    })
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn every_type_has_an_example_of_its_own_type() {
        let types = list_event_types().unwrap();
        assert_eq!(types.len(), EventKind::ALL.len());
        for found in types {
            let standard: Value = serde_json::from_slice(&found.standard).unwrap();
            assert_eq!(standard["type"], found.kind.as_str());
            assert_eq!(standard["timestamp"], "2026-01-01T08:00:00.000Z");
            assert_eq!(standard["device"]["token"], "my-token");
            let classic = found
                .classic
                .map(|body| serde_json::from_slice::<Value>(&body).unwrap());
            let known = matches!(
                found.kind,
                EventKind::Message
                    | EventKind::Receipt
                    | EventKind::Call
                    | EventKind::Qr
                    | EventKind::Connected
                    | EventKind::Disconnected
                    | EventKind::Ended
            );
            assert_eq!(classic.is_some(), known, "{}", found.kind);
            if let Some(classic) = classic {
                assert_eq!(classic["event_id"], standard["id"]);
            }
        }
    }

    #[test]
    fn examples_never_change() {
        assert_eq!(list_event_types().unwrap(), list_event_types().unwrap());
    }
}
