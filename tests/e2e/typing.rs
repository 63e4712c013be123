//! Typing, both ways: a phone sees that the gateway types, and whoever reads the stream sees that a phone does.

use serde_json::{Value, json};
use wa_sim::world::view::{TypingState, TypingView};
use wagate_tests::Sandbox;
use wagate_tests::sandbox::PATIENCE;

use crate::{ALICE, BOB, PEOPLE};

fn jid(phone: &str) -> String {
    format!("{phone}@s.whatsapp.net")
}

async fn types(sandbox: &Sandbox, chat: &str, state: &str) -> reqwest::StatusCode {
    let path = format!("/v1/devices/shop/chats/{chat}/typing");
    let body = json!({ "state": state });
    sandbox.api.put(&path, body).await.status
}

/// Waits until this is what the phone shows.
async fn shown(sandbox: &Sandbox, phone: &str, wanted: Option<TypingState>, chat: &str) {
    let seen = sandbox.wait_for_world(|world| {
        let wanted: Vec<_> = wanted
            .into_iter()
            .map(|state| TypingView {
                chat: chat.to_owned(),
                sender: jid(ALICE),
                state,
            })
            .collect();
        world
            .phone(phone)
            .is_ok_and(|phone| phone.typing == wanted)
            .then_some(())
    });
    tokio::time::timeout(PATIENCE, seen)
        .await
        .unwrap_or_else(|_| panic!("{phone} never saw {wanted:?}"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_sees_that_the_gateway_types() {
    let sandbox = Sandbox::start(PEOPLE).await;
    sandbox.pair("shop", ALICE).await;
    let alice = jid(ALICE);
    let before = sandbox.ledger.last_seq();
    assert_eq!(types(&sandbox, &jid(BOB), "composing").await, 204);
    shown(&sandbox, BOB, Some(TypingState::Composing), &alice).await;
    assert_eq!(types(&sandbox, &jid(BOB), "recording").await, 204);
    shown(&sandbox, BOB, Some(TypingState::Recording), &alice).await;
    assert_eq!(types(&sandbox, &jid(BOB), "paused").await, 204);
    shown(&sandbox, BOB, None, &alice).await;
    assert_eq!(types(&sandbox, &jid(BOB), "composing").await, 204);
    shown(&sandbox, BOB, Some(TypingState::Composing), &alice).await;
    sandbox.api.send_text("shop", BOB, "written").await;
    shown(&sandbox, BOB, None, &alice).await;

    let people = [ALICE.to_owned()];
    let group = sandbox.world.create_group(BOB, "Friends", &people).unwrap();
    assert_eq!(types(&sandbox, &group, "composing").await, 204);
    shown(&sandbox, BOB, Some(TypingState::Composing), &group).await;

    // WhatsApp shows typing only of those who are online.
    let lines = sandbox.ledger.after(before, usize::MAX);
    let seen = lines
        .iter()
        .any(|line| line.entry.tag == "presence" && line.entry.kind.as_deref() == Some("available"));
    assert!(seen, "{lines:#?}");
    sandbox.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_reads_the_stream_sees_that_a_phone_types() {
    let sandbox = Sandbox::start(PEOPLE).await;
    sandbox.pair("shop", ALICE).await;
    // Whose hidden identity it is comes with their first message, or with ours to them.
    sandbox.api.send_text("shop", BOB, "hello").await;
    let mut stream = sandbox.api.stream("?device=shop").await;
    for (does, state) in [
        (TypingState::Composing, "composing"),
        (TypingState::Recording, "recording"),
        (TypingState::Paused, "paused"),
    ] {
        sandbox.world.typing(BOB, ALICE, does).unwrap();
        let told = stream.next("typing").await;
        let lid = sandbox.world.phone(BOB).unwrap().lid;
        let bob = json!({ "jid": jid(BOB), "phone": BOB, "lid": lid });
        assert_eq!(
            told,
            json!({ "device": "shop", "chat": bob, "sender": bob, "state": state })
        );
    }
    let people = [ALICE.to_owned()];
    let group = sandbox.world.create_group(BOB, "Friends", &people).unwrap();
    sandbox.world.typing(BOB, &group, TypingState::Composing).unwrap();
    let told = stream.next("typing").await;
    assert_eq!(
        (&told["chat"]["jid"], &told["chat"]["phone"]),
        (&json!(group), &Value::Null)
    );
    assert_eq!(told["sender"]["phone"], BOB);
    // It is no event: the log has none of it.
    let log = sandbox.api.get("/v1/events?limit=200").await.ok();
    assert!(!log.to_string().contains("composing"), "{log}");
    drop(stream);
    sandbox.finish().await;
}
