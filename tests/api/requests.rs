//! What all endpoints have in common: tokens in both places, bodies of any content type, and one
//! envelope for whatever is wrong.

use reqwest::Method;
use serde_json::json;

use crate::answer::assert_answers;
use crate::endpoints::ENDPOINTS;
use crate::support::{MAX_BODY_BYTES, TestApp};

/// A body that lacks nothing but the token.
fn full_body() -> serde_json::Value {
    json!({ "phone": "628111111111", "message": "hi", "url": "", "workspace": "" })
}

#[tokio::test]
async fn the_token_is_required_everywhere() {
    let app = TestApp::start();
    for (method, path, _) in ENDPOINTS.into_iter().filter(|(.., about_device)| *about_device) {
        for body in ["", "{}", r#"{"token":""}"#, r#"{"token":null}"#] {
            let answer = app.send_raw(method.clone(), path, body).await;
            assert_eq!(answer.verdict(), "400 invalid_token", "{answer}");
            assert_eq!(answer.json()["error"], "token is required");
        }
    }
    assert_answers(
        "token_missing",
        &[app.send_raw(Method::POST, "/api/start", "{}").await],
    );
}

#[tokio::test]
async fn an_unknown_token_is_not_found_in_either_place() {
    let app = TestApp::start();
    let endpoints = ENDPOINTS
        .into_iter()
        .filter(|(_, path, about_device)| *about_device && *path != "/api/start");
    for (method, path, _) in endpoints {
        let mut body = full_body();
        let in_query = app
            .call(
                app.request(method.clone(), &format!("{path}?token=ghost"))
                    .json(&body),
            )
            .await;
        assert_eq!(in_query.verdict(), "404 device_not_found", "{in_query}");
        for token in [json!("ghost"), json!(404)] {
            body["token"] = token;
            let in_body = app.call(app.request(method.clone(), path).json(&body)).await;
            assert_eq!(in_body.verdict(), "404 device_not_found", "{in_body}");
        }
    }
    assert_answers("token_unknown", &[app.get("/api/status?token=ghost").await]);
}

#[tokio::test]
async fn a_token_may_be_a_number_and_a_body_of_any_content_type() {
    let app = TestApp::start();
    app.started("628123456789012345678").await;
    let plain = app
        .send_raw(Method::GET, "/api/status", r#"{"token":628123456789012345678}"#)
        .await;
    assert_eq!(plain.status, 200, "{plain}");
    let form = app
        .request(Method::POST, "/api/status")
        .header("content-type", "application/x-www-form-urlencoded");
    let form = app
        .call(form.body(r#" {"token":"628123456789012345678","extra":{"a":[1]}} "#))
        .await;
    assert_eq!(form.status, 200, "{form}");
}

#[tokio::test]
async fn what_cannot_be_read_is_a_bad_request() {
    let app = TestApp::start();
    app.paired("shop").await;
    let start = |body: &'static str| app.send_raw(Method::POST, "/api/start?token=shop", body);
    let send = |body: &'static str| app.send_raw(Method::POST, "/api/send?token=shop", body);
    assert_answers(
        "bad_requests",
        &[
            start("{\"token\":").await,
            start("[]").await,
            start("token=shop").await,
            start(r#"{"token":"other"}"#).await,
            start(r#"{"token":{"a":1}}"#).await,
            start(r#"{"reject_call":"perhaps"}"#).await,
            start(r#"{"reject_message":7}"#).await,
            start(r#"{"reject_exclude_phone":"nobody"}"#).await,
            send(r#"{"phone":true}"#).await,
            send(r#"{"phone":"628111111111","message":1}"#).await,
            send(r#"{"phone":"628111111111","message":"a\u0000b"}"#).await,
            send(r#"{"phone":"628111111111","message":"\ud83d"}"#).await,
            app.get("/api/status?token=a%20b").await,
            app.get("/api/status?token=a%00").await,
            app.get("/api/devices?page=one").await,
            app.get("/api/devices?limit=1.5").await,
            app.get("/api/devices?q=%00").await,
            app.get("/api/devices?workspace=%00").await,
        ],
    );
    let not_utf8 = app
        .send_raw(Method::POST, "/api/send", b"{\"token\":\"\xff\"}".to_vec())
        .await;
    assert_eq!(not_utf8.verdict(), "400 invalid_body");
}

#[tokio::test]
async fn a_body_above_the_limit_is_too_large() {
    let app = TestApp::start();
    app.paired("shop").await;
    let body = json!({ "token": "shop", "phone": "628111111111", "message": "x".repeat(MAX_BODY_BYTES) });
    assert_answers("body_too_large", &[app.post("/api/send", body).await]);
}

#[tokio::test]
async fn unknown_paths_and_methods_are_told() {
    let app = TestApp::start();
    assert_answers(
        "no_such_route",
        &[
            app.get("/api/nowhere").await,
            app.get("/api").await,
            app.get("/api/send?token=shop").await,
            app.delete("/api/status?token=shop").await,
            app.get("/api/device?token=shop").await,
        ],
    );
}

#[tokio::test]
async fn a_database_that_is_away_is_told_so() {
    let app = TestApp::start();
    app.store.close().await;
    assert_answers("database_away", &[app.get("/api/status?token=shop").await]);
}

#[tokio::test]
async fn a_request_keeps_the_id_that_its_client_gave_it() {
    let app = TestApp::start();
    let sane = app
        .call(
            app.request(Method::GET, "/api/workspaces")
                .header("X-Request-Id", "trace-1"),
        )
        .await;
    assert_eq!(sane.headers["x-request-id"], "trace-1");
    let odd = app
        .call(
            app.request(Method::GET, "/api/workspaces")
                .header("X-Request-Id", "a b"),
        )
        .await;
    assert!(odd.headers["x-request-id"].to_str().unwrap().starts_with("req_"));
    let refused = app
        .call(
            app.request_without_key(Method::GET, "/nowhere")
                .header("X-Request-Id", "trace-2"),
        )
        .await;
    assert_eq!(
        (refused.status.as_u16(), &refused.headers["x-request-id"]),
        (404, &"trace-2".parse().unwrap())
    );
}
