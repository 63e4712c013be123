//! Sending messages.

use serde_json::{Value, json};
use wagate_domain::Error;
use wagate_domain::model::{EndReason, MediaKind};

use crate::answer::{Answer, assert_answers};
use crate::support::TestApp;

async fn send(app: &TestApp, body: Value) -> Answer {
    app.post("/api/send?token=shop", body).await
}

#[tokio::test]
async fn a_text_goes_to_people_groups_and_the_status() {
    let app = TestApp::start();
    let session = app.paired("shop").await;
    app.driver.known_as("5511912345678", "551112345678");
    let mut answers = Vec::new();
    for phone in [
        json!("628111111111"),
        json!(628_111_111_111_u64),
        json!("+62 811-1111-111"),
        json!("0811 1111 111"),
        json!("5511912345678"),
        json!("628111111111@s.whatsapp.net"),
        json!("628111111111@c.us"),
        json!("120363000000000001@g.us"),
        json!("status@broadcast"),
    ] {
        answers.push(send(&app, json!({ "phone": phone, "message": "Hello World" })).await);
    }
    assert_answers("send_text", &answers);
    let to: Vec<String> = session.sent().iter().map(|sent| sent.to.to_string()).collect();
    assert_eq!(
        to[..5],
        [
            "628111111111@s.whatsapp.net",
            "628111111111@s.whatsapp.net",
            "628111111111@s.whatsapp.net",
            "628111111111@s.whatsapp.net",
            "551112345678@s.whatsapp.net",
        ]
    );
    assert!(
        session
            .sent()
            .iter()
            .all(|sent| sent.text.as_deref() == Some("Hello World"))
    );
}

#[tokio::test]
async fn a_file_is_sent_by_its_content() {
    let app = TestApp::start();
    let session = app.paired("shop").await;
    app.media.put(
        "https://example.com/a.bin",
        "image/png",
        Some("a.bin"),
        &b"\x89PNG"[..],
    );
    app.media
        .put("data:text/plain,hi", "text/plain", None, &b"hi"[..]);
    let image =
        json!({ "phone": "628111111111", "message": "Look", "file_url": "https://example.com/a.bin" });
    let document =
        json!({ "phone": "628111111111", "file_url": "data:text/plain,hi", "file_name": "note.txt" });
    assert_answers(
        "send_media",
        &[send(&app, image).await, send(&app, document).await],
    );

    let sent = session.sent();
    let (image, document) = (sent[0].media.as_ref().unwrap(), sent[1].media.as_ref().unwrap());
    assert_eq!(
        (image.kind, &image.bytes[..], sent[0].text.as_deref()),
        (MediaKind::Image, &b"\x89PNG"[..], Some("Look"))
    );
    assert_eq!(image.file_name.as_deref(), Some("a.bin"));
    assert_eq!(
        (document.kind, &document.bytes[..], &sent[1].text),
        (MediaKind::Document, &b"hi"[..], &None)
    );
    assert_eq!(document.file_name.as_deref(), Some("note.txt"));
}

#[tokio::test]
async fn a_number_that_is_not_on_whatsapp_is_told_so() {
    let app = TestApp::start();
    let session = app.paired("shop").await;
    app.driver.not_on_whatsapp("628999999999");
    let answer = send(&app, json!({ "phone": "+62 899 9999 999", "message": "hi" })).await;
    assert_answers("send_not_on_whatsapp", &[answer]);
    assert_eq!(session.attempts(), []);
}

#[tokio::test]
async fn what_is_missing_is_named() {
    let app = TestApp::start();
    app.paired("shop").await;
    assert_answers(
        "send_incomplete",
        &[
            app.post("/api/send", json!({ "phone": "628111111111", "message": "hi" }))
                .await,
            send(&app, json!({ "message": "hi" })).await,
            send(&app, json!({ "phone": "", "message": "hi" })).await,
            send(&app, json!({ "phone": "628111111111" })).await,
            send(&app, json!({ "phone": "628111111111", "message": "" })).await,
            send(&app, json!({ "phone": "12", "message": "hi" })).await,
            send(&app, json!({ "phone": "someone@example.com", "message": "hi" })).await,
        ],
    );
}

#[tokio::test]
async fn files_that_cannot_be_had_are_told() {
    let app = TestApp::start();
    app.paired("shop").await;
    let url = "https://example.com/big.mp4";
    let body = json!({ "phone": "628111111111", "file_url": url });
    let mut answers = vec![send(&app, body.clone()).await];
    app.media.fail_next(
        url,
        Error::TooLarge {
            what: "media",
            limit: 16_777_216,
        },
    );
    answers.push(send(&app, body.clone()).await);
    app.media
        .fail_next(url, Error::unavailable("media", "connection refused"));
    answers.push(send(&app, body).await);
    assert_answers("send_media_refused", &answers);
}

#[tokio::test]
async fn nothing_is_sent_without_a_connection() {
    let app = TestApp::start();
    let body = json!({ "phone": "628111111111", "message": "hi" });
    let session = app.started("shop").await;
    let mut answers = vec![send(&app, body.clone()).await];
    session.scan("628123456789:7@s.whatsapp.net", None).await;
    session.drop_connection().await;
    answers.push(send(&app, body.clone()).await);
    session.end(EndReason::Replaced).await;
    answers.push(send(&app, body).await);
    assert_answers("send_wrong_state", &answers);
    assert_eq!(session.attempts(), []);
}

#[tokio::test]
async fn what_whatsapp_refuses_or_does_not_answer_is_told() {
    let app = TestApp::start();
    let session = app.paired("shop").await;
    let body = json!({ "phone": "628111111111", "message": "hi" });
    session.refuse_next_send(463, "this account may not write to that person");
    let refused = send(&app, body.clone()).await;
    session.time_out_next_send();
    let timed_out = send(&app, body.clone()).await;
    session.fail_next_send(Error::unavailable("whatsapp", "connection lost"));
    let unreachable = send(&app, body.clone()).await;
    session.fail_next_send(Error::internal("a table of ours is missing"));
    let broken = send(&app, body).await;
    assert_answers("send_failed", &[refused, timed_out, unreachable, broken]);
}
