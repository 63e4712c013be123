//! The list of devices, and taking one away.

use reqwest::Method;
use serde_json::{Value, json};
use wagate_domain::model::EventBody;

use crate::answer::assert_answers;
use crate::support::TestApp;

fn tokens(list: &Value) -> Vec<&str> {
    list["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["token"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn an_empty_list_is_a_list() {
    let app = TestApp::start();
    assert_answers("devices_empty", &[app.get("/api/devices").await]);
}

#[tokio::test]
async fn a_device_is_listed_with_everything() {
    let app = TestApp::start();
    let session = app.paired("shop").await;
    let name = EventBody::ProfileChanged {
        push_name: Some("Corner Shop".into()),
        picture_url: None,
    };
    session.receive(name).await.unwrap();
    app.post(
        "/api/webhook",
        json!({ "token": "shop", "url": "https://example.com/hook" }),
    )
    .await;
    app.post(
        "/api/workspace",
        json!({ "token": "shop", "workspace": "Marketing" }),
    )
    .await;
    app.started("spare").await;
    assert_answers("devices", &[app.get("/api/devices").await]);
}

#[tokio::test]
async fn the_list_is_paged_and_filtered() {
    let app = TestApp::start();
    for number in 0..12 {
        app.started(&format!("Token-{number:02}")).await;
    }
    app.paired("phone-owner").await;
    app.post(
        "/api/workspace",
        json!({ "token": "Token-03", "workspace": "Marketing" }),
    )
    .await;
    let list = async |query: &str| app.get(&format!("/api/devices{query}")).await.json();

    let first = list("").await;
    assert_eq!(
        (
            tokens(&first).len(),
            &first["total"],
            &first["page"],
            &first["limit"]
        ),
        (10, &json!(13), &json!(1), &json!(10))
    );
    let second = list("?page=2&limit=10").await;
    assert_eq!((tokens(&second).len(), &second["page"]), (3, &json!(2)));
    assert_eq!(tokens(&list("?page=9").await), [""; 0]);
    assert_eq!(list("?limit=1000").await["limit"], 200);
    assert_eq!(list("?limit=0&page=0").await["limit"], 1);
    assert_eq!(list("?page=-1").await["page"], 1);
    assert_eq!(list("?page=99999999999999999999").await["total"], 13);
    assert_eq!(list("?page=&limit=&q=&workspace=").await["total"], 13);

    assert_eq!(tokens(&list("?q=tOKEN-1").await), ["Token-10", "Token-11"]);
    assert_eq!(tokens(&list("?q=3456789").await), ["phone-owner"]);
    assert_eq!(tokens(&list("?workspace=Marketing").await), ["Token-03"]);
    assert_eq!(tokens(&list("?workspace=Marketing&q=phone").await), [""; 0]);
    assert_eq!(list("?q=%25").await["total"], 0, "a percent sign is no wildcard");
    assert_eq!(list("?q=%27%20OR%201%3D1--").await["total"], 0);
}

#[tokio::test]
async fn a_deleted_device_is_gone_with_everything() {
    let app = TestApp::start();
    let session = app.paired("shop").await;
    app.post(
        "/api/webhook",
        json!({ "token": "shop", "url": "https://example.com/hook" }),
    )
    .await;
    let answers = [
        app.delete("/api/device?token=shop").await,
        app.get("/api/status?token=shop").await,
        app.delete("/api/device?token=shop").await,
        app.get("/api/devices").await,
    ];
    assert_answers("device_deleted", &answers);
    assert_eq!((session.logouts(), session.is_closed()), (1, true));
}

#[tokio::test]
async fn a_device_is_deleted_offline_and_by_a_token_in_the_body_too() {
    let app = TestApp::start();
    let session = app.paired("shop").await;
    session.drop_connection().await;
    let answer = app
        .send_raw(Method::DELETE, "/api/device", r#"{"token":"shop"}"#)
        .await;
    assert_eq!(answer.json(), json!({ "status": "deleted" }));
    assert_eq!((session.logouts(), session.is_closed()), (0, true));
}
