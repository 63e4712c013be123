//! Webhooks and workspaces.

use serde_json::json;

use crate::answer::assert_answers;
use crate::support::TestApp;

#[tokio::test]
async fn a_webhook_is_set_changed_and_removed() {
    let app = TestApp::start();
    app.started("shop").await;
    app.targets.refuse("http://10.0.0.1/");
    let set = |url| app.post("/api/webhook", json!({ "token": "shop", "url": url }));
    let listed = async || app.get("/api/devices").await.json()["data"][0]["webhook"].clone();
    let mut answers = vec![set("https://example.com/hook").await];
    assert_eq!(listed().await, "https://example.com/hook");
    for refused in [
        "ftp://example.com",
        "https://me:secret@example.com/",
        "http://10.0.0.1/",
        "not a url",
    ] {
        answers.push(set(refused).await);
    }
    answers.push(app.post("/api/webhook", json!({ "token": "shop" })).await);
    answers.push(
        app.post("/api/webhook", json!({ "token": "shop", "url": 7 }))
            .await,
    );
    assert_eq!(
        listed().await,
        "https://example.com/hook",
        "a refused change changes nothing"
    );
    answers.push(set("").await);
    assert_eq!(listed().await, "");
    assert_answers("webhook", &answers);
}

#[tokio::test]
async fn devices_are_assigned_to_workspaces() {
    let app = TestApp::start();
    let mut answers = vec![app.get("/api/workspaces").await];
    for (token, workspace) in [("one", "Sales"), ("two", "Marketing"), ("three", "Sales")] {
        app.started(token).await;
        answers.push(
            app.post(
                "/api/workspace",
                json!({ "token": token, "workspace": workspace }),
            )
            .await,
        );
    }
    answers.push(app.get("/api/workspaces").await);
    answers.push(
        app.post("/api/workspace", json!({ "token": "two", "workspace": "" }))
            .await,
    );
    answers.push(app.get("/api/workspaces").await);
    answers.push(app.post("/api/workspace", json!({ "token": "two" })).await);
    answers.push(
        app.post("/api/workspace", json!({ "token": "two", "workspace": "a\nb" }))
            .await,
    );
    assert_answers("workspaces", &answers);
}
