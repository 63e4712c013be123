//! Linking a device, by QR and by code, and what status says meanwhile.

use serde_json::json;
use wagate_tests::{Receiver, Sandbox};

use crate::{ALICE, PEOPLE};

#[tokio::test(flavor = "multi_thread")]
async fn a_device_is_linked_by_scanning_its_qr_code() {
    let sandbox = Sandbox::start(PEOPLE).await;
    let receiver = Receiver::start();
    let before = sandbox.api.get("/api/status?token=shop").await;
    assert_eq!(before.refused(404), "device_not_found");

    let started = sandbox
        .api
        .post("/api/start", json!({ "token": "shop" }))
        .await
        .ok();
    assert_eq!(started, json!({ "status": true, "message": "Session started" }));
    sandbox
        .api
        .post("/api/webhook", json!({ "token": "shop", "url": receiver.url() }))
        .await
        .ok();
    let unpaired = sandbox.api.get("/api/status?token=shop").await.ok();
    assert_eq!(unpaired["message"], "DISCONNECTED");

    let jid = sandbox.pair("shop", ALICE).await;
    assert!(jid.starts_with(ALICE), "{jid}");

    let status = sandbox.api.get("/api/status?token=shop").await.ok();
    assert_eq!(status["status"], true);
    assert_eq!(status["message"], "AUTHENTICATED");
    assert_eq!(status["phone"], ALICE);
    assert_eq!(status["state"], "connected");
    assert!(
        status["data"]["lid"].as_str().unwrap().ends_with("@lid"),
        "{status}"
    );
    let status = sandbox
        .wait_for_status("shop", "named", |status| status["name"] == "Alice")
        .await;
    assert_eq!(status["data"]["name"], "Alice");

    // A second request for a code says who is linked already.
    let again = sandbox
        .api
        .post("/api/qrcode", json!({ "token": "shop" }))
        .await
        .ok();
    assert_eq!(again["message"], "AUTHENTICATED");
    assert_eq!(receiver.wait_for_event("connected").await.body["token"], "shop");
    sandbox.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_is_linked_by_typing_a_code() {
    let sandbox = Sandbox::start(PEOPLE).await;
    sandbox.api.post("/api/start", json!({ "token": 42 })).await.ok();
    let answer = sandbox
        .api
        .post("/api/pair", json!({ "token": 42, "phone": "+62 812-0000-0001" }))
        .await
        .ok();
    let code = answer["code"].as_str().unwrap();
    assert_eq!((code.len(), &code[4..5]), (9, "-"), "{code}");

    let jid = sandbox.world.pair_code(ALICE, code).await.unwrap();
    assert!(jid.starts_with(ALICE), "{jid}");
    sandbox
        .wait_for_status("42", "connected", |status| status["connected"] == true)
        .await;

    let again = sandbox
        .api
        .post("/api/pair", json!({ "token": 42, "phone": ALICE }))
        .await;
    assert_eq!(again.refused(409), "session_already_paired");
    sandbox.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_numbers_live_side_by_side() {
    let sandbox = Sandbox::start(PEOPLE).await;
    sandbox.pair("one", ALICE).await;
    sandbox.pair("two", crate::BOB).await;
    let page = sandbox.api.get("/api/devices").await.ok();
    assert_eq!(page["total"], 2);
    assert!(
        page["data"]
            .as_array()
            .unwrap()
            .iter()
            .all(|device| device["connected"] == true),
        "{page}"
    );
    sandbox.api.send_text("one", crate::BOB, "from one to two").await;
    sandbox.wait_for_text(crate::BOB, "from one to two").await;
    sandbox.finish().await;
}
