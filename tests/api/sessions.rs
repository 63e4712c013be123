//! Starting, status, reconnecting, logging out.

use std::time::Duration;

use serde_json::json;
use wagate_domain::model::{EndReason, EventBody};

use crate::answer::assert_answers;
use crate::support::TestApp;

#[tokio::test]
async fn starting_makes_the_device_once() {
    let app = TestApp::start();
    let body = json!({ "token": "shop", "reject_call": "Y", "reject_message": "Busy" });
    let first = app.post("/api/start", body.clone()).await;
    let again = app.post("/api/start", body).await;
    assert_answers("start", &[first, again, app.get("/api/devices").await]);
    assert_eq!(app.driver.times_opened("shop"), 1);
}

#[tokio::test]
async fn call_settings_are_kept_until_they_are_changed() {
    let app = TestApp::start();
    let calls = async || {
        let token = "shop".parse().unwrap();
        app.gateway.session_status(&token).await.unwrap().device.calls
    };
    let exclude = json!(["+62 811-1111-111", 628_222_222_222_u64]);
    let all = json!({ "token": "shop", "reject_call": "y", "reject_exclude_phone": exclude, "reject_message": "Busy" });
    app.post("/api/start", all).await;
    let set = calls().await;
    assert_eq!((set.reject, set.message.as_deref()), (true, Some("Busy")));
    assert_eq!(set.exclude, ["628111111111", "628222222222"]);

    app.post("/api/start", json!({ "token": "shop" })).await;
    assert_eq!(calls().await, set, "what is left out stays");

    app.post(
        "/api/start",
        json!({ "token": "shop", "reject_call": false, "reject_exclude_phone": "628333333333" }),
    )
    .await;
    let changed = calls().await;
    assert_eq!(
        (changed.reject, changed.message.as_deref()),
        (false, Some("Busy"))
    );
    assert_eq!(changed.exclude, ["628333333333"]);
}

#[tokio::test]
async fn a_refused_start_leaves_no_device_behind() {
    let app = TestApp::start();
    let refused = app
        .post(
            "/api/start",
            json!({ "token": "shop", "reject_exclude_phone": ["nobody"] }),
        )
        .await;
    assert_eq!(refused.verdict(), "400 invalid_reject_exclude_phone");
    assert_eq!(app.get("/api/devices").await.json()["total"], 0);
}

#[tokio::test]
async fn status_tells_pairing_and_connection_apart() {
    let app = TestApp::start();
    let session = app.started("shop").await;
    let mut answers = vec![app.get("/api/status?token=shop").await];
    session.issue_qr("2@scan-me").await;
    answers.push(app.get("/api/status?token=shop").await);
    session
        .scan("628123456789:7@s.whatsapp.net", Some("987654321@lid"))
        .await;
    let profile = EventBody::ProfileChanged {
        push_name: Some("Corner Shop".into()),
        picture_url: Some("https://pps.whatsapp.net/v/1.jpg".into()),
    };
    session.receive(profile).await.unwrap();
    answers.push(app.post("/api/status", json!({ "token": "shop" })).await);
    session.drop_connection().await;
    answers.push(app.get("/api/status?token=shop").await);
    session
        .end(EndReason::Banned {
            code: 403,
            until: None,
        })
        .await;
    answers.push(app.get("/api/status?token=shop").await);
    assert_answers("status", &answers);
}

#[tokio::test]
async fn logging_out_unlinks_and_keeps_the_device() {
    let app = TestApp::start();
    let session = app.paired("shop").await;
    let answers = [
        app.call(app.request(reqwest::Method::POST, "/api/logout?token=shop"))
            .await,
        app.get("/api/status?token=shop").await,
        app.post("/api/logout", json!({ "token": "shop" })).await,
    ];
    assert_answers("logout", &answers);
    assert_eq!((session.logouts(), session.is_closed()), (1, true));
    assert_eq!(app.get("/api/devices").await.json()["total"], 1);
}

#[tokio::test]
async fn reconnecting_returns_once_the_connection_is_up() {
    let app = TestApp::start();
    let session = app.paired("shop").await;
    session.drop_connection().await;
    let answer = app.post("/api/reconnect?token=shop", json!({})).await;
    assert_eq!(app.get("/api/status?token=shop").await.json()["connected"], true);
    app.started("unpaired").await;
    assert_answers(
        "reconnect",
        &[
            answer,
            app.post("/api/reconnect", json!({ "token": "unpaired" })).await,
        ],
    );
}

#[tokio::test]
async fn reconnecting_without_a_network_is_unavailable() {
    let app = TestApp::start();
    app.paired("shop").await;
    app.driver.go_out_of_reach();
    let (answer, ()) = tokio::join!(app.post("/api/reconnect", json!({ "token": "shop" })), async {
        app.clock.sleepers(1).await;
        app.clock.advance(Duration::from_secs(20));
    });
    assert_eq!(answer.verdict(), "503 whatsapp_unavailable");
    assert_eq!(answer.headers["retry-after"], "5");
}
