//! What all of `/v1` has in common: the key, one form of problems, and nothing that breaks it.

use reqwest::Method;
use serde_json::json;

use crate::answer::assert_answers;
use crate::support::{MAX_BODY_BYTES, TestApp};
use crate::v1_support::{delete, get, patch, post, raw, request};

/// Every path with its methods; the ids name nothing.
const PATHS: [(&str, &[Method]); 41] = [
    ("/v1/devices", &[Method::GET, Method::POST]),
    ("/v1/devices/shop", &[Method::GET, Method::PATCH, Method::DELETE]),
    ("/v1/devices/shop/session", &[Method::GET]),
    ("/v1/devices/shop/session/start", &[Method::POST]),
    ("/v1/devices/shop/session/reconnect", &[Method::POST]),
    ("/v1/devices/shop/session/log-out", &[Method::POST]),
    ("/v1/devices/shop/session/pair", &[Method::POST]),
    ("/v1/devices/shop/contacts", &[Method::GET]),
    ("/v1/devices/shop/groups", &[Method::GET]),
    ("/v1/devices/shop/groups/1@g.us", &[Method::GET]),
    ("/v1/devices/shop/chats", &[Method::GET]),
    ("/v1/devices/shop/chats/1@lid", &[Method::GET]),
    ("/v1/devices/shop/chats/1@lid/messages", &[Method::GET]),
    ("/v1/devices/shop/chats/1@lid/read", &[Method::POST]),
    ("/v1/devices/shop/chats/1@lid/typing", &[Method::PUT]),
    ("/v1/devices/shop/number-checks", &[Method::POST]),
    ("/v1/jobs", &[Method::GET]),
    ("/v1/jobs/job_00000000000000000000000000", &[Method::GET]),
    ("/v1/jobs/job_00000000000000000000000000/results", &[Method::GET]),
    ("/v1/jobs/job_00000000000000000000000000/cancel", &[Method::POST]),
    ("/v1/workspaces", &[Method::GET]),
    ("/v1/workspaces/North", &[Method::PATCH, Method::DELETE]),
    ("/v1/health", &[Method::GET]),
    ("/v1/settings", &[Method::GET, Method::PATCH]),
    ("/v1/stream", &[Method::GET]),
    ("/v1/sign-in", &[Method::GET, Method::POST, Method::DELETE]),
    ("/v1/setup", &[Method::POST]),
    ("/v1/api-keys", &[Method::GET, Method::POST]),
    (
        "/v1/api-keys/key_00000000000000000000000000",
        &[Method::GET, Method::DELETE],
    ),
    ("/v1/events", &[Method::GET]),
    ("/v1/devices/shop/messages", &[Method::GET, Method::POST]),
    ("/v1/devices/shop/messages/3EB0", &[Method::GET]),
    ("/v1/webhooks", &[Method::GET, Method::POST]),
    (
        "/v1/webhooks/whk_00000000000000000000000000",
        &[Method::GET, Method::PATCH, Method::DELETE],
    ),
    (
        "/v1/webhooks/whk_00000000000000000000000000/rotate-secret",
        &[Method::POST],
    ),
    (
        "/v1/webhooks/whk_00000000000000000000000000/test",
        &[Method::POST],
    ),
    (
        "/v1/webhooks/whk_00000000000000000000000000/replay",
        &[Method::POST],
    ),
    ("/v1/deliveries", &[Method::GET]),
    ("/v1/deliveries/dlv_00000000000000000000000000", &[Method::GET]),
    (
        "/v1/deliveries/dlv_00000000000000000000000000/replay",
        &[Method::POST],
    ),
    ("/v1/openapi.json", &[Method::GET]),
];

/// What somebody who is not known may ask for.
const PUBLIC: [(Method, &str); 3] = [
    (Method::GET, "/v1/sign-in"),
    (Method::POST, "/v1/sign-in"),
    (Method::POST, "/v1/setup"),
];

pub fn operations() -> impl Iterator<Item = (Method, &'static str)> {
    PATHS
        .into_iter()
        .flat_map(|(path, methods)| methods.iter().map(move |method| (method.clone(), path)))
}

#[tokio::test]
async fn every_operation_needs_the_key() {
    let app = TestApp::start();
    for (method, path) in operations() {
        let public = PUBLIC.contains(&(method.clone(), path));
        let bare = app.call(app.request_without_key(method, path)).await;
        assert_eq!(bare.verdict() != "401 unauthenticated", public, "{bare}");
    }
    let bare = app
        .request_without_key(Method::GET, "/v1/events")
        .header("x-request-id", "req_test");
    assert_answers("v1_unauthenticated", &[app.call(bare).await]);
}

#[tokio::test]
async fn unknown_paths_and_methods_are_told() {
    let app = TestApp::start();
    assert_answers(
        "v1_no_such_route",
        &[
            get(&app, "/v1").await,
            get(&app, "/v1/webhooks/").await,
            get(&app, "/v1/nowhere").await,
            delete(&app, "/v1/events").await,
            post(&app, "/v1/webhooks/whk_1", json!({})).await,
            patch(&app, "/v1/deliveries", json!({})).await,
        ],
    );
}

#[tokio::test]
async fn parameters_that_nobody_knows_are_refused() {
    let app = TestApp::start();
    for (method, path) in operations() {
        let answer = app
            .call(request(&app, method, &format!("{path}?nonsense=1")))
            .await;
        assert_eq!(answer.verdict(), "422 invalid_query", "{answer}");
    }
}

#[tokio::test]
async fn bodies_are_json_objects_that_are_understood() {
    let app = TestApp::start();
    let create = async |body: &'static str| raw(&app, Method::POST, "/v1/webhooks", body).await;
    let form = request(&app, Method::POST, "/v1/webhooks")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(r#"{"url":"https://example.com/"}"#);
    let large = json!({ "url": "x".repeat(MAX_BODY_BYTES) });
    assert_answers(
        "v1_bad_bodies",
        &[
            create("").await,
            create("[]").await,
            create("{\"url\":").await,
            create(r#"{"url":"https://example.com/","url":"https://example.com/"}"#).await,
            create(r#"{"url":"https://example.com/","uri":1}"#).await,
            create(r#"{"url":"https://example.com/\u0000"}"#).await,
            app.call(form).await,
            post(&app, "/v1/webhooks", large).await,
        ],
    );
    let nothing = raw(
        &app,
        Method::POST,
        "/v1/deliveries/dlv_00000000000000000000000000/replay",
        "{\"a\":1}",
    )
    .await;
    assert_eq!(nothing.verdict(), "422 invalid_body");
    let untyped = app.send_raw(Method::POST, "/v1/webhooks", r#"{"url":"https://example.com/"}"#);
    assert_eq!(
        untyped.await.status,
        201,
        "a body that says nothing of its type is read as JSON"
    );
}

#[tokio::test]
async fn a_database_that_is_away_is_told_so() {
    let app = TestApp::start();
    app.store.close().await;
    assert_answers("v1_database_away", &[get(&app, "/v1/webhooks").await]);
}

/// Values that have broken programs before.
const ODD: [&str; 16] = [
    "null",
    "true",
    "-1",
    "0",
    "1e400",
    "9223372036854775808",
    "-9223372036854775809",
    "0.1",
    "\"\"",
    "\"\\u0000\"",
    "\"\\ud800\"",
    "\"'; drop table webhooks; --\"",
    "\"\u{202e}\u{1f600}\"",
    "[]",
    "{}",
    "[[[[[[[[[[{}]]]]]]]]]]",
];

/// Each of the fields with each of the odd values, beside what is right.
async fn survive(app: &TestApp, method: &Method, path: &str, valid: &str, fields: &[&str]) {
    for (field, odd) in fields.iter().flat_map(|field| ODD.map(|odd| (field, odd))) {
        let comma = if valid.is_empty() { "" } else { "," };
        let body = format!("{{{valid}{comma}\"{field}\":{odd}}}");
        let answer = raw(app, method.clone(), path, body).await;
        assert!(answer.status.as_u16() < 500, "{answer}");
    }
}

#[tokio::test]
async fn no_body_breaks_anything() {
    let app = TestApp::start();
    app.paired("shop").await;
    let webhook = post(&app, "/v1/webhooks", json!({ "url": "https://example.com/" })).await;
    let path = webhook.headers["location"].to_str().unwrap().to_owned();
    let valid = r#""url":"https://example.com/""#;
    let typing = "/v1/devices/shop/chats/1@lid/typing".to_owned();
    for (method, path, valid, fields) in [
        (
            Method::POST,
            "/v1/webhooks".to_owned(),
            valid,
            &["device", "workspace", "format", "events", "headers", "secret"][..],
        ),
        (
            Method::PATCH,
            path.clone(),
            r#""format":null"#,
            &["url", "events", "headers", "paused"],
        ),
        (
            Method::POST,
            "/v1/sign-in".to_owned(),
            "",
            &["name", "password", "api_key"],
        ),
        (
            Method::POST,
            "/v1/sign-in".to_owned(),
            r#""name":"siti""#,
            &["password"],
        ),
        (
            Method::POST,
            "/v1/setup".to_owned(),
            r#""name":"siti","password":"correct horse battery""#,
            &["code"],
        ),
        (Method::PUT, typing, "", &["state"]),
        (Method::POST, format!("{path}/rotate-secret"), "", &["secret"]),
        (Method::POST, format!("{path}/replay"), "", &["since"]),
        (
            Method::POST,
            format!("{path}/replay"),
            "\"since\":0",
            &["until", "status"],
        ),
        (
            Method::POST,
            "/v1/devices/shop/messages".to_owned(),
            r#""to":"628111111111""#,
            &["text", "file_url", "file_name"],
        ),
        (
            Method::POST,
            "/v1/devices/shop/messages".to_owned(),
            r#""text":"hi""#,
            &["to"],
        ),
        (
            Method::PATCH,
            "/v1/settings".to_owned(),
            "",
            &["default_region", "retention_hours"],
        ),
        (Method::PATCH, "/v1/workspaces/North".to_owned(), "", &["name"]),
        (
            Method::POST,
            "/v1/api-keys".to_owned(),
            r#""name":"odd""#,
            &["scope"],
        ),
        (
            Method::POST,
            "/v1/api-keys".to_owned(),
            r#""scope":["read"]"#,
            &["name", "device", "workspace"],
        ),
        (Method::POST, "/v1/devices".to_owned(), "", &["token"]),
        (
            Method::POST,
            "/v1/devices".to_owned(),
            r#""token":"odd""#,
            &["name", "workspace"],
        ),
        (
            Method::PATCH,
            "/v1/devices/shop".to_owned(),
            "",
            &["name", "workspace"],
        ),
        (
            Method::POST,
            "/v1/devices/shop/session/pair".to_owned(),
            "",
            &["phone"],
        ),
    ] {
        survive(&app, &method, &path, valid, fields).await;
    }
}

#[tokio::test]
async fn no_parameter_breaks_anything() {
    let app = TestApp::start();
    let odd = [
        "",
        "%00",
        "%ff",
        "-1",
        "0",
        "1e9",
        "%27%3b--",
        "%F0%9F%98%80",
        "99999999999999999999999",
        "a%20b",
        "evt_",
        "evt_7ZZZZZZZZZZZZZZZZZZZZZZZZZ",
        "evt_ZZZZZZZZZZZZZZZZZZZZZZZZZZ",
        "whk_7ZZZZZZZZZZZZZZZZZZZZZZZZZ",
        "dlv_7ZZZZZZZZZZZZZZZZZZZZZZZZZ",
        "dev_7ZZZZZZZZZZZZZZZZZZZZZZZZZ",
    ];
    let lists = [
        ("/v1/events", &["after", "limit", "device", "type"][..]),
        ("/v1/webhooks", &["after", "limit"]),
        ("/v1/api-keys", &["after", "limit"]),
        (
            "/v1/deliveries",
            &["after", "limit", "webhook", "event", "device", "status"],
        ),
        ("/v1/devices/shop/messages", &["after", "limit"]),
        ("/v1/devices", &["search", "workspace", "state", "after", "limit"]),
        ("/v1/devices/shop/contacts", &["search", "after", "limit"]),
        ("/v1/devices/shop/groups", &["search", "after", "limit"]),
        ("/v1/devices/shop/chats", &["search", "after", "limit"]),
        (
            "/v1/devices/shop/chats/1@lid/messages",
            &["search", "after", "limit"],
        ),
    ];
    app.started("shop").await;
    for (path, names) in lists {
        for (name, value) in names.iter().flat_map(|name| odd.map(|value| (name, value))) {
            let answer = get(&app, &format!("{path}?{name}={value}")).await;
            assert!(answer.status.as_u16() < 500, "{answer}");
        }
    }
    for value in odd.into_iter().filter(|value| !value.is_empty()) {
        for path in [
            "webhooks",
            "deliveries",
            "api-keys",
            "devices",
            "devices/shop/messages",
            "devices/shop/chats",
        ] {
            let answer = get(&app, &format!("/v1/{path}/{value}")).await;
            assert_eq!(answer.status, 404, "{answer}");
        }
        let answer = get(&app, &format!("/v1/devices/{value}/messages")).await;
        assert_eq!(answer.verdict(), "404 device_not_found", "{answer}");
    }
}

/// Only the sandbox brings phones to move and a receiver for webhooks: what ships has neither.
#[tokio::test]
async fn there_is_no_sandbox_in_what_ships() {
    let app = TestApp::start();
    for (method, path) in [
        (Method::GET, "/sandbox/phones"),
        (Method::POST, "/sandbox/phones/62812/scan"),
        (Method::GET, "/sandbox/receiver"),
        (Method::POST, "/sandbox/receiver"),
    ] {
        let answer = raw(&app, method.clone(), path, "{}").await;
        assert_eq!(answer.status, 404, "{method} {path}: {answer}");
    }
}
