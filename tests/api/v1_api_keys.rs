//! API keys: made and revoked over HTTP, and what each of them opens.

use std::fmt::Write as _;

use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::answer::{Answer, assert_answers};
use crate::endpoints::ENDPOINTS;
use crate::support::{ACCOUNT, TestApp};
use crate::v1_requests::operations;
use crate::v1_support::{delete, get, patch, post};

/// Makes a key and returns its id and the key.
async fn issue(app: &TestApp, body: Value) -> (String, String) {
    let made = post(app, "/v1/api-keys", body).await;
    assert_eq!(made.status, 201, "{made}");
    let text = |name: &str| made.json()[name].as_str().unwrap().to_owned();
    (text("id"), text("key"))
}

async fn key(app: &TestApp, scope: &[&str]) -> String {
    issue(app, json!({ "name": scope.join(" "), "scope": scope }))
        .await
        .1
}

fn with(app: &TestApp, key: &str, method: Method, path: &str) -> RequestBuilder {
    app.request_without_key(method, path)
        .header("apikey", key)
        .header("x-request-id", "req_test")
}

async fn get_with(app: &TestApp, key: &str, path: &str) -> Answer {
    app.call(with(app, key, Method::GET, path)).await
}

/// Three devices: one for the keys, one beside it in its workspace, one that is nobody's.
async fn devices(app: &TestApp) {
    for (token, workspace) in [("shop", "North"), ("till", "North"), ("other", "South")] {
        let made = post(
            app,
            "/v1/devices",
            json!({ "token": token, "workspace": workspace }),
        )
        .await;
        assert_eq!(made.status, 201, "{made}");
    }
}

#[tokio::test]
async fn a_key_is_made_shown_once_and_revoked() {
    let app = TestApp::start();
    devices(&app).await;
    let all = json!({ "name": " CRM ", "scope": ["all"] });
    let one = json!({ "name": "Till", "scope": ["send", "read"], "device": "shop" });
    let group = json!({ "name": "North", "scope": ["read"], "workspace": "North" });
    let mut answers = Vec::new();
    for body in [all, one, group] {
        answers.push(post(&app, "/v1/api-keys", body).await);
    }
    let location = answers[1].headers["location"].to_str().unwrap().to_owned();
    answers.push(get(&app, "/v1/api-keys?limit=2").await);
    answers.push(get(&app, &location).await);
    answers.push(delete(&app, &location).await);
    answers.push(delete(&app, &location).await);
    answers.push(get(&app, &location).await);
    assert_answers("v1_api_keys", &answers);
}

#[tokio::test]
async fn what_is_wrong_with_a_key_is_told() {
    let app = TestApp::start();
    devices(&app).await;
    for (body, verdict) in [
        (json!({}), "422 invalid_name"),
        (json!({ "name": "a\nb", "scope": ["all"] }), "422 invalid_name"),
        (
            json!({ "name": "x".repeat(65), "scope": ["all"] }),
            "422 invalid_name",
        ),
        (json!({ "name": "x" }), "422 invalid_scope"),
        (json!({ "name": "x", "scope": [] }), "422 invalid_scope"),
        (json!({ "name": "x", "scope": "all" }), "422 invalid_scope"),
        (
            json!({ "name": "x", "scope": ["all", "read"] }),
            "422 invalid_scope",
        ),
        (json!({ "name": "x", "scope": ["admin"] }), "422 invalid_scope"),
        (
            json!({ "name": "x", "scope": ["all"], "device": "shop" }),
            "422 invalid_scope",
        ),
        (
            json!({ "name": "x", "scope": ["read"], "device": "a b" }),
            "422 invalid_device",
        ),
        (
            json!({ "name": "x", "scope": ["read"], "device": "none" }),
            "404 device_not_found",
        ),
        (
            json!({ "name": "x", "scope": ["read"], "workspace": "" }),
            "422 invalid_workspace",
        ),
        (
            json!({ "name": "x", "scope": ["read"], "device": "shop", "workspace": "North" }),
            "422 invalid_device",
        ),
        (
            json!({ "name": "x", "scope": ["read"], "expires": 1 }),
            "422 invalid_body",
        ),
    ] {
        let answer = post(&app, "/v1/api-keys", body).await;
        assert_eq!(answer.verdict(), verdict, "{answer}");
    }
    assert_eq!(get(&app, "/v1/api-keys").await.json()["data"], json!([]));
}

/// Every operation behind a key, with a request about one device: its token where the operation wants it.
fn all() -> Vec<(Method, String)> {
    let v1 = operations().map(|(method, path)| {
        let query = if ["/v1/events", "/v1/jobs", "/v1/stream"].contains(&path) {
            "?device=shop"
        } else {
            ""
        };
        (method, format!("{path}{query}"))
    });
    let seed = ENDPOINTS.into_iter().map(|(method, path, about_device)| {
        let query = if about_device { "?token=shop" } else { "" };
        (method, format!("{path}{query}"))
    });
    let public = |path: &str| ["/v1/setup", "/v1/sign-in"].contains(&path);
    v1.chain(seed)
        .chain([(Method::GET, "/metrics".to_owned())])
        .filter(|(method, path)| !public(path) || *method == Method::DELETE)
        .collect()
}

/// Which of the keys each operation lets in. Only the head of an answer is read: a stream has no end.
async fn opened(
    app: &TestApp,
    keys: &[(&str, &str)],
    body: &'static str,
    asked: impl Fn(&Method, &str) -> bool,
) -> String {
    let mut table = String::new();
    for (method, path) in all().into_iter().filter(|(method, path)| asked(method, path)) {
        let mut names = Vec::new();
        for (name, key) in keys {
            let request = with(app, key, method.clone(), &path).body(body);
            let response = request.send().await.unwrap();
            let refused = response.status() == 403;
            if refused {
                let body: Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
                assert_eq!(body["code"], "scope_missing", "{method} {path}: {body}");
            } else {
                assert_ne!(response.status(), 401, "{method} {path}");
                names.push(*name);
            }
        }
        let names = if names.is_empty() {
            "nobody".to_owned()
        } else {
            names.join(" ")
        };
        writeln!(table, "{method} {path}: {names}").unwrap();
    }
    table
}

fn assert_table(name: &str, table: &str) {
    insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!(name, table);
    });
}

#[tokio::test]
async fn each_scope_opens_what_it_names() {
    let app = TestApp::start();
    let (read, send, manage, every) = (
        key(&app, &["read"]).await,
        key(&app, &["send"]).await,
        key(&app, &["manage"]).await,
        key(&app, &["all"]).await,
    );
    let keys = [
        ("read", &*read),
        ("send", &*send),
        ("manage", &*manage),
        ("all", &*every),
    ];
    // A body that no operation takes: nothing happens, and a key that may not is told so before.
    assert_table("v1_scopes", &opened(&app, &keys, "[]", |_, _| true).await);
}

#[tokio::test]
async fn a_key_for_one_device_or_workspace_opens_what_names_it() {
    let app = TestApp::start();
    devices(&app).await;
    let actions = ["read", "send", "manage"];
    let mut keys = Vec::new();
    for (name, field, value) in [
        ("shop", "device", "shop"),
        ("till", "device", "till"),
        ("North", "workspace", "North"),
        ("South", "workspace", "South"),
    ] {
        let issued = issue(&app, json!({ "name": name, "scope": actions, field: value })).await;
        keys.push((name, issued.1));
    }
    let keys: Vec<(&str, &str)> = keys.iter().map(|(name, key)| (*name, &**key)).collect();
    // Whoever is let in would start the device, or wait for its code, or delete it before the others ask for it.
    let stays = |method: &Method, path: &str| {
        let starts = path.contains("/start") || path.contains("/qrcode");
        !starts && (*method != Method::DELETE || !path.contains("/device"))
    };
    let table = opened(&app, &keys, "", stays).await;
    assert_table("v1_reach", &table);

    let [(_, shop), (_, till), (_, north), (_, south)] = keys[..] else {
        unreachable!("four keys")
    };
    for (method, path) in all().into_iter().filter(|(method, path)| !stays(method, path)) {
        for key in [till, south] {
            let answer = app.call(with(&app, key, method.clone(), &path)).await;
            assert_eq!(answer.verdict(), "403 scope_missing", "{answer}");
        }
    }
    for (key, path, verdict) in [
        (north, "/v1/devices?workspace=North", "200 -"),
        (north, "/api/devices?workspace=North", "200 -"),
        (north, "/v1/devices", "403 scope_missing"),
        (north, "/v1/devices?workspace=South", "403 scope_missing"),
        (
            north,
            "/api/devices?workspace=South&workspace=North",
            "403 scope_missing",
        ),
        (south, "/v1/devices?workspace=North", "403 scope_missing"),
        (shop, "/v1/devices?workspace=North", "403 scope_missing"),
        (shop, "/v1/devices?search=shop", "403 scope_missing"),
        (shop, "/v1/events", "403 scope_missing"),
        (shop, "/v1/events?device=till", "403 scope_missing"),
        (shop, "/v1/events?device=till&device=shop", "403 scope_missing"),
        (shop, "/v1/devices/sh%6Fp", "200 -"),
        (till, "/v1/devices/sh%6Fp", "403 scope_missing"),
        (till, "/v1/%64evices/shop", "403 scope_missing"),
        // Whether a device exists is nobody's business but its own key's.
        (till, "/v1/devices/none", "403 scope_missing"),
        (till, "/v1/devices/a%20b", "403 scope_missing"),
        (till, "/api/status?token=none", "403 scope_missing"),
        (till, "/v1/nowhere", "404 route_not_found"),
    ] {
        let answer = get_with(&app, key, path).await;
        assert_eq!(answer.verdict(), verdict, "{answer}");
    }
}

#[tokio::test]
async fn a_key_follows_the_device_that_it_was_made_for() {
    let app = TestApp::start();
    devices(&app).await;
    let (_, shop) = issue(
        &app,
        json!({ "name": "x", "scope": ["read", "manage"], "device": "shop" }),
    )
    .await;
    let (_, north) = issue(
        &app,
        json!({ "name": "y", "scope": ["read", "manage"], "workspace": "North" }),
    )
    .await;
    let status = async |key: &str| get_with(&app, key, "/v1/devices/shop").await.status.as_u16();
    assert_eq!((status(&shop).await, status(&north).await), (200, 200));
    for key in [&shop, &north] {
        for (method, path, body, verdict) in [
            (
                Method::PATCH,
                "/v1/devices/shop",
                json!({ "name": "Shop" }),
                "200 -",
            ),
            (
                Method::PATCH,
                "/v1/devices/shop",
                json!({ "workspace": "South" }),
                "403 scope_missing",
            ),
            (
                Method::PATCH,
                "/v1/devices/shop",
                json!({ "workspace": "" }),
                "403 scope_missing",
            ),
            (
                Method::POST,
                "/api/workspace",
                json!({ "token": "shop", "workspace": "South" }),
                "403 scope_missing",
            ),
        ] {
            let answer = app.call(with(&app, key, method, path).json(&body)).await;
            assert_eq!(answer.verdict(), verdict, "{answer}");
        }
    }
    patch(&app, "/v1/devices/shop", json!({ "workspace": "South" })).await;
    assert_eq!((status(&shop).await, status(&north).await), (200, 403));
    delete(&app, "/v1/devices/shop").await;
    post(&app, "/v1/devices", json!({ "token": "shop" })).await;
    assert_eq!(status(&shop).await, 403, "another device that is called so");
}

#[tokio::test]
async fn refusals_look_like_others() {
    let app = TestApp::start();
    let read = key(&app, &["read"]).await;
    app.paired("shop").await;
    let by_v1 = with(&app, &read, Method::POST, "/v1/devices/shop/messages")
        .json(&json!({ "to": ACCOUNT, "text": "hi" }));
    let by_api = with(&app, &read, Method::POST, "/api/send")
        .json(&json!({ "token": "shop", "phone": "628111111111", "message": "hi" }));
    let answers = [
        app.call(by_v1).await,
        get_with(&app, &read, "/v1/api-keys").await,
        app.call(by_api).await,
    ];
    assert_answers("v1_scope_missing", &answers);
}

#[tokio::test]
async fn a_session_of_a_key_may_what_the_key_may_and_ends_with_it() {
    let app = TestApp::start();
    let (id, key) = issue(&app, json!({ "name": "x", "scope": ["read"] })).await;
    let sign_in = app
        .request_without_key(Method::POST, "/v1/sign-in")
        .json(&json!({ "api_key": key }));
    let signed_in = app.call(sign_in).await;
    assert_eq!(signed_in.status, 200, "{signed_in}");
    let cookie = signed_in.headers["set-cookie"].to_str().unwrap();
    let cookie = cookie.split(';').next().unwrap().to_owned();
    let ask = async |method: Method, path: &str| {
        let request = app
            .request_without_key(method, path)
            .header("cookie", &cookie)
            .header("sec-fetch-site", "same-origin");
        app.call(request).await.verdict()
    };
    assert_eq!(ask(Method::GET, "/v1/devices").await, "200 -");
    assert_eq!(ask(Method::POST, "/v1/devices").await, "403 scope_missing");
    assert_eq!(ask(Method::GET, "/v1/api-keys").await, "403 scope_missing");

    let mut stream = with(&app, &key, Method::GET, "/v1/stream").send().await.unwrap();
    assert_eq!(stream.status(), 200);
    assert!(stream.chunk().await.unwrap().is_some());
    delete(&app, &format!("/v1/api-keys/{id}")).await;
    while stream.chunk().await.unwrap().is_some() {}
    assert_eq!(ask(Method::GET, "/v1/devices").await, "401 unauthenticated");
    assert_eq!(
        get_with(&app, &key, "/v1/devices").await.verdict(),
        "401 unauthenticated"
    );
    let account = app
        .request_without_key(Method::GET, "/v1/sign-in")
        .header("cookie", &cookie);
    assert_eq!(app.call(account).await.json()["account"], Value::Null);
}

#[tokio::test]
async fn only_a_key_for_everything_makes_keys() {
    let app = TestApp::start();
    let body = json!({ "name": "more", "scope": ["all"] });
    for (scope, status) in [(&["read", "send", "manage"][..], 403), (&["all"], 201)] {
        let key = key(&app, scope).await;
        let made = app
            .call(with(&app, &key, Method::POST, "/v1/api-keys").json(&body))
            .await;
        assert_eq!(made.status.as_u16(), status, "{made}");
    }
}

#[tokio::test]
async fn the_key_is_in_no_file() {
    let app = TestApp::start();
    let (_, key) = issue(&app, json!({ "name": "x", "scope": ["read"] })).await;
    assert_eq!(get_with(&app, &key, "/v1/devices").await.status, 200);
    app.accounts.note_key_uses().await.unwrap();
    app.store.close().await;
    let mut files = 0;
    for entry in std::fs::read_dir(app.directory()).unwrap() {
        let path = entry.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        // Its beginning is shown for good; what makes it a secret is not there.
        let rest = &key.as_bytes()[9..];
        assert!(
            !bytes.windows(rest.len()).any(|window| window == rest),
            "{}",
            path.display()
        );
        files += 1;
    }
    assert!(files > 0);
}
