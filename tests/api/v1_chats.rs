//! Conversations.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use wagate_domain::model::event::{Receipt, ReceiptKind};
use wagate_domain::model::message::ReceivedMedia;
use wagate_domain::model::{Contact, EventBody, Jid, MediaKind, MessageId, ReceivedMessage, TypingState};
use wagate_domain::testing::FakeSession;

use crate::answer::assert_answers;
use crate::directory::{family, jid};
use crate::support::TestApp;
use crate::v1_support::{get, post, put, raw};

const CHATS: &str = "/v1/devices/shop/chats";
const AYU: &str = "628111111111@s.whatsapp.net";
const FAMILY: &str = "120363000000000001@g.us";

fn text(app: &TestApp, id: &str, (chat, sender): (&str, &str), text: &str) -> ReceivedMessage {
    ReceivedMessage {
        id: MessageId(id.into()),
        chat: jid(chat),
        sender: jid(sender),
        sender_lid: None,
        chat_lid: None,
        from_me: false,
        push_name: Some("<i>ayu</i>".into()),
        at: wagate_domain::ports::Clock::now(&*app.clock),
        kind: "conversation".into(),
        text: text.into(),
        media: None,
        raw: json!({}),
    }
}

async fn receive(app: &TestApp, session: &FakeSession, message: ReceivedMessage) {
    session
        .receive(EventBody::MessageReceived(Box::new(message)))
        .await
        .unwrap();
    app.clock.advance(Duration::from_secs(1));
}

async fn send(app: &TestApp, body: Value) -> String {
    let sent = post(app, "/v1/devices/shop/messages", body).await;
    app.clock.advance(Duration::from_secs(1));
    sent.json()["id"].as_str().unwrap_or_default().to_owned()
}

async fn delivered(session: &FakeSession, id: &str, to: &str) {
    let receipt = Receipt {
        chat: jid(to),
        chat_lid: None,
        sender: jid(to),
        sender_lid: None,
        kind: ReceiptKind::Delivered,
        ids: vec![MessageId(id.into())],
    };
    session
        .receive(EventBody::ReceiptReceived(receipt))
        .await
        .unwrap();
}

/// What was said in the conversation, newest first.
async fn texts(app: &TestApp, chat: &str) -> Vec<String> {
    let page = get(app, &format!("{CHATS}/{chat}/messages")).await.json();
    let all = page["data"].as_array().unwrap().iter();
    all.map(|message| message["text"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn conversations_show_what_was_said_on_both_sides() {
    let app = TestApp::start();
    let session = app.paired("shop").await;
    let mut ayu = Contact::new(jid(AYU));
    ayu.full_name = Some("Ayu Lestari".into());
    session
        .receive(EventBody::ContactsChanged(vec![ayu]))
        .await
        .unwrap();
    receive(&app, &session, text(&app, "A1", (AYU, AYU), "Halo")).await;
    let id = send(&app, json!({ "to": "+62 811-1111-111", "text": "Hi Ayu" })).await;
    delivered(&session, &id, AYU).await;
    let mut from_phone = text(&app, "A2", (AYU, "628123456789@s.whatsapp.net"), "from the phone");
    from_phone.from_me = true;
    receive(&app, &session, from_phone).await;
    let mut picture = text(&app, "G1", (FAMILY, AYU), "look");
    picture.kind = "image".into();
    picture.media = Some(ReceivedMedia {
        mimetype: Some("image/png".into()),
        file_name: None,
        size: Some(12),
        ..ReceivedMedia::new(MediaKind::Image)
    });
    receive(&app, &session, picture).await;
    receive(
        &app,
        &session,
        text(&app, "S1", ("status@broadcast", AYU), "a story"),
    )
    .await;
    session.set_groups(vec![family()]);
    get(&app, "/v1/devices/shop/groups").await;
    session.drop_connection().await;
    assert_answers(
        "v1_chats",
        &[
            get(&app, CHATS).await,
            get(&app, &format!("{CHATS}?search=lestari&limit=1")).await,
            get(&app, &format!("{CHATS}/{AYU}")).await,
            get(&app, &format!("{CHATS}/628999999999@s.whatsapp.net")).await,
            get(&app, &format!("{CHATS}/nobody")).await,
            get(&app, &format!("{CHATS}/{AYU}/messages")).await,
            get(&app, &format!("{CHATS}/{FAMILY}/messages?search=LOOK")).await,
            get(&app, &format!("{CHATS}/628999999999@s.whatsapp.net/messages")).await,
            get(&app, &format!("{CHATS}?after=evt_1")).await,
        ],
    );
}

#[tokio::test]
async fn a_history_comes_in_pages() {
    let app = TestApp::start();
    let session = app.paired("shop").await;
    for number in 0..5 {
        receive(
            &app,
            &session,
            text(&app, &format!("A{number}"), (AYU, AYU), &number.to_string()),
        )
        .await;
    }
    let (mut after, mut read) = (String::new(), Vec::new());
    loop {
        let page = get(&app, &format!("{CHATS}/{AYU}/messages?limit=2{after}"))
            .await
            .json();
        let data = page["data"].as_array().unwrap();
        read.extend(
            data.iter()
                .map(|message| message["text"].as_str().unwrap().to_owned()),
        );
        let Some(next) = page["next"].as_str() else { break };
        after = format!("&after={next}");
    }
    assert_eq!(read, ["4", "3", "2", "1", "0"]);
}

#[tokio::test]
async fn reading_tells_whatsapp_while_the_device_is_connected() {
    let app = TestApp::start();
    let session = app.paired("shop").await;
    for id in ["A1", "A2"] {
        receive(&app, &session, text(&app, id, (AYU, AYU), "hi")).await;
    }
    let path = format!("{CHATS}/{AYU}/read");
    let read = post(&app, &path, json!({})).await;
    assert_eq!((read.status.as_u16(), &read.json()["unread"]), (200, &json!(0)));
    assert_eq!(post(&app, &path, json!({})).await.status, 200);
    let told: Vec<(Jid, String)> = session
        .read()
        .into_iter()
        .map(|(chat, id)| (chat, id.0))
        .collect();
    assert_eq!(told, [(jid(AYU), "A2".to_owned()), (jid(AYU), "A1".to_owned())]);
    receive(&app, &session, text(&app, "A3", (AYU, AYU), "hi")).await;
    session.drop_connection().await;
    assert_eq!(post(&app, &path, json!({})).await.json()["unread"], 0);
    assert_eq!(session.read().len(), 2);
    let missing = post(
        &app,
        &format!("{CHATS}/628999999999@s.whatsapp.net/read"),
        json!({}),
    )
    .await;
    assert_eq!(missing.verdict(), "404 chat_not_found");
    let bad = raw(&app, Method::POST, &path, r#"{"all":true}"#).await;
    assert_eq!(bad.verdict(), "422 invalid_body");
}

#[tokio::test]
async fn what_is_sent_lands_in_the_conversation_that_whatsapp_names() {
    let app = TestApp::start();
    let session = app.paired("shop").await;
    app.driver.known_as("5511987654321", "551187654321");
    app.media.put(
        "https://example.com/a.pdf",
        "application/pdf",
        Some("a.pdf"),
        "%PDF",
    );
    let file = json!({ "to": "5511987654321", "text": "the offer", "file_url": "https://example.com/a.pdf" });
    send(&app, file).await;
    let found = get(&app, CHATS).await.json();
    assert_eq!(found["data"].as_array().unwrap().len(), 1);
    assert_eq!(found["data"][0]["jid"], "551187654321@s.whatsapp.net");
    let last = &found["data"][0]["last_message"];
    assert_eq!(
        (&last["kind"], &last["media"]["file_name"]),
        (&json!("document"), &json!("a.pdf"))
    );
    app.driver.not_on_whatsapp("628999999999");
    send(&app, json!({ "to": "628999999999", "text": "anybody?" })).await;
    let unsent = get(&app, &format!("{CHATS}/628999999999@s.whatsapp.net/messages"))
        .await
        .json();
    assert_eq!(unsent["data"][0]["status"], "failed");
    assert_eq!(unsent["data"][0]["failure"]["code"], "not_on_whatsapp");
    session.refuse_next_send(463, "no");
    send(&app, json!({ "to": "status@broadcast", "text": "a story" })).await;
    assert_eq!(get(&app, CHATS).await.json()["data"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_retry_is_one_message() {
    let app = TestApp::start();
    let session = app.paired("shop").await;
    session.time_out_next_send();
    for status in [504, 201] {
        let request = crate::v1_support::request(&app, Method::POST, "/v1/devices/shop/messages")
            .header("Idempotency-Key", "k1")
            .json(&json!({ "to": "628111111111", "text": "once" }));
        assert_eq!(app.call(request).await.status, status);
    }
    assert_eq!(texts(&app, AYU).await, ["once"]);
}

#[tokio::test]
async fn a_conversation_is_told_that_somebody_types() {
    let app = TestApp::start();
    let session = app.paired("shop").await;
    let typing = |chat: &str| format!("{CHATS}/{chat}/typing");
    for (chat, state) in [(AYU, "composing"), (AYU, "paused"), (FAMILY, "recording")] {
        let told = put(&app, &typing(chat), json!({ "state": state })).await;
        assert_eq!(told.status, 204, "{told}");
    }
    assert_eq!(
        session.typed(),
        [
            (jid(AYU), TypingState::Composing),
            (jid(AYU), TypingState::Paused),
            (jid(FAMILY), TypingState::Recording),
        ]
    );
    for (chat, body, verdict) in [
        (AYU, json!({ "state": "singing" }), "422 invalid_state"),
        (AYU, json!({ "state": 7 }), "422 invalid_state"),
        (AYU, json!({}), "422 invalid_state"),
        (AYU, json!({ "state": "paused", "for": 5 }), "422 invalid_body"),
        (
            "status@broadcast",
            json!({ "state": "paused" }),
            "422 invalid_jid",
        ),
        ("nobody", json!({ "state": "paused" }), "404 chat_not_found"),
    ] {
        let refused = put(&app, &typing(chat), body).await;
        assert_eq!(refused.verdict(), verdict, "{refused}");
    }
    let missing = format!("/v1/devices/nobody/chats/{AYU}/typing");
    let missing = put(&app, &missing, json!({ "state": "paused" })).await;
    assert_eq!(missing.verdict(), "404 device_not_found");
    session.drop_connection().await;
    let away = put(&app, &typing(AYU), json!({ "state": "composing" })).await;
    assert_eq!(away.verdict(), "409 session_not_connected");
    assert_eq!(session.typed().len(), 3);
    let chats = get(&app, CHATS).await.json();
    assert_eq!(chats["data"], json!([]), "nothing is recorded");
}
