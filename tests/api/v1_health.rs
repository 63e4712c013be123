//! How the gateway is.

use serde_json::{Value, json};
use wagate_domain::model::{DeliveryOutcome, EndpointVerdict};

use crate::support::TestApp;
use crate::v1_support::{get, post, receive, settle};

#[tokio::test]
async fn health_counts_sessions_and_deliveries() {
    let app = TestApp::start();
    let session = app.paired("shop").await;
    post(&app, "/v1/devices", json!({ "token": "spare" })).await;
    post(&app, "/v1/webhooks", json!({ "url": "https://example.com/" })).await;
    receive(&app, &session, "3EB001", "Hello").await;
    let dead = DeliveryOutcome::Dead {
        error: "answered 500".into(),
        endpoint: EndpointVerdict::Sound,
    };
    assert_eq!(settle(&app, dead).await, 1);
    receive(&app, &session, "3EB002", "Hello?").await;
    let health = get(&app, "/v1/health").await.json();
    assert_eq!(
        (&health["ready"], &health["reason"]),
        (&json!(true), &Value::Null)
    );
    assert_eq!(health["started_at"], "2026-01-01T00:00:00.000Z");
    assert_eq!(health["database"], "sqlite");
    assert_eq!(health["network"], "whatsapp");
    assert_eq!(health["queue"], json!({ "pending": 1, "dead": 1 }));
    let disk = json!({ "free_bytes": 30_000_000_000_u64, "total_bytes": 100_000_000_000_u64 });
    assert_eq!(health["disk"], disk);
    let sessions = health["sessions"].as_object().unwrap();
    assert_eq!(
        (&sessions["connected"], &sessions["stopped"]),
        (&json!(1), &json!(1))
    );
    assert_eq!(
        (
            sessions.len(),
            sessions.values().filter_map(Value::as_u64).sum::<u64>()
        ),
        (11, 2)
    );
}

#[tokio::test]
async fn health_is_told_also_when_it_is_bad() {
    let app = TestApp::start();
    app.readiness.lack("database does not answer");
    let health = get(&app, "/v1/health").await;
    assert_eq!(health.status, 200, "{health}");
    let health = health.json();
    assert_eq!(
        (&health["ready"], &health["reason"]),
        (&json!(false), &json!("database does not answer"))
    );
    assert_eq!(
        (&health["sessions"], &health["queue"]),
        (&Value::Null, &Value::Null)
    );
    assert!(
        health["disk"]["free_bytes"].is_u64(),
        "the disk can be asked without the database"
    );
}

#[tokio::test]
async fn a_database_that_went_just_now_is_told_as_well() {
    let app = TestApp::start();
    app.store.close().await;
    let health = get(&app, "/v1/health").await.json();
    assert_eq!(health["ready"], false);
    assert!(health["reason"].as_str().unwrap().contains("database"));
}
