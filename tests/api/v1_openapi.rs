//! The description tells the truth: every operation in it is there, and every method that is there is in it.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::Value;

use crate::support::TestApp;
use crate::v1_support::{get, request};

/// The document's paths with ids that name nothing.
fn concrete(path: &str) -> String {
    let id = if path.contains("/webhooks/") {
        "whk_00000000000000000000000000"
    } else if path.contains("/deliveries/") {
        "dlv_00000000000000000000000000"
    } else if path.contains("/jobs/") {
        "job_00000000000000000000000000"
    } else {
        "3EB0"
    };
    path.replace("{device}", "shop").replace("{id}", id)
}

fn methods(item: &Value) -> BTreeSet<String> {
    let item = item.as_object().unwrap();
    let methods = item
        .keys()
        .filter(|name| ["get", "post", "patch", "put", "delete"].contains(&name.as_str()));
    methods.map(|name| name.to_uppercase()).collect()
}

#[tokio::test]
async fn every_path_takes_the_methods_that_are_described() {
    let app = TestApp::start();
    let document = get(&app, "/v1/openapi.json").await.json();
    let paths = document["paths"].as_object().unwrap();
    assert!(paths.len() > 20, "{paths:?}");
    for (path, item) in paths {
        let answer = app.call(request(&app, Method::TRACE, &concrete(path))).await;
        if !path.starts_with("/v1/") && !path.starts_with("/api/") {
            continue;
        }
        assert_eq!(answer.verdict(), "405 method_not_allowed", "{answer}");
        let allowed = answer.headers["allow"].to_str().unwrap().split(", ");
        assert_eq!(methods(item), allowed.map(ToOwned::to_owned).collect(), "{path}");
    }
}

#[tokio::test]
async fn the_description_names_the_resources_by_their_operations() {
    let app = TestApp::start();
    let document = get(&app, "/v1/openapi.json").await.json();
    for (path, method, operation) in [
        ("/v1/devices", "post", "create_device"),
        ("/v1/devices/{device}/session/log-out", "post", "log_out"),
        ("/v1/stream", "get", "open_stream"),
        ("/v1/events", "get", "list_events"),
        ("/v1/devices/{device}/messages", "post", "send_message"),
        ("/v1/webhooks/{id}/rotate-secret", "post", "rotate_webhook_secret"),
        ("/v1/webhooks/{id}/replay", "post", "replay_deliveries"),
        ("/v1/devices/{device}/number-checks", "post", "check_numbers"),
        ("/v1/jobs/{id}/cancel", "post", "cancel_job"),
        ("/api/send", "post", "seed_send_message"),
    ] {
        assert_eq!(document["paths"][path][method]["operationId"], operation);
    }
    assert_eq!(document["openapi"], "3.1.0");
}

#[tokio::test]
async fn the_description_is_open_to_everybody() {
    let app = TestApp::start();
    let open = app.request_without_key(Method::GET, "/openapi.json");
    let answer = app.call(open).await;
    assert_eq!(answer.status, 200, "{answer}");
    assert_eq!(answer.headers["content-type"], "application/json");
    assert_eq!(answer.json(), get(&app, "/v1/openapi.json").await.json());
}

#[tokio::test]
async fn every_request_with_a_body_shows_what_it_may_look_like() {
    let app = TestApp::start();
    let document = get(&app, "/v1/openapi.json").await.json();
    for (path, item) in document["paths"].as_object().unwrap() {
        let body = &item["post"]["requestBody"]["content"]["application/json"];
        if path.starts_with("/api/") && !body.is_null() {
            assert_eq!(body["example"]["token"], "my-token", "{path}");
        }
    }
}
