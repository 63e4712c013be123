//! Codes to scan and to type.

use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::json;
use wagate_domain::model::EndReason;

use crate::answer::{Answer, assert_answers};
use crate::support::TestApp;

/// What a phone's camera makes of the answer.
fn scanned(answer: &Answer) -> String {
    let json = answer.json();
    assert_eq!(json["status"], true, "{answer}");
    let uri = json["qrcode"].as_str().unwrap();
    let png = BASE64_STANDARD
        .decode(uri.strip_prefix("data:image/png;base64,").unwrap())
        .unwrap();
    let image = image::load_from_memory_with_format(&png, image::ImageFormat::Png)
        .unwrap()
        .to_luma8();
    assert!(image.width() >= 256);
    let mut image = rqrr::PreparedImage::prepare(image);
    image.detect_grids()[0].decode().unwrap().1
}

#[tokio::test]
async fn the_picture_holds_the_code_that_is_valid_now() {
    let app = TestApp::start();
    let session = app.started("shop").await;
    session.issue_qr("2@first,abc==,def=,ghi").await;
    assert_eq!(
        scanned(&app.post("/api/qrcode", json!({ "token": "shop" })).await),
        "2@first,abc==,def=,ghi"
    );
    session.issue_qr("2@second,abc==,def=,ghi").await;
    assert_eq!(
        scanned(&app.get("/api/qrcode?token=shop").await),
        "2@second,abc==,def=,ghi"
    );
}

#[tokio::test]
async fn a_request_waits_for_the_first_code() {
    let app = TestApp::start();
    let session = app.started("shop").await;
    let (answer, ()) = tokio::join!(app.get("/api/qrcode?token=shop"), async {
        app.clock.sleepers(1).await;
        session.issue_qr("2@late").await;
    });
    assert_eq!(scanned(&answer), "2@late");
}

#[tokio::test]
async fn a_code_that_has_expired_is_not_shown() {
    let app = TestApp::start();
    let session = app.started("shop").await;
    session.issue_qr("2@old").await;
    app.clock.advance(Duration::from_mins(1));
    let (answer, ()) = tokio::join!(app.get("/api/qrcode?token=shop"), async {
        app.clock.sleepers(1).await;
        session.issue_qr("2@new").await;
    });
    assert_eq!(scanned(&answer), "2@new");
}

#[tokio::test]
async fn without_a_code_the_client_is_told_to_come_back() {
    let app = TestApp::start();
    app.started("shop").await;
    let (answer, ()) = tokio::join!(app.get("/api/qrcode?token=shop"), async {
        app.clock.sleepers(1).await;
        app.clock.advance(Duration::from_secs(20));
    });
    assert_answers("waiting_for_qr", &[answer]);
}

#[tokio::test]
async fn without_a_network_the_client_is_told_so() {
    let app = TestApp::start();
    app.driver.go_out_of_reach();
    app.started("shop").await;
    let (answer, ()) = tokio::join!(app.get("/api/qrcode?token=shop"), async {
        app.clock.sleepers(1).await;
        app.clock.advance(Duration::from_secs(20));
    });
    assert_answers("whatsapp_unavailable", &[answer]);
}

#[tokio::test]
async fn a_paired_device_answers_with_its_status() {
    let app = TestApp::start();
    app.paired("shop").await;
    let code = app.post("/api/qrcode", json!({ "token": "shop" })).await;
    assert_eq!(code.json(), app.get("/api/status?token=shop").await.json());
    assert_eq!(code.json()["message"], "AUTHENTICATED");
}

#[tokio::test]
async fn nobody_scanned_in_time_and_a_new_round_begins() {
    let app = TestApp::start();
    let session = app.started("shop").await;
    session.give_up_pairing();
    assert_eq!(
        app.get("/api/status?token=shop").await.json()["state"],
        "pairing_timed_out"
    );
    let (answer, ()) = tokio::join!(app.get("/api/qrcode?token=shop"), async {
        app.clock.sleepers(1).await;
        session.issue_qr("2@again").await;
    });
    assert_eq!(scanned(&answer), "2@again");
}

#[tokio::test]
async fn a_device_is_paired_by_phone_number() {
    let app = TestApp::start();
    let session = app.started("shop").await;
    session.issue_qr("2@scan-me").await;
    session.set_pair_code("WXYZ9876");
    let pair = |body| app.post("/api/pair", body);
    let answers = [
        pair(json!({ "token": "shop", "phone": "+62 812-3456-789" })).await,
        pair(json!({ "token": "shop" })).await,
        pair(json!({ "token": "shop", "phone": " " })).await,
        pair(json!({ "token": "shop", "phone": "12" })).await,
        pair(json!({ "token": "shop", "phone": "0812345678" })).await,
    ];
    assert_answers("pair", &answers);
    session.scan("628123456789:7@s.whatsapp.net", None).await;
    assert_answers(
        "pair_when_paired",
        &[pair(json!({ "token": "shop", "phone": 628_123_456_789_u64 })).await],
    );
}

#[tokio::test]
async fn a_device_that_was_unlinked_by_its_phone_can_be_scanned_again() {
    let app = TestApp::start();
    let session = app.paired("shop").await;
    session.end(EndReason::LoggedOut).await;
    assert_answers("status_unlinked", &[app.get("/api/status?token=shop").await]);
    let (answer, ()) = tokio::join!(app.get("/api/qrcode?token=shop"), async {
        app.clock.sleepers(1).await;
        app.driver.session("shop").issue_qr("2@fresh").await;
    });
    assert_eq!(scanned(&answer), "2@fresh");
    assert_eq!(app.driver.times_opened("shop"), 2);
}
