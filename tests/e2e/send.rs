//! Text out: in every form of a number, once per idempotency key, and refused where it must be.

use reqwest::Method;
use serde_json::json;
use wagate_tests::Sandbox;

use crate::{ALICE, BOB, PEOPLE};

#[tokio::test(flavor = "multi_thread")]
async fn text_arrives_decrypted_on_the_other_phone() {
    let sandbox = Sandbox::start(PEOPLE).await;
    sandbox.pair("shop", ALICE).await;

    let body = json!({ "token": "shop", "phone": "+62 812-0000-0002", "message": "Hello, Bob 👋" });
    let answer = sandbox.api.post("/api/send", body).await.ok();
    assert_eq!(
        (&answer["status"], &answer["phone"], &answer["message"]),
        (&json!(true), &json!(BOB), &json!("Sent"))
    );

    let got = sandbox.wait_for_text(BOB, "Hello, Bob 👋").await;
    assert_eq!(json!(got.id), answer["data"]["id"]);
    assert!(got.sender.starts_with(ALICE), "{got:?}");
    // The account's own phone sees what its companion sent.
    sandbox
        .wait_for_message(ALICE, "own copy", |message| {
            message.from_me && message.id == got.id
        })
        .await;

    // A national number is completed by the country of the account; a JID is left alone.
    for to in ["0812 0000 0002", "6281200000002@s.whatsapp.net"] {
        let text = format!("to {to}");
        sandbox.api.send_text("shop", to, &text).await;
        sandbox.wait_for_text(BOB, &text).await;
    }
    sandbox.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_number_without_whatsapp_is_told_and_nothing_is_sent() {
    let sandbox = Sandbox::start(PEOPLE).await;
    sandbox.pair("shop", ALICE).await;
    let body = json!({ "token": "shop", "phone": "628999999999", "message": "anybody?" });
    let answer = sandbox.api.post("/api/send", body).await.ok();
    assert_eq!(
        answer,
        json!({ "status": false, "token": "shop", "phone": "628999999999", "message": "Not registered on WhatsApp",
                "code": "not_on_whatsapp", "data": [] })
    );
    sandbox.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_key_sends_once() {
    let mut sandbox = Sandbox::start(PEOPLE).await;
    sandbox.pair("shop", ALICE).await;
    let body = json!({ "token": "shop", "phone": BOB, "message": "pay 10" });
    let key = [("idempotency-key", "order-1")];
    let first = sandbox
        .api
        .call(Method::POST, "/api/send", body.clone(), &key)
        .await
        .ok();
    let again = sandbox
        .api
        .call(Method::POST, "/api/send", body.clone(), &key)
        .await
        .ok();
    assert_eq!(first, again);

    // It is stored: a restart does not forget it.
    sandbox.stop_gateway().await;
    sandbox.start_gateway().await;
    sandbox
        .wait_for_status("shop", "connected", |status| status["connected"] == true)
        .await;
    let later = sandbox.api.call(Method::POST, "/api/send", body, &key).await.ok();
    assert_eq!(first, later);

    let other = json!({ "token": "shop", "phone": BOB, "message": "pay 20" });
    let reused = sandbox.api.call(Method::POST, "/api/send", other, &key).await;
    assert_eq!(reused.refused(422), "idempotency_key_reused");

    sandbox.api.send_text("shop", BOB, "done").await;
    sandbox.wait_for_text(BOB, "done").await;
    let payments = sandbox.world.messages(BOB).unwrap();
    assert_eq!(
        payments
            .iter()
            .filter(|message| message.text.as_deref() == Some("pay 10"))
            .count(),
        1
    );
    sandbox.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_sent_is_refused_before_anything_leaves() {
    let sandbox = Sandbox::start(PEOPLE).await;
    let send = |body| sandbox.api.post("/api/send", body);
    assert_eq!(send(json!({ "phone": BOB })).await.refused(400), "invalid_token");
    assert_eq!(
        send(json!({ "token": "nobody", "phone": BOB, "message": "x" }))
            .await
            .refused(404),
        "device_not_found"
    );
    sandbox
        .api
        .post("/api/start", json!({ "token": "shop" }))
        .await
        .ok();
    let unpaired = send(json!({ "token": "shop", "phone": BOB, "message": "x" })).await;
    assert_eq!(unpaired.refused(409), "session_not_paired");
    sandbox.pair("shop", ALICE).await;
    assert_eq!(
        send(json!({ "token": "shop", "message": "x" }))
            .await
            .refused(400),
        "invalid_phone"
    );
    assert_eq!(
        send(json!({ "token": "shop", "phone": "12", "message": "x" }))
            .await
            .refused(400),
        "invalid_phone"
    );
    assert_eq!(
        send(json!({ "token": "shop", "phone": BOB })).await.refused(400),
        "invalid_message"
    );
    sandbox.finish().await;
}
