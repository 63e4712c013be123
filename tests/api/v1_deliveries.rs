//! What was sent to endpoints, and sending it again.

use std::time::Duration;

use serde_json::{Value, json};
use wagate_domain::model::{DeliveryOutcome, EndpointVerdict};

use crate::answer::assert_answers;
use crate::support::TestApp;
use crate::v1_support::{get, post, receive, settle};

/// An app with one endpoint, and two messages for it from one person; the first was given up, the second
/// was delivered.
async fn app_with_deliveries() -> (TestApp, String) {
    let app = TestApp::start();
    let session = app.paired("shop").await;
    let hook = json!({ "url": "https://example.com/hook", "events": ["message.*"] });
    let webhook = post(&app, "/v1/webhooks", hook).await.json()["id"]
        .as_str()
        .unwrap()
        .to_owned();
    receive(&app, &session, "3EB001", "Hello").await;
    app.clock.advance(Duration::from_secs(1));
    let dead = DeliveryOutcome::Dead {
        error: "answered 500".into(),
        endpoint: EndpointVerdict::Sound,
    };
    assert_eq!(settle(&app, dead).await, 1);
    receive(&app, &session, "3EB002", "Are you there?").await;
    app.clock.advance(Duration::from_secs(1));
    assert_eq!(settle(&app, DeliveryOutcome::Delivered).await, 1);
    (app, webhook)
}

async fn statuses(app: &TestApp, query: &str) -> Vec<String> {
    let page = get(app, &format!("/v1/deliveries?{query}")).await.json();
    let deliveries = page["data"].as_array().unwrap().iter();
    deliveries
        .map(|delivery| delivery["status"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn deliveries_are_listed_newest_first_and_shown_with_their_attempts() {
    let (app, _) = app_with_deliveries().await;
    let listed = get(&app, "/v1/deliveries").await;
    let dead = listed.json()["data"][1]["id"].as_str().unwrap().to_owned();
    assert_answers(
        "v1_deliveries",
        &[listed, get(&app, &format!("/v1/deliveries/{dead}")).await],
    );
}

#[tokio::test]
async fn deliveries_are_chosen_by_what_they_belong_to() {
    let (app, webhook) = app_with_deliveries().await;
    let all = get(&app, "/v1/deliveries").await.json();
    let of = |name: &str| all["data"][0][name].as_str().unwrap().to_owned();
    for (query, count) in [
        (format!("webhook={webhook}"), 2),
        (format!("event={}", of("event")), 1),
        (format!("device={}", of("device")), 2),
        ("device=shop".into(), 2),
        ("status=dead".into(), 1),
        ("status=pending".into(), 0),
        (format!("status=delivered&device=shop&webhook={webhook}"), 1),
        ("webhook=whk_0000000000000000000000000Z".into(), 0),
    ] {
        assert_eq!(statuses(&app, &query).await.len(), count, "{query}");
    }
    let first = get(&app, "/v1/deliveries?limit=1").await.json();
    let rest = statuses(&app, &format!("after={}", first["next"].as_str().unwrap())).await;
    assert_eq!(rest, ["dead"]);
}

#[tokio::test]
async fn a_delivery_is_made_once_more() {
    let (app, _) = app_with_deliveries().await;
    let all = get(&app, "/v1/deliveries").await.json();
    let path = format!("/v1/deliveries/{}", all["data"][1]["id"].as_str().unwrap());
    let replayed = post(&app, &format!("{path}/replay"), json!({})).await;
    assert_eq!(
        (replayed.status.as_u16(), replayed.json()),
        (202, json!({ "replayed": 1 }))
    );
    assert_eq!(get(&app, &path).await.json()["status"], "pending");
    assert_eq!(settle(&app, DeliveryOutcome::Delivered).await, 1);
    let now = get(&app, &path).await.json();
    assert_eq!(
        (&now["status"], now["attempts"].as_array().unwrap().len()),
        (&json!("delivered"), 2)
    );
}

#[tokio::test]
async fn an_endpoint_gets_once_more_what_was_given_up_or_all_of_it() {
    let (app, webhook) = app_with_deliveries().await;
    let replay = async |body: Value| {
        let answer = post(&app, &format!("/v1/webhooks/{webhook}/replay"), body).await;
        assert_eq!(answer.status, 202, "{answer}");
        answer.json()["replayed"].clone()
    };
    let early = json!({ "since": "2025-12-31T00:00:00Z", "until": "2026-01-01T00:00:00Z" });
    assert_eq!(replay(early).await, 0);
    let delivered = json!({ "since": 1_767_225_601_000_u64, "status": "delivered" });
    assert_eq!(replay(delivered).await, 1);
    assert_eq!(replay(json!({ "since": 1_767_225_600 })).await, 1);
    assert_eq!(statuses(&app, "").await, ["pending", "pending"]);
}

#[tokio::test]
async fn what_cannot_be_made_once_more_is_refused() {
    let (app, webhook) = app_with_deliveries().await;
    let replay = async |body: Value| post(&app, &format!("/v1/webhooks/{webhook}/replay"), body).await;
    assert_answers(
        "v1_replay_refused",
        &[
            replay(json!({})).await,
            replay(json!({ "since": "yesterday" })).await,
            replay(json!({ "since": "2030-01-01T00:00:00Z" })).await,
            replay(json!({ "since": 1_767_225_600, "until": 1_767_225_600 })).await,
            replay(json!({ "since": 0, "status": "pending" })).await,
            post(
                &app,
                "/v1/deliveries/dlv_00000000000000000000000000/replay",
                json!({}),
            )
            .await,
            get(&app, "/v1/deliveries?status=lost").await,
            get(&app, "/v1/deliveries?device=nobody").await,
        ],
    );
}
