//! What a session is doing, and telling it what to do.

use serde_json::{Value, json};
use wagate_domain::model::EndReason;

use crate::answer::assert_answers;
use crate::support::{ACCOUNT, TestApp};
use crate::v1_support::{get, post};

const SESSION: &str = "/v1/devices/shop/session";

async fn create(app: &TestApp) {
    let made = post(app, "/v1/devices", json!({ "token": "shop" })).await;
    assert_eq!(made.status, 201, "{made}");
}

#[tokio::test]
async fn a_session_goes_from_rest_to_connected_and_back() {
    let app = TestApp::start();
    create(&app).await;
    let mut answers = vec![
        get(&app, SESSION).await,
        post(&app, &format!("{SESSION}/start"), json!({})).await,
    ];
    let session = app.driver.session("shop");
    session.issue_qr("2@scan-me").await;
    session.scan(ACCOUNT, None).await;
    answers.push(get(&app, SESSION).await);
    session.drop_connection().await;
    answers.push(get(&app, SESSION).await);
    answers.push(post(&app, &format!("{SESSION}/reconnect"), json!({})).await);
    answers.push(post(&app, &format!("{SESSION}/log-out"), json!({})).await);
    answers.push(post(&app, &format!("{SESSION}/log-out"), json!({})).await);
    answers.push(post(&app, &format!("{SESSION}/reconnect"), json!({})).await);
    assert_answers("v1_session", &answers);
    assert_eq!(session.logouts(), 1);
    assert_eq!(
        post(&app, &format!("{SESSION}/start"), json!({})).await.json()["state"],
        "connecting"
    );
}

#[tokio::test]
async fn a_code_is_for_whoever_asks_for_the_session() {
    let app = TestApp::start();
    let session = app.started("shop").await;
    session.issue_qr("2@scan-me").await;
    let shown = get(&app, SESSION).await.json();
    assert_eq!(shown["state"], "awaiting_scan");
    assert_eq!(shown["qr"]["expires_at"], "2026-01-01T00:01:00.000Z");
    let svg = shown["qr"]["svg"].as_str().unwrap();
    assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>"), "{svg}");
    for listed in [
        get(&app, "/v1/devices/shop").await.json()["session"].clone(),
        get(&app, "/v1/devices").await.json()["data"][0]["session"].clone(),
    ] {
        assert_eq!(
            (&listed["state"], &listed["qr"]),
            (&json!("awaiting_scan"), &Value::Null)
        );
    }
    app.clock.advance(std::time::Duration::from_mins(1));
    assert_eq!(
        get(&app, SESSION).await.json()["qr"],
        Value::Null,
        "a code that is over"
    );
}

#[tokio::test]
async fn an_end_says_why() {
    let app = TestApp::start();
    let session = app.paired("shop").await;
    let banned = EndReason::Banned {
        code: 402,
        until: Some(wagate_domain::model::Timestamp(1_767_229_200_000)),
    };
    session.end(banned).await;
    assert_answers("v1_session_banned", &[get(&app, SESSION).await]);
}

#[tokio::test]
async fn a_phone_number_is_paired_by_a_code() {
    let app = TestApp::start();
    let session = app.started("shop").await;
    session.issue_qr("2@scan-me").await;
    let pair = async |body: Value| post(&app, &format!("{SESSION}/pair"), body).await;
    let mut answers = vec![
        pair(json!({ "phone": "+62 812-3456-789" })).await,
        pair(json!({ "phone": "nobody" })).await,
        pair(json!({})).await,
    ];
    session.scan(ACCOUNT, None).await;
    answers.push(pair(json!({ "phone": "+62 812-3456-789" })).await);
    assert_answers("v1_pair", &answers);
}

#[tokio::test]
async fn nothing_is_done_to_devices_that_are_not_there() {
    let app = TestApp::start();
    assert_eq!(get(&app, SESSION).await.verdict(), "404 device_not_found");
    for (verb, body) in [
        ("start", json!({})),
        ("reconnect", json!({})),
        ("log-out", json!({})),
        ("pair", json!({ "phone": "628123456789" })),
    ] {
        let answer = post(&app, &format!("{SESSION}/{verb}"), body).await;
        assert_eq!(answer.verdict(), "404 device_not_found", "{answer}");
    }
    assert_eq!(get(&app, "/v1/devices").await.json()["total"], 0, "none was made");
}
