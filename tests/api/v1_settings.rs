//! Settings: chosen while the gateway runs, over those of the configuration.

use serde_json::json;

use crate::answer::assert_answers;
use crate::support::TestApp;
use crate::v1_support::{get, patch, post};

#[tokio::test]
async fn settings_say_where_they_are_from() {
    let app = TestApp::start();
    let chosen = json!({ "default_region": "id", "retention_hours": 72 });
    let answers = [
        get(&app, "/v1/settings").await,
        patch(&app, "/v1/settings", chosen).await,
        patch(&app, "/v1/settings", json!({ "default_region": "account" })).await,
        patch(&app, "/v1/settings", json!({ "retention_hours": "" })).await,
        patch(&app, "/v1/settings", json!({ "default_region": "" })).await,
        patch(&app, "/v1/settings", json!({ "retention_hours": 1 })).await,
        patch(&app, "/v1/settings", json!({ "default_region": "Mars" })).await,
        patch(&app, "/v1/settings", json!({ "api_key": "x" })).await,
    ];
    assert_answers("v1_settings", &answers);
}

#[tokio::test]
async fn a_region_counts_at_once() {
    let app = TestApp::start();
    app.started("shop").await.issue_qr("2@scan-me").await;
    let pair = async || {
        let body = json!({ "phone": "0812 3456 7890" });
        post(&app, "/v1/devices/shop/session/pair", body).await
    };
    assert_eq!(pair().await.verdict(), "422 invalid_phone");
    patch(&app, "/v1/settings", json!({ "default_region": "ID" })).await;
    let paired = pair().await;
    assert_eq!(paired.json()["phone"], "6281234567890", "{paired}");
}
