//! Endpoints: made, looked at, changed, tried, removed.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use wagate_domain::model::{DeliveryOutcome, EndpointVerdict};

use crate::answer::{Answer, assert_answers};
use crate::support::TestApp;
use crate::v1_support::{delete, get, patch, post, raw, receive, request, settle};

async fn create(app: &TestApp, body: Value) -> (String, Answer) {
    let answer = post(app, "/v1/webhooks", body).await;
    assert_eq!(answer.status, 201, "{answer}");
    let path = answer.headers["location"].to_str().unwrap().to_owned();
    assert_eq!(
        path,
        format!("/v1/webhooks/{}", answer.json()["id"].as_str().unwrap())
    );
    (path, answer)
}

fn hook() -> Value {
    json!({ "url": "https://example.com/hook" })
}

#[tokio::test]
async fn an_endpoint_is_made_for_a_device_a_workspace_or_everybody() {
    let app = TestApp::start();
    app.started("shop").await;
    app.post(
        "/api/webhook",
        json!({ "token": "shop", "url": "https://example.com/classic" }),
    )
    .await;
    let (_, everybody) = create(&app, hook()).await;
    let chosen = json!({
        "url": "https://example.com/shop",
        "device": "shop",
        "format": "classic",
        "events": ["message.*", "session.ended"],
        "headers": { "Authorization": "Basic eA==", "X-Tenant": "7" },
        "secret": "whsec_c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0",
    });
    let (_, device) = create(&app, chosen).await;
    let (_, workspace) = create(
        &app,
        json!({ "url": "https://example.com/sales", "workspace": "Sales" }),
    )
    .await;
    assert_answers(
        "v1_webhooks",
        &[everybody, device, workspace, get(&app, "/v1/webhooks").await],
    );
}

#[tokio::test]
async fn the_secret_is_shown_when_it_is_new_and_never_again() {
    let app = TestApp::start();
    let (path, created) = create(&app, hook()).await;
    let secret = created.json()["secret"].as_str().unwrap().to_owned();
    assert!(secret.starts_with("whsec_"));
    let rotated = raw(&app, Method::POST, &format!("{path}/rotate-secret"), "").await;
    let second = rotated.json()["secret"].as_str().unwrap().to_owned();
    assert_ne!(second, secret);
    assert_eq!(
        rotated.json()["previous_secret_until"],
        "2026-01-02T00:00:00.000Z"
    );
    let own = json!({ "secret": secret });
    let chosen = post(&app, &format!("{path}/rotate-secret"), own).await;
    assert_eq!(chosen.json()["secret"], secret);
    for answer in [
        get(&app, &path).await,
        get(&app, "/v1/webhooks").await,
        patch(&app, &path, json!({ "events": ["call.*"] })).await,
    ] {
        assert_eq!(answer.status, 200);
        assert!(!answer.body.contains("whsec_"), "{answer}");
    }
}

#[tokio::test]
async fn an_endpoint_is_changed_field_by_field() {
    let app = TestApp::start();
    let (path, _) = create(
        &app,
        json!({ "url": "https://example.com/hook", "headers": { "x-tenant": "7" } }),
    )
    .await;
    let answers = [
        patch(&app, &path, json!({})).await,
        patch(
            &app,
            &path,
            json!({ "url": "https://example.com/new", "format": "classic" }),
        )
        .await,
        patch(&app, &path, json!({ "events": ["call.*"], "headers": {} })).await,
        patch(&app, &path, json!({ "paused": true })).await,
        patch(&app, &path, json!({ "paused": false })).await,
    ];
    let last = answers.last().unwrap().json();
    assert_answers("v1_webhook_changes", &answers);
    assert_eq!(get(&app, &path).await.json(), last);
}

#[tokio::test]
async fn a_paused_endpoint_keeps_what_comes_for_it() {
    let app = TestApp::start();
    let (path, _) = create(
        &app,
        json!({ "url": "https://example.com/hook", "events": ["message.*"] }),
    )
    .await;
    let session = app.paired("shop").await;
    patch(&app, &path, json!({ "paused": true })).await;
    receive(&app, &session, "3EB001", "Hello").await;
    assert_eq!(settle(&app, DeliveryOutcome::Delivered).await, 0);
    let waiting = get(&app, "/v1/deliveries?status=pending").await.json();
    assert_eq!(waiting["data"][0]["next_attempt_at"], Value::Null);
    patch(&app, &path, json!({ "paused": false })).await;
    assert_eq!(settle(&app, DeliveryOutcome::Delivered).await, 1);
}

#[tokio::test]
async fn an_endpoint_whose_receiver_is_gone_says_so_until_it_is_let_go_on() {
    let app = TestApp::start();
    let (path, _) = create(
        &app,
        json!({ "url": "https://example.com/hook", "events": ["message.*"] }),
    )
    .await;
    let session = app.paired("shop").await;
    receive(&app, &session, "3EB001", "Hello").await;
    app.clock.advance(Duration::from_secs(1));
    let gone = DeliveryOutcome::Dead {
        error: "answered 410".into(),
        endpoint: EndpointVerdict::Gone,
    };
    assert_eq!(settle(&app, gone).await, 1);
    let disabled = get(&app, &path).await;
    let told = get(&app, "/v1/events?type=webhook.disabled").await;
    assert_eq!(
        patch(&app, &path, json!({ "paused": false })).await.json()["state"],
        "active"
    );
    assert_answers("v1_webhook_disabled", &[disabled, told, get(&app, &path).await]);
}

#[tokio::test]
async fn an_endpoint_is_tried_out() {
    let app = TestApp::start();
    let (path, _) = create(&app, hook()).await;
    let tried = app
        .call(request(&app, Method::POST, &format!("{path}/test")))
        .await;
    assert_answers("v1_webhook_test", &[tried]);
    let events = get(&app, "/v1/events").await.json();
    assert_eq!(events["data"], json!([]), "a test is no event");
}

#[tokio::test]
async fn a_removed_endpoint_is_gone() {
    let app = TestApp::start();
    let (path, _) = create(&app, hook()).await;
    let removed = delete(&app, &path).await;
    assert_eq!((removed.status.as_u16(), removed.body.as_str()), (204, ""));
    for answer in [
        get(&app, &path).await,
        delete(&app, &path).await,
        patch(&app, &path, json!({})).await,
        post(&app, &format!("{path}/test"), json!({})).await,
        post(&app, &format!("{path}/rotate-secret"), json!({})).await,
        post(&app, &format!("{path}/replay"), json!({ "since": 0 })).await,
        get(&app, "/v1/webhooks/whk_1").await,
        get(&app, "/v1/webhooks/%00").await,
        get(&app, "/v1/webhooks/a%2Fb").await,
        get(&app, "/v1/webhooks/%ff").await,
    ] {
        assert_eq!(answer.verdict(), "404 webhook_not_found", "{answer}");
    }
}

#[tokio::test]
async fn a_list_is_read_page_by_page() {
    let app = TestApp::start();
    let mut made = Vec::new();
    for number in 0..3 {
        let (_, created) = create(&app, json!({ "url": format!("https://example.com/{number}") })).await;
        made.push(created.json()["id"].clone());
    }
    let first = get(&app, "/v1/webhooks?limit=2").await.json();
    let path = format!("/v1/webhooks?limit=2&after={}", first["next"].as_str().unwrap());
    let second = get(&app, &path).await.json();
    let listed = [
        &first["data"][0]["id"],
        &first["data"][1]["id"],
        &second["data"][0]["id"],
    ];
    assert_eq!(listed, [&made[0], &made[1], &made[2]]);
    assert_eq!(second["next"], Value::Null);
}

#[tokio::test]
async fn endpoints_that_cannot_be_are_refused() {
    let app = TestApp::start();
    app.targets.refuse("http://10.0.0.1/");
    let create = async |body: Value| post(&app, "/v1/webhooks", body).await;
    assert_answers(
        "v1_webhooks_refused",
        &[
            create(json!({})).await,
            create(json!({ "url": "ftp://example.com" })).await,
            create(json!({ "url": "http://10.0.0.1/" })).await,
            create(json!({ "url": "https://example.com/", "device": "nobody" })).await,
            create(json!({ "url": "https://example.com/", "device": "shop", "workspace": "Sales" })).await,
            create(json!({ "url": "https://example.com/", "events": ["message.sended"] })).await,
            create(json!({ "url": "https://example.com/", "headers": { "Host": "other" } })).await,
            create(json!({ "url": "https://example.com/", "headers": { "x-a": "[hidden]" } })).await,
            create(json!({ "url": "https://example.com/", "secret": "short" })).await,
            create(json!({ "url": "https://example.com/", "active": true })).await,
        ],
    );
    let (path, _) = self::create(&app, hook()).await;
    let moved = patch(&app, &path, json!({ "device": "shop" })).await;
    assert_eq!(moved.verdict(), "422 invalid_body");
    let private = patch(&app, &path, json!({ "url": "http://10.0.0.1/" })).await;
    assert_eq!(private.verdict(), "422 invalid_url");
}
