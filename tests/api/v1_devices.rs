//! Making, finding, changing and removing devices.

use serde_json::{Value, json};
use wagate_domain::model::{EndReason, EventBody};

use crate::answer::assert_answers;
use crate::support::TestApp;
use crate::v1_support::{delete, get, patch, post};

fn tokens(page: &Value) -> Vec<&str> {
    let devices = page["data"].as_array().unwrap();
    devices
        .iter()
        .map(|device| device["token"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn a_device_is_made_named_and_removed() {
    let app = TestApp::start();
    let made = post(
        &app,
        "/v1/devices",
        json!({ "token": "shop", "name": "Corner shop", "workspace": "North" }),
    )
    .await;
    assert_eq!(made.headers["location"], "/v1/devices/shop");
    let answers = [
        made,
        post(&app, "/v1/devices", json!({ "token": "shop" })).await,
        get(&app, "/v1/devices/shop").await,
        patch(
            &app,
            "/v1/devices/shop",
            json!({ "name": "Market", "workspace": "" }),
        )
        .await,
        patch(&app, "/v1/devices/shop", json!({ "name": null })).await,
        delete(&app, "/v1/devices/shop").await,
        get(&app, "/v1/devices/shop").await,
    ];
    assert_answers("v1_device", &answers);
}

#[tokio::test]
async fn a_linked_device_is_shown_with_its_account() {
    let app = TestApp::start();
    let session = app.paired("shop").await;
    let profile = EventBody::ProfileChanged {
        push_name: Some("Corner Shop".into()),
        picture_url: Some("https://pps.whatsapp.net/v/1.jpg".into()),
    };
    session.receive(profile).await.unwrap();
    let linked = get(&app, "/v1/devices/shop").await;
    session.end(EndReason::LoggedOut).await;
    assert_answers("v1_device_linked", &[linked, get(&app, "/v1/devices/shop").await]);
}

#[tokio::test]
async fn devices_are_listed_newest_first_and_chosen() {
    let app = TestApp::start();
    for token in ["one", "two", "three"] {
        post(&app, "/v1/devices", json!({ "token": token })).await;
    }
    patch(
        &app,
        "/v1/devices/two",
        json!({ "name": "Büro", "workspace": "North" }),
    )
    .await;
    app.paired("four").await;
    let list = async |query: &str| get(&app, &format!("/v1/devices{query}")).await.json();

    let all = list("").await;
    assert_eq!(tokens(&all), ["four", "three", "two", "one"]);
    assert_eq!((&all["total"], &all["next"]), (&json!(4), &Value::Null));
    for (query, want) in [
        ("?search=b%C3%BCRO", "two"),
        ("?search=wo", "two"),
        ("?search=628123", "four"),
        ("?workspace=North", "two"),
        ("?state=connected", "four"),
        ("?state=stopped&workspace=North", "two"),
    ] {
        let found = list(query).await;
        assert_eq!(
            (tokens(&found), &found["total"]),
            (vec![want], &json!(1)),
            "{query}"
        );
    }
    assert_eq!(list("?state=banned").await["data"], json!([]));

    let mut read = Vec::new();
    let mut after = String::new();
    loop {
        let page = list(&format!("?limit=1&state=stopped{after}")).await;
        assert_eq!(page["total"], 3);
        read.extend(tokens(&page).into_iter().map(ToOwned::to_owned));
        match page["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => break,
        }
    }
    assert_eq!(read, ["three", "two", "one"]);
}

#[tokio::test]
async fn devices_that_cannot_be_are_refused() {
    let app = TestApp::start();
    for (body, code) in [
        (json!({}), "invalid_token"),
        (json!({ "token": "a b" }), "invalid_token"),
        (json!({ "token": 7 }), "invalid_token"),
        (json!({ "token": "a", "name": "x".repeat(101) }), "invalid_name"),
        (json!({ "token": "a", "workspace": "\n" }), "invalid_workspace"),
        (json!({ "token": "a", "label": "x" }), "invalid_body"),
    ] {
        let answer = post(&app, "/v1/devices", body).await;
        assert_eq!(answer.verdict(), format!("422 {code}"), "{answer}");
    }
    for (query, code) in [
        ("search=", "invalid_search"),
        ("state=ended", "invalid_state"),
        ("workspace=%00", "invalid_workspace"),
        ("after=one", "invalid_after"),
        ("limit=201", "invalid_limit"),
    ] {
        let answer = get(&app, &format!("/v1/devices?{query}")).await;
        assert_eq!(answer.verdict(), format!("422 {code}"), "{answer}");
    }
    assert_eq!(get(&app, "/v1/devices").await.json()["total"], 0);
}

#[tokio::test]
async fn workspaces_are_counted() {
    let app = TestApp::start();
    assert_eq!(get(&app, "/v1/workspaces").await.json(), json!({ "data": [] }));
    for (token, workspace) in [("a", "South"), ("b", "North"), ("c", "South"), ("d", "")] {
        post(
            &app,
            "/v1/devices",
            json!({ "token": token, "workspace": workspace }),
        )
        .await;
    }
    assert_eq!(
        get(&app, "/v1/workspaces").await.json(),
        json!({ "data": [{ "name": "North", "devices": 1 }, { "name": "South", "devices": 2 }] })
    );
}
