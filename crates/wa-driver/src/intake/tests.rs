//! What becomes of a batch.

use std::sync::Mutex as StdMutex;

use async_trait::async_trait;
use ulid::Ulid;
use wagate_domain::Result;
use wagate_domain::model::Typing;
use whatsapp_rust::chrono::DateTime;
use whatsapp_rust::wacore::types::message::{MessageInfo, MessageSource};
use whatsapp_rust::waproto::whatsapp::Message;

use super::*;
use crate::convert::party::tests::Known;

struct NoSink;

#[async_trait]
impl EventSink for NoSink {
    fn typing(&self, _device: DeviceId, _typing: Typing) {}

    async fn commit(&self, _device: DeviceId, _events: Vec<Event>) -> Result<()> {
        Ok(())
    }
}

fn intake() -> Intake {
    let (out, _signals) = tokio::sync::mpsc::unbounded_channel();
    Intake {
        device: DeviceId::new(Ulid::from_parts(1, 1)),
        sink: Arc::new(NoSink),
        signals: Signals::new(1, out),
        names: Arc::default(),
        failing: AtomicBool::new(false),
    }
}

fn said(text: &str, name: &str, id: &str) -> InboundMessage {
    let info = MessageInfo {
        source: MessageSource {
            chat: "77@lid".parse().unwrap(),
            sender: "77:1@lid".parse().unwrap(),
            ..Default::default()
        },
        id: id.into(),
        push_name: name.into(),
        timestamp: DateTime::from_timestamp(1_700_000_000, 0).unwrap(),
        ..Default::default()
    };
    let message = Message {
        conversation: Some(text.into()),
        ..Default::default()
    };
    InboundMessage::builder()
        .message(Arc::new(message))
        .info(Arc::new(info))
        .build()
}

#[tokio::test]
async fn a_batch_is_one_list_of_events_with_the_names_it_tells() {
    let intake = intake();
    let known = Known::pairs(&[("77@lid", "628111@s.whatsapp.net")]);
    let batch = [
        said("one", "Ana", "A"),
        said("two", "Ana", "B"),
        said("", "Ana", "C"),
    ];
    let (events, contacts) = intake.events(&known, &batch).await;
    let [
        Event {
            body: EventBody::MessageReceived(one),
            ..
        },
        Event {
            body: EventBody::MessageReceived(two),
            ..
        },
        Event {
            body: EventBody::MessageReceived(_),
            ..
        },
        Event {
            body: EventBody::ContactsChanged(changed),
            ..
        },
    ] = &events[..]
    else {
        panic!("{events:?}")
    };
    assert_eq!((one.text.as_str(), two.text.as_str()), ("one", "two"));
    assert_eq!(one.chat.to_string(), "628111@s.whatsapp.net");
    assert_eq!(changed, &contacts);
    assert_eq!(changed[0].push_name.as_deref(), Some("Ana"));
    intake.names.remember(contacts);
    let (events, contacts) = intake.events(&known, &batch[..1]).await;
    assert_eq!(
        (events.len(), contacts.len()),
        (1, 0),
        "a name that is known is not told again"
    );
}

#[test]
fn names_do_not_grow_without_end() {
    let names = Names(StdMutex::default());
    let person = |n: usize| Contact::new(Jid::phone(format!("62{n:08}")));
    names.remember((0..MAX_NAMES).map(person).collect());
    names.remember(vec![person(MAX_NAMES)]);
    assert_eq!(names.0.lock().unwrap().len(), 1);
}
