//! Messages in: decrypted, stored with their delivery, told at the webhook.

use serde_json::{Value, json};
use standardwebhooks::Webhook;
use wagate_domain::model::Token;
use wagate_tests::{Receiver, Sandbox};

use crate::{ALICE, BOB, PEOPLE};

async fn hooked(people: &[(&str, &str)]) -> (Sandbox, Receiver) {
    let sandbox = Sandbox::start(people).await;
    let receiver = Receiver::start();
    sandbox.pair("shop", ALICE).await;
    sandbox
        .api
        .post("/api/webhook", json!({ "token": "shop", "url": receiver.url() }))
        .await
        .ok();
    (sandbox, receiver)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reply_reaches_the_webhook_in_the_classic_format() {
    let (sandbox, receiver) = hooked(PEOPLE).await;
    let id = sandbox.world.send_text(BOB, ALICE, "Hi Alice").unwrap();

    let heard = receiver
        .wait_for("the reply", |body| body["text"] == "Hi Alice")
        .await;
    let body = &heard.body;
    let expected = [
        ("token", json!("shop")),
        ("event", json!("message")),
        ("id", json!(id)),
        ("phone", json!(BOB)),
        ("to", json!(BOB)),
        ("chat", json!(format!("{BOB}@s.whatsapp.net"))),
        ("remoteJid", json!(format!("{BOB}@s.whatsapp.net"))),
        ("sender", json!(BOB)),
        ("fromMe", json!(false)),
        ("pushName", json!("Bob")),
        ("message", json!("Hi Alice")),
        ("type", json!("conversation")),
        ("group", json!(false)),
    ];
    for (field, value) in expected {
        assert_eq!(body[field], value, "{field} of {body}");
    }
    assert!(body["lid"].as_str().unwrap().ends_with("@lid"), "{body}");
    let payload: Value = serde_json::from_str(body["payload"].as_str().unwrap()).unwrap();
    assert_eq!(payload[0]["key"]["id"], json!(id));
    assert_eq!(payload[0]["message"]["conversation"], "Hi Alice");
    assert_eq!(heard.header("webhook-id"), body["event_id"].as_str());

    let secret = sandbox.webhook_secret(&"shop".parse::<Token>().unwrap()).await;
    let mut headers = http::HeaderMap::new();
    for name in ["webhook-id", "webhook-timestamp", "webhook-signature"] {
        headers.insert(name, heard.header(name).unwrap().parse().unwrap());
    }
    Webhook::new(&secret)
        .unwrap()
        .verify(&heard.raw, &headers)
        .unwrap();
    sandbox.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn receipts_tell_how_far_a_message_came() {
    let (sandbox, receiver) = hooked(PEOPLE).await;
    let id = sandbox.api.send_text("shop", BOB, "read me").await;
    let delivered = receiver
        .wait_for("delivered", |body| {
            body["event"] == "receipt" && body["type"] == ""
        })
        .await;
    assert_eq!(delivered.body["ids"], json!([id]));
    sandbox.world.mark_read(BOB, ALICE, &id).unwrap();
    let read = receiver
        .wait_for("read", |body| {
            body["event"] == "receipt" && body["type"] == "read"
        })
        .await;
    assert_eq!(read.body["ids"], json!([id]));
    assert_eq!(read.body["phone"], BOB);
    sandbox.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_came_while_the_gateway_was_down_is_delivered_once_it_is_back() {
    let (mut sandbox, receiver) = hooked(PEOPLE).await;
    sandbox.stop_gateway().await;
    for n in 0..5 {
        sandbox
            .world
            .send_text(BOB, ALICE, &format!("missed {n}"))
            .unwrap();
    }
    sandbox.start_gateway().await;
    for n in 0..5 {
        receiver
            .wait_for("a missed message", |body| body["text"] == format!("missed {n}"))
            .await;
    }
    let all = receiver.all();
    let texts: Vec<_> = all
        .iter()
        .filter_map(|got| got.body["text"].as_str())
        .filter(|t| t.starts_with("missed"))
        .collect();
    assert_eq!(
        texts,
        ["missed 0", "missed 1", "missed 2", "missed 3", "missed 4"]
    );
    sandbox.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_person_writes_on_their_own_phone_is_told_too() {
    let (sandbox, receiver) = hooked(PEOPLE).await;
    sandbox.world.send_text(ALICE, BOB, "from the phone").unwrap();
    let heard = receiver
        .wait_for("own message", |body| body["text"] == "from the phone")
        .await;
    assert_eq!(heard.body["fromMe"], true);
    assert_eq!(heard.body["phone"], BOB);
    assert_eq!(heard.body["sender"], ALICE);
    sandbox.finish().await;
}
