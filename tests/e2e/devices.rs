//! Devices, workspaces and taking a device away.

use serde_json::json;
use wagate_tests::Sandbox;

use crate::{ALICE, PEOPLE};

#[tokio::test(flavor = "multi_thread")]
async fn devices_are_listed_searched_assigned_and_deleted() {
    let sandbox = Sandbox::start(PEOPLE).await;
    let empty = sandbox.api.get("/api/devices").await.ok();
    assert_eq!(empty, json!({ "data": [], "total": 0, "page": 1, "limit": 10 }));
    sandbox.pair("shop", ALICE).await;
    sandbox
        .api
        .post("/api/start", json!({ "token": "other" }))
        .await
        .ok();
    let assigned = json!({ "token": "other", "workspace": "Sales" });
    sandbox.api.post("/api/workspace", assigned).await.ok();
    assert_eq!(
        sandbox.api.get("/api/workspaces").await.ok(),
        json!({ "data": ["Sales"] })
    );

    let tokens = |query: &'static str| {
        let api = sandbox.api.clone();
        async move {
            let page = api.get(&format!("/api/devices?{query}")).await.ok();
            let tokens = page["data"]
                .as_array()
                .unwrap()
                .iter()
                .map(|device| device["token"].as_str().unwrap().to_owned());
            tokens.collect::<Vec<_>>()
        }
    };
    assert_eq!(tokens("q=SHO").await, ["shop"]);
    assert_eq!(tokens("q=81200000001").await, ["shop"]);
    assert_eq!(tokens("workspace=Sales").await, ["other"]);
    assert_eq!(tokens("limit=1&page=2").await.len(), 1);

    let answer = sandbox.api.delete("/api/device?token=shop").await.ok();
    assert_eq!(answer, json!({ "status": "deleted" }));
    assert!(
        sandbox.world.phone(ALICE).unwrap().devices.is_empty(),
        "WhatsApp still lists the device"
    );
    assert_eq!(
        sandbox.api.get("/api/status?token=shop").await.refused(404),
        "device_not_found"
    );
    assert_eq!(tokens("").await, ["other"]);
    sandbox.finish().await;
}
