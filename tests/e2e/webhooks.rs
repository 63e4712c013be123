//! Deliveries: only 2xx counts, a failed one is tried again, and a restart forgets none.

use serde_json::json;
use wagate_tests::{Receiver, Sandbox};

use crate::{ALICE, BOB, PEOPLE};

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_delivery_is_retried_with_the_same_id_and_body() {
    let sandbox = Sandbox::start(PEOPLE).await;
    let receiver = Receiver::start();
    sandbox.pair("shop", ALICE).await;
    sandbox
        .api
        .post("/api/webhook", json!({ "token": "shop", "url": receiver.url() }))
        .await
        .ok();
    receiver.answer_next(&[500]);
    sandbox.world.send_text(BOB, ALICE, "once more").unwrap();
    // The first retry comes after five seconds.
    let attempts = receiver.wait_for_count(2).await;
    assert_eq!(attempts[0].raw, attempts[1].raw);
    assert_eq!(attempts[0].header("webhook-id"), attempts[1].header("webhook-id"));
    sandbox.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_that_waits_survives_a_restart() {
    let mut sandbox = Sandbox::start(PEOPLE).await;
    let receiver = Receiver::start();
    sandbox.pair("shop", ALICE).await;
    sandbox
        .api
        .post("/api/webhook", json!({ "token": "shop", "url": receiver.url() }))
        .await
        .ok();
    receiver.answer_next(&[503]);
    sandbox.world.send_text(BOB, ALICE, "do not forget").unwrap();
    receiver.wait_for_count(1).await;
    sandbox.stop_gateway().await;
    sandbox.start_gateway().await;
    // What the session has to say meanwhile does not wait for the conversation.
    let mut count = 2;
    let attempts = loop {
        let all = receiver.wait_for_count(count).await;
        count = all.len() + 1;
        let told = |one: &wagate_tests::Received| one.body["text"] == "do not forget";
        let attempts: Vec<_> = all.into_iter().filter(told).collect();
        if attempts.len() == 2 {
            break attempts;
        }
    };
    assert_eq!(attempts[0].header("webhook-id"), attempts[1].header("webhook-id"));
    sandbox.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_is_checked_and_can_be_removed() {
    let sandbox = Sandbox::start(PEOPLE).await;
    sandbox
        .api
        .post("/api/start", json!({ "token": "shop" }))
        .await
        .ok();
    for url in [
        "ftp://example.com",
        "nonsense",
        "http://user:pw@example.com/",
        "http://192.168.1.1/",
        "http://[::ffff:10.0.0.1]/",
    ] {
        let reply = sandbox
            .api
            .post("/api/webhook", json!({ "token": "shop", "url": url }))
            .await;
        assert_eq!(reply.refused(400), "invalid_url", "{url}");
    }
    let set = sandbox
        .api
        .post(
            "/api/webhook",
            json!({ "token": "shop", "url": "https://example.com/hook" }),
        )
        .await
        .ok();
    assert_eq!(
        set,
        json!({ "status": "updated", "url": "https://example.com/hook" })
    );
    sandbox
        .api
        .post("/api/webhook", json!({ "token": "shop", "url": "" }))
        .await
        .ok();
    let page = sandbox.api.get("/api/devices").await.ok();
    assert_eq!(page["data"][0]["webhook"], "");
    sandbox.finish().await;
}
