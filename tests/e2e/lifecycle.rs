//! Restart, logout, unlinking, lost connections and verdicts: the state is told, and nothing loops.

use serde_json::json;
use wa_sim::fault::{FaultKind, FaultSpec};
use wagate_tests::{Receiver, Sandbox};

use crate::{ALICE, BOB, PEOPLE};

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_finds_everything_still_there() {
    let mut sandbox = Sandbox::start(PEOPLE).await;
    let receiver = Receiver::start();
    let jid = sandbox.pair("shop", ALICE).await;
    sandbox
        .api
        .post("/api/webhook", json!({ "token": "shop", "url": receiver.url() }))
        .await
        .ok();
    sandbox
        .api
        .post(
            "/api/workspace",
            json!({ "token": "shop", "workspace": "Marketing" }),
        )
        .await
        .ok();
    sandbox.api.send_text("shop", BOB, "before").await;
    sandbox.wait_for_text(BOB, "before").await;

    sandbox.stop_gateway().await;
    sandbox.start_gateway().await;
    sandbox
        .wait_for_status("shop", "connected", |status| status["connected"] == true)
        .await;
    let page = sandbox.api.get("/api/devices?workspace=Marketing").await.ok();
    assert_eq!(page["data"][0]["jid"], json!(jid));
    assert_eq!(page["data"][0]["webhook"], json!(receiver.url()));
    sandbox.api.send_text("shop", BOB, "after").await;
    sandbox.wait_for_text(BOB, "after").await;
    sandbox.world.send_text(BOB, ALICE, "still here?").unwrap();
    receiver
        .wait_for("message after restart", |body| body["text"] == "still here?")
        .await;
    sandbox.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn logging_out_unlinks_and_the_token_can_be_paired_again() {
    let sandbox = Sandbox::start(PEOPLE).await;
    let receiver = Receiver::start();
    let first = sandbox.pair("shop", ALICE).await;
    sandbox
        .api
        .post("/api/webhook", json!({ "token": "shop", "url": receiver.url() }))
        .await
        .ok();
    let answer = sandbox.api.post("/api/logout?token=shop", json!(null)).await.ok();
    assert_eq!(answer, json!({ "status": "logged_out" }));
    assert!(
        sandbox.world.phone(ALICE).unwrap().devices.is_empty(),
        "WhatsApp still lists the device"
    );
    let status = sandbox.api.get("/api/status?token=shop").await.ok();
    assert_eq!(
        (&status["status"], &status["state"]),
        (&json!(false), &json!("logged_out"))
    );
    receiver.wait_for_event("logged_out").await;
    assert_eq!(
        sandbox
            .api
            .post("/api/logout?token=shop", json!(null))
            .await
            .refused(409),
        "session_not_paired"
    );

    let second = sandbox.pair("shop", ALICE).await;
    assert_ne!(first, second);
    sandbox.api.send_text("shop", BOB, "back again").await;
    sandbox.wait_for_text(BOB, "back again").await;
    sandbox.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn unlinking_on_the_phone_is_a_state_and_not_a_loop() {
    let sandbox = Sandbox::start(PEOPLE).await;
    let receiver = Receiver::start();
    let jid = sandbox.pair("shop", ALICE).await;
    sandbox
        .api
        .post("/api/webhook", json!({ "token": "shop", "url": receiver.url() }))
        .await
        .ok();
    sandbox.world.unlink(ALICE, &jid).unwrap();
    let status = sandbox
        .wait_for_status("shop", "logged out", |status| status["state"] == "logged_out")
        .await;
    assert_eq!(status["connected"], false);
    receiver.wait_for_event("logged_out").await;
    let body = json!({ "token": "shop", "phone": BOB, "message": "x" });
    assert_eq!(sandbox.api.post("/api/send", body).await.status, 409);
    assert_eq!(
        sandbox
            .api
            .post("/api/reconnect?token=shop", json!(null))
            .await
            .refused(409),
        "session_not_paired"
    );

    sandbox.pair("shop", ALICE).await;
    sandbox.api.send_text("shop", BOB, "linked anew").await;
    sandbox.wait_for_text(BOB, "linked anew").await;
    let told = receiver
        .all()
        .iter()
        .filter(|got| got.body["event"] == "logged_out")
        .count();
    assert_eq!(told, 1, "a verdict is told once");
    sandbox.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_connection_comes_back_by_itself() {
    let sandbox = Sandbox::start(PEOPLE).await;
    let receiver = Receiver::start();
    sandbox.pair("shop", ALICE).await;
    sandbox
        .api
        .post("/api/webhook", json!({ "token": "shop", "url": receiver.url() }))
        .await
        .ok();
    sandbox.faults.add(FaultSpec {
        count: Some(1),
        ..FaultSpec::new(FaultKind::Drop)
    });
    receiver.wait_for_event("disconnected").await;
    // The first connection may have been told as well, when the endpoint was there in time: it is another that counts.
    receiver.wait_for_event_after("connected", "disconnected").await;
    sandbox.api.send_text("shop", BOB, "I am back").await;
    sandbox.wait_for_text(BOB, "I am back").await;
    sandbox.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replaced_session_rests_until_it_is_reconnected() {
    let sandbox = Sandbox::start(PEOPLE).await;
    sandbox.pair("shop", ALICE).await;
    let replaced = FaultSpec {
        conflict: Some("replaced".into()),
        count: Some(1),
        ..FaultSpec::new(FaultKind::StreamError)
    };
    sandbox.faults.add(replaced);
    sandbox
        .wait_for_status("shop", "replaced", |status| status["state"] == "replaced")
        .await;
    let answer = sandbox
        .api
        .post("/api/reconnect?token=shop", json!(null))
        .await
        .ok();
    assert_eq!(answer, json!({ "status": "reconnected" }));
    sandbox.api.send_text("shop", BOB, "mine again").await;
    sandbox.wait_for_text(BOB, "mine again").await;
    sandbox.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ban_is_a_state_and_its_keys_survive() {
    let mut sandbox = Sandbox::start(PEOPLE).await;
    sandbox.pair("shop", ALICE).await;
    sandbox.stop_gateway().await;
    sandbox.faults.add(FaultSpec {
        code: Some(101),
        expire_secs: Some(3600),
        ..FaultSpec::new(FaultKind::Ban)
    });
    sandbox.start_gateway().await;
    sandbox
        .wait_for_status("shop", "banned", |status| status["state"] == "banned")
        .await;
    sandbox.faults.clear();
    sandbox
        .api
        .post("/api/reconnect?token=shop", json!(null))
        .await
        .ok();
    sandbox.api.send_text("shop", BOB, "free").await;
    sandbox.wait_for_text(BOB, "free").await;
    sandbox.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_way_to_whatsapp_the_gateway_stays_healthy_and_tells_the_truth() {
    let sandbox = Sandbox::start_unreachable().await;
    sandbox
        .api
        .post("/api/start", json!({ "token": "shop" }))
        .await
        .ok();
    let asked = std::time::Instant::now();
    let reply = sandbox.api.post("/api/qrcode", json!({ "token": "shop" })).await;
    assert!(asked.elapsed() < std::time::Duration::from_secs(25));
    assert!(reply.headers.contains_key("retry-after"));
    assert_eq!(reply.refused(503), "whatsapp_unavailable");
    let status = sandbox.api.get("/api/status?token=shop").await.ok();
    assert_eq!(
        (&status["state"], &status["connected"]),
        (&json!("unreachable"), &json!(false))
    );
    assert_eq!(sandbox.api.get("/healthz").await.status, 200);
    assert_eq!(sandbox.api.get("/readyz").await.status, 200);
    sandbox.finish().await;
}
