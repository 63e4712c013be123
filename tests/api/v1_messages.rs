//! Sending by `/v1`, and what became of it.

use reqwest::Method;
use serde_json::{Value, json};
use wagate_domain::model::event::{Receipt, ReceiptKind};
use wagate_domain::model::{EventBody, MessageId};

use crate::answer::{Answer, assert_answers};
use crate::support::TestApp;
use crate::v1_support::{get, post, request};

const MESSAGES: &str = "/v1/devices/shop/messages";

async fn send(app: &TestApp, body: Value) -> Answer {
    post(app, MESSAGES, body).await
}

async fn send_once(app: &TestApp, key: &str, body: Value) -> Answer {
    let request = request(app, Method::POST, MESSAGES).header("Idempotency-Key", key);
    app.call(request.json(&body)).await
}

fn hello() -> Value {
    json!({ "to": "+62 811-1111-111", "text": "hi" })
}

#[tokio::test]
async fn a_message_is_sent_and_followed() {
    let app = TestApp::start();
    let session = app.paired("shop").await;
    let sent = send(&app, hello()).await;
    let path = sent.headers["location"].to_str().unwrap().to_owned();
    let id = sent.json()["id"].as_str().unwrap().to_owned();
    assert_eq!(path, format!("{MESSAGES}/{id}"));
    let before = get(&app, &path).await;
    let recipient = session.sent()[0].to.clone();
    let receipt = Receipt {
        chat: recipient.clone(),
        chat_lid: None,
        sender: recipient,
        sender_lid: None,
        kind: ReceiptKind::Read,
        ids: vec![MessageId(id)],
    };
    session
        .receive(EventBody::ReceiptReceived(receipt))
        .await
        .unwrap();
    let told = get(&app, "/v1/events?type=message.*").await;
    assert_answers("v1_message", &[sent, before, get(&app, &path).await, told]);
}

#[tokio::test]
async fn a_number_without_an_account_is_a_problem() {
    let app = TestApp::start();
    let session = app.paired("shop").await;
    app.driver.not_on_whatsapp("628999999999");
    let refused = send(&app, json!({ "to": "628999999999", "text": "hi" })).await;
    assert_answers("v1_not_on_whatsapp", &[refused, get(&app, MESSAGES).await]);
    assert_eq!(session.sent(), []);
}

#[tokio::test]
async fn a_retry_by_either_surface_gets_the_first_answer() {
    let app = TestApp::start();
    let session = app.paired("shop").await;
    let first = send_once(&app, "k1", hello()).await;
    let again = send_once(&app, "k1", hello()).await;
    assert_eq!((again.status, again.json()), (first.status, first.json()));
    let other = app
        .request(Method::POST, "/api/send?token=shop")
        .header("Idempotency-Key", "k1")
        .json(&json!({ "phone": "+62 811-1111-111", "message": "hi" }));
    assert_eq!(app.call(other).await.json()["data"]["id"], first.json()["id"]);
    assert_eq!(session.sent().len(), 1);
    let reused = send_once(&app, "k1", json!({ "to": "628111111111", "text": "other" })).await;
    assert_eq!(reused.verdict(), "422 idempotency_key_reused");
}

#[tokio::test]
async fn a_file_is_sent_with_its_caption() {
    let app = TestApp::start();
    let session = app.paired("shop").await;
    app.media
        .put("https://example.com/a.png", "image/png", None, "png");
    let body = json!({ "to": "628111111111", "text": "look", "file_url": "https://example.com/a.png" });
    assert_eq!(send(&app, body).await.status, 201);
    assert_eq!(session.sent().len(), 1);
    let missing = json!({ "to": "628111111111", "file_url": "https://example.com/none.png" });
    assert_eq!(send(&app, missing).await.verdict(), "422 invalid_file_url");
}

#[tokio::test]
async fn messages_are_listed_newest_first() {
    let app = TestApp::start();
    app.paired("shop").await;
    let mut sent = Vec::new();
    for _ in 0..3 {
        sent.insert(0, send(&app, hello()).await.json()["id"].clone());
        app.clock.advance(std::time::Duration::from_secs(1));
    }
    let first = get(&app, &format!("{MESSAGES}?limit=2")).await.json();
    let next = first["next"].as_str().unwrap();
    let second = get(&app, &format!("{MESSAGES}?limit=2&after={next}"))
        .await
        .json();
    let listed = [
        &first["data"][0]["id"],
        &first["data"][1]["id"],
        &second["data"][0]["id"],
    ];
    assert_eq!(listed, [&sent[0], &sent[1], &sent[2]]);
    assert_eq!(second["next"], Value::Null);
}

#[tokio::test]
async fn a_message_that_fails_says_why() {
    let app = TestApp::start();
    let session = app.paired("shop").await;
    session.refuse_next_send(463, "this account may not write to that person");
    let refused = send(&app, hello()).await;
    session.time_out_next_send();
    let late = send(&app, hello()).await;
    assert_answers("v1_message_failed", &[refused, late, get(&app, MESSAGES).await]);
}

#[tokio::test]
async fn what_cannot_be_sent_is_refused() {
    let app = TestApp::start();
    app.paired("shop").await;
    app.started("unpaired").await;
    assert_answers(
        "v1_messages_refused",
        &[
            send(&app, json!({ "text": "hi" })).await,
            send(&app, json!({ "to": "nobody", "text": "hi" })).await,
            send(&app, json!({ "to": "1@nowhere", "text": "hi" })).await,
            send(&app, json!({ "to": "628111111111" })).await,
            send(&app, json!({ "to": "628111111111", "message": "hi" })).await,
            send_once(&app, "", hello()).await,
            post(&app, "/v1/devices/unpaired/messages", hello()).await,
            post(&app, "/v1/devices/nobody/messages", hello()).await,
            post(&app, "/v1/devices/a%20b/messages", hello()).await,
            get(&app, "/v1/devices/shop/messages/3EB0").await,
            get(&app, "/v1/devices/shop/messages?after=%00").await,
        ],
    );
}
