//! Workspaces: renamed and ended, with what is theirs.

use reqwest::Method;
use serde_json::{Value, json};

use crate::answer::assert_answers;
use crate::support::TestApp;
use crate::v1_support::{delete, get, patch, post};

/// Two workspaces, the first with two devices, an endpoint and a key; returns the key.
async fn north_and_south(app: &TestApp) -> String {
    for (token, workspace) in [("one", "North"), ("two", "North"), ("other", "South")] {
        let device = json!({ "token": token, "workspace": workspace });
        assert_eq!(post(app, "/v1/devices", device).await.status, 201);
    }
    let webhook = json!({ "url": "https://example.com/", "workspace": "North" });
    assert_eq!(post(app, "/v1/webhooks", webhook).await.status, 201);
    let key = json!({ "name": "x", "scope": ["read"], "workspace": "North" });
    let key = post(app, "/v1/api-keys", key).await.json();
    key["key"].as_str().unwrap().to_owned()
}

async fn listed(app: &TestApp) -> Value {
    get(app, "/v1/workspaces").await.json()["data"].clone()
}

async fn opens(app: &TestApp, key: &str, path: &str) -> String {
    let request = app.request_without_key(Method::GET, path).header("apikey", key);
    app.call(request).await.verdict()
}

#[tokio::test]
async fn a_workspace_is_renamed_with_all_that_is_its_own() {
    let app = TestApp::start();
    let key = north_and_south(&app).await;
    let answers = [
        patch(&app, "/v1/workspaces/North", json!({ "name": " 50% A/B " })).await,
        patch(&app, "/v1/workspaces/50%25%20A%2FB", json!({ "name": "South" })).await,
        patch(&app, "/v1/workspaces/North", json!({ "name": "East" })).await,
        patch(&app, "/v1/workspaces/South", json!({ "name": "South" })).await,
        get(&app, "/v1/workspaces").await,
    ];
    assert_answers("v1_rename_workspace", &answers);
    let webhooks = get(&app, "/v1/webhooks").await.json();
    assert_eq!(webhooks["data"][0]["scope"]["workspace"], "50% A/B");
    assert_eq!(opens(&app, &key, "/v1/devices/one").await, "200 -");
    assert_eq!(
        opens(&app, &key, "/v1/devices?workspace=50%25%20A/B").await,
        "200 -"
    );
    assert_eq!(
        opens(&app, &key, "/v1/devices?workspace=North").await,
        "403 scope_missing"
    );
    assert_eq!(
        get(&app, "/v1/api-keys").await.json()["data"][0]["workspace"],
        "50% A/B"
    );
}

#[tokio::test]
async fn a_workspace_that_ends_leaves_its_devices() {
    let app = TestApp::start();
    let key = north_and_south(&app).await;
    assert_eq!(delete(&app, "/v1/workspaces/North").await.status, 204);
    assert_eq!(
        delete(&app, "/v1/workspaces/North").await.verdict(),
        "404 workspace_not_found"
    );
    assert_eq!(listed(&app).await, json!([{ "name": "South", "devices": 1 }]));
    assert_eq!(
        get(&app, "/v1/devices/one").await.json()["workspace"],
        Value::Null
    );
    assert_eq!(get(&app, "/v1/webhooks").await.json()["data"], json!([]));
    assert_eq!(get(&app, "/v1/api-keys").await.json()["data"], json!([]));
    assert_eq!(opens(&app, &key, "/v1/devices/one").await, "401 unauthenticated");
}

#[tokio::test]
async fn what_is_wrong_with_a_name_is_told() {
    let app = TestApp::start();
    north_and_south(&app).await;
    for (path, body, verdict) in [
        ("North", json!({}), "422 invalid_name"),
        ("North", json!({ "name": "" }), "422 invalid_name"),
        ("North", json!({ "name": 7 }), "422 invalid_name"),
        ("North", json!({ "name": "a\nb" }), "422 invalid_name"),
        ("North", json!({ "name": "x", "devices": 1 }), "422 invalid_body"),
        ("a%0Ab", json!({ "name": "x" }), "404 workspace_not_found"),
        ("Nowhere", json!({ "name": "x" }), "404 workspace_not_found"),
    ] {
        let answer = patch(&app, &format!("/v1/workspaces/{path}"), body).await;
        assert_eq!(answer.verdict(), verdict, "{answer}");
    }
}
