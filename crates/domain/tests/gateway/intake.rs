//! From what the driver reports to what is recorded and delivered.

use std::time::Duration;

use serde_json::{Value, json};
use wagate_domain::gateway::CallPatch;
use wagate_domain::model::event::{CallState, IncomingCall, Receipt, ReceiptKind};
use wagate_domain::model::{
    Contact, DeliveryId, DeliveryOutcome, EndReason, EventBody, EventKind, MessageId, ReceivedMessage,
    Settlement,
};
use wagate_domain::ports::{Clock, DeliveryQueue, Reservation};
use wagate_domain::testing::FakeClock;

use crate::bench::{Bench, SHOP, jid, token};

fn message(id: &str, chat: &str, sender: &str) -> ReceivedMessage {
    ReceivedMessage {
        id: MessageId(id.into()),
        chat: jid(chat),
        sender: jid(sender),
        sender_lid: Some(jid("111@lid")),
        chat_lid: Some(jid("111@lid")),
        from_me: false,
        push_name: Some("Ayu".into()),
        at: FakeClock::START,
        kind: "conversation".into(),
        text: "Hello".into(),
        media: None,
        raw: json!({ "conversation": "Hello" }),
    }
}

fn private(id: &str) -> EventBody {
    EventBody::MessageReceived(Box::new(message(
        id,
        "628111111111@s.whatsapp.net",
        "628111111111@s.whatsapp.net",
    )))
}

fn taken(id: DeliveryId) -> Settlement {
    Settlement {
        id,
        outcome: DeliveryOutcome::Delivered,
        attempt: None,
    }
}

/// What goes to the webhook, in the order of recording, when the receiver answers 200.
async fn delivered(bench: &Bench) -> Vec<Value> {
    let mut bodies = Vec::new();
    loop {
        let now = bench.clock.now();
        let due = bench
            .store
            .reserve(Reservation {
                now,
                lease: Duration::from_secs(30),
                limit: 10,
                per_webhook: 10,
                busy: Vec::new(),
            })
            .await
            .unwrap();
        if due.is_empty() {
            // Conversations do not wait for each other.
            bodies.sort_by_key(|(id, _)| *id);
            return bodies.into_iter().map(|(_, body)| body).collect();
        }
        let mut due = std::collections::VecDeque::from(due);
        while let Some(delivery) = due.pop_front() {
            bodies.push((delivery.id, serde_json::from_slice(&delivery.body).unwrap()));
            let settled = bench
                .store
                .settle(vec![taken(delivery.id)], now, Duration::from_secs(30))
                .await
                .unwrap();
            due.extend(settled.next);
        }
    }
}

#[tokio::test]
async fn a_message_that_comes_again_is_recorded_and_delivered_once() {
    let bench = Bench::new();
    let session = bench.paired(SHOP).await;
    bench
        .gateway
        .set_webhook(&token(SHOP), "https://example.com/")
        .await
        .unwrap();
    for _ in 0..3 {
        session.receive(private("A1")).await.unwrap();
    }
    session.receive(private("A2")).await.unwrap();
    let messages = bench
        .store
        .recorded()
        .iter()
        .filter(|event| event.kind == EventKind::Message)
        .count();
    assert_eq!((messages, delivered(&bench).await.len()), (2, 2));
}

#[tokio::test]
async fn an_event_that_cannot_be_stored_is_not_taken() {
    let bench = Bench::new();
    let session = bench.paired(SHOP).await;
    bench.store.go_down();
    assert!(
        session.receive(private("A1")).await.is_err(),
        "the driver must not acknowledge"
    );
    bench.store.come_back();
    session.receive(private("A1")).await.unwrap();
    assert_eq!(
        bench
            .store
            .recorded()
            .iter()
            .filter(|event| event.kind == EventKind::Message)
            .count(),
        1
    );
}

#[tokio::test]
async fn names_on_messages_and_in_the_address_book_come_together() {
    let bench = Bench::new();
    let session = bench.paired(SHOP).await;
    session.receive(private("A1")).await.unwrap();
    let mut saved = Contact::new(jid("628111111111@s.whatsapp.net"));
    saved.full_name = Some("Ayu Lestari".into());
    session
        .receive(EventBody::ContactsChanged(vec![saved.clone()]))
        .await
        .unwrap();
    let contacts = bench.gateway.all_contacts(&token(SHOP)).await.unwrap();
    assert_eq!(contacts.len(), 1);
    assert_eq!(contacts[0].push_name.as_deref(), Some("Ayu"));
    assert_eq!(contacts[0].full_name.as_deref(), Some("Ayu Lestari"));
    assert_eq!(contacts[0].lid, Some(jid("111@lid")));

    session
        .receive(EventBody::ContactsRemoved(vec![saved.jid]))
        .await
        .unwrap();
    let contacts = bench.gateway.all_contacts(&token(SHOP)).await.unwrap();
    assert_eq!(
        (contacts[0].push_name.as_deref(), contacts[0].full_name.as_deref()),
        (Some("Ayu"), None)
    );
}

#[tokio::test]
async fn a_verdict_is_told_once() {
    let bench = Bench::new();
    let session = bench.paired(SHOP).await;
    for _ in 0..3 {
        session
            .end(EndReason::Banned {
                code: 403,
                until: None,
            })
            .await;
    }
    let ends = || {
        bench
            .store
            .recorded()
            .iter()
            .filter(|event| event.kind == EventKind::Ended)
            .count()
    };
    assert_eq!(ends(), 1);
    bench
        .gateway
        .start_session(&token(SHOP), CallPatch::default())
        .await
        .unwrap();
    session
        .end(EndReason::Banned {
            code: 403,
            until: None,
        })
        .await;
    assert_eq!(ends(), 2, "a new verdict after a new start");
}

#[tokio::test]
async fn a_private_message_in_the_classic_format() {
    let bench = Bench::new();
    let session = bench.paired(SHOP).await;
    bench
        .gateway
        .set_webhook(&token(SHOP), "https://example.com/")
        .await
        .unwrap();
    session.receive(private("A1")).await.unwrap();
    let mut body = delivered(&bench).await.remove(0);
    let event_id = body.as_object_mut().unwrap().remove("event_id").unwrap();
    assert!(event_id.as_str().unwrap().starts_with("evt_"));
    let payload = body.as_object_mut().unwrap().remove("payload").unwrap();
    assert_eq!(
        body,
        json!({
            "token": "shop",
            "event": "message",
            "id": "A1",
            "timestamp": 1_767_225_600,
            "update_at": "2026-01-01 00:00:00",
            "phone": "628111111111",
            "to": "628111111111",
            "chat": "628111111111@s.whatsapp.net",
            "remoteJid": "628111111111@s.whatsapp.net",
            "sender": "628111111111",
            "fromMe": false,
            "pushName": "Ayu",
            "text": "Hello",
            "message": "Hello",
            "type": "conversation",
            "media_url": null,
            "media": null,
            "lid": "111@lid",
            "group": false,
        })
    );
    // A string holding JSON, as older receivers parse it.
    let payload: Value = serde_json::from_str(payload.as_str().unwrap()).unwrap();
    assert_eq!(
        payload,
        json!([{
            "key": { "remoteJid": "628111111111@s.whatsapp.net", "fromMe": false, "id": "A1" },
            "messageTimestamp": 1_767_225_600,
            "pushName": "Ayu",
            "broadcast": false,
            "message": { "conversation": "Hello" },
        }])
    );
}

#[tokio::test]
async fn a_group_message_names_its_writer() {
    let bench = Bench::new();
    let session = bench.paired(SHOP).await;
    bench
        .gateway
        .set_webhook(&token(SHOP), "https://example.com/")
        .await
        .unwrap();
    let group = message("G1", "120363000000000001@g.us", "628111111111@s.whatsapp.net");
    session
        .receive(EventBody::MessageReceived(Box::new(group)))
        .await
        .unwrap();
    let body = delivered(&bench).await.remove(0);
    for (field, want) in [
        ("phone", json!("628111111111")),
        ("sender", json!("628111111111")),
        ("to", json!("120363000000000001")),
        ("chat", json!("120363000000000001@g.us")),
        ("group", json!(true)),
    ] {
        assert_eq!(body[field], want, "{field}");
    }
    let payload: Value = serde_json::from_str(body["payload"].as_str().unwrap()).unwrap();
    assert_eq!(payload[0]["broadcast"], true);
    assert_eq!(payload[0]["key"]["participant"], "628111111111@s.whatsapp.net");
}

#[tokio::test]
async fn receipts_calls_and_the_life_of_a_session_are_told_in_order() {
    let bench = Bench::new();
    bench
        .gateway
        .start_session(&token(SHOP), CallPatch::default())
        .await
        .unwrap();
    bench
        .gateway
        .set_webhook(&token(SHOP), "https://example.com/")
        .await
        .unwrap();
    let session = bench.driver.session(SHOP);
    session.issue_qr("2@secret-code").await;
    session.scan("628123456789:7@s.whatsapp.net", None).await;
    let chat = jid("628111111111@s.whatsapp.net");
    for kind in [ReceiptKind::Delivered, ReceiptKind::Read] {
        let receipt = Receipt {
            chat_lid: None,
            sender_lid: None,
            chat: chat.clone(),
            sender: chat.clone(),
            kind,
            ids: vec![MessageId("M1".into())],
        };
        session
            .receive(EventBody::ReceiptReceived(receipt))
            .await
            .unwrap();
    }
    let (call_id, from, from_phone) = ("C1".into(), jid("111@lid"), Some(chat));
    let call = IncomingCall {
        call_id,
        from,
        from_phone,
        video: true,
        state: CallState::Ringing,
    };
    session.receive(EventBody::CallReceived(call)).await.unwrap();
    session.drop_connection().await;
    session.end(EndReason::Replaced).await;
    session.end(EndReason::LoggedOut).await;

    let bodies = delivered(&bench).await;
    let events: Vec<_> = bodies
        .iter()
        .map(|body| body["event"].as_str().unwrap())
        .collect();
    assert_eq!(
        events,
        [
            "qr",
            "connected",
            "receipt",
            "receipt",
            "incoming_call",
            "disconnected",
            "disconnected",
            "logged_out"
        ]
    );
    assert!(
        bodies
            .iter()
            .all(|body| !body.to_string().contains("secret-code")),
        "a code lets anybody in"
    );
    assert_eq!(
        (&bodies[0]["phone"], &bodies[1]["phone"]),
        (&json!(""), &json!("628123456789"))
    );
    assert_eq!(
        (&bodies[2]["type"], &bodies[3]["type"]),
        (&json!(""), &json!("read"))
    );
    assert_eq!(bodies[2]["ids"], json!(["M1"]));
    assert_eq!(
        (&bodies[4]["from"], &bodies[4]["lid"]),
        (&json!("628111111111@s.whatsapp.net"), &json!("111@lid"))
    );
    assert_eq!(
        (&bodies[5]["reason"], &bodies[6]["reason"]),
        (&json!("connection_lost"), &json!("replaced"))
    );
    assert!(
        bodies
            .iter()
            .all(|body| body["token"] == "shop" && body["event_id"].is_string())
    );
}

#[tokio::test]
async fn what_stays_inside_is_not_delivered() {
    let bench = Bench::new();
    let session = bench.paired(SHOP).await;
    bench
        .gateway
        .set_webhook(&token(SHOP), "https://example.com/")
        .await
        .unwrap();
    let profile = EventBody::ProfileChanged {
        push_name: Some("Shop".into()),
        picture_url: Some(String::new()),
    };
    session.receive(profile).await.unwrap();
    session
        .receive(EventBody::ContactsChanged(Vec::new()))
        .await
        .unwrap();
    assert!(delivered(&bench).await.is_empty());
    let device = bench.device(SHOP).await;
    assert_eq!(
        (device.push_name.as_deref(), device.picture_url),
        (Some("Shop"), None)
    );
}
