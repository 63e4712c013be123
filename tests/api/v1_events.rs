//! Reading the log of what happened.

use serde_json::{Value, json};
use wagate_domain::model::EventBody;

use crate::answer::assert_answers;
use crate::support::TestApp;
use crate::v1_support::{get, post, receive};

fn ids(page: &Value) -> Vec<String> {
    let events = page["data"].as_array().unwrap();
    events
        .iter()
        .map(|event| event["id"].as_str().unwrap().to_owned())
        .collect()
}

fn types(page: &Value) -> Vec<String> {
    let events = page["data"].as_array().unwrap();
    events
        .iter()
        .map(|event| event["type"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn a_receiver_reads_on_and_misses_nothing() {
    let app = TestApp::start();
    let session = app.paired("shop").await;
    receive(&app, &session, "3EB001", "Hello").await;
    let all = get(&app, "/v1/events").await.json();
    assert_eq!(
        types(&all),
        ["session.qr", "session.connected", "message.received"]
    );

    let mut read = Vec::new();
    let mut after = String::new();
    for _ in 0..all["data"].as_array().unwrap().len() {
        let page = get(&app, &format!("/v1/events?limit=1{after}")).await.json();
        read.extend(ids(&page));
        after = format!("&after={}", page["next"].as_str().unwrap());
    }
    assert_eq!(read, ids(&all));

    let nothing = get(&app, &format!("/v1/events?limit=1{after}")).await.json();
    assert_eq!(nothing["data"], json!([]));
    assert_eq!(nothing["next"], *read.last().unwrap(), "a place to go on from");
    receive(&app, &session, "3EB002", "Are you there?").await;
    let more = get(&app, &format!("/v1/events?limit=1{after}")).await.json();
    assert_eq!(more["data"][0]["data"]["text"], "Are you there?");
}

#[tokio::test]
async fn a_log_without_events_has_nowhere_to_go_on() {
    let app = TestApp::start();
    let empty = get(&app, "/v1/events").await.json();
    assert_eq!(empty, json!({ "data": [], "next": null }));
}

#[tokio::test]
async fn events_are_shown_in_the_standard_format() {
    let app = TestApp::start();
    let session = app.paired("shop").await;
    receive(&app, &session, "3EB001", "Hello").await;
    session.drop_connection().await;
    assert_answers("v1_events", &[get(&app, "/v1/events").await]);
}

#[tokio::test]
async fn events_are_the_bytes_that_endpoints_receive() {
    let app = TestApp::start();
    post(&app, "/v1/webhooks", json!({ "url": "https://example.com/hook" })).await;
    let session = app.paired("shop").await;
    receive(&app, &session, "3EB001", "1 < 2 \u{2014} \u{1f600}").await;
    let listed = get(&app, "/v1/events?type=message.received").await;
    let deliveries = get(&app, "/v1/deliveries?limit=1").await.json();
    let path = format!("/v1/deliveries/{}", deliveries["data"][0]["id"].as_str().unwrap());
    let sent = get(&app, &path).await.json();
    assert!(listed.body.contains(sent["request_body"].as_str().unwrap()));
}

#[tokio::test]
async fn events_are_chosen_by_type_and_device() {
    let app = TestApp::start();
    let shop = app.paired("shop").await;
    app.paired("office").await;
    receive(&app, &shop, "3EB001", "Hello").await;
    shop.receive(EventBody::Disconnected).await.unwrap();
    let listed = async |query: &str| types(&get(&app, &format!("/v1/events?{query}")).await.json());
    assert_eq!(listed("type=message.*").await, ["message.received"]);
    assert_eq!(
        listed("type=session.disconnected&type=message.received").await,
        ["message.received", "session.disconnected"]
    );
    assert_eq!(
        listed("type=session.qr,session.connected&device=office").await,
        ["session.qr", "session.connected"]
    );
    assert_eq!(listed("type=call.*").await, [""; 0]);
    assert_eq!(listed("device=office").await.len(), 2);
    assert_eq!(listed("").await.len(), 6);
}

#[tokio::test]
async fn questions_that_make_no_sense_are_refused() {
    let app = TestApp::start();
    let ask = async |query: &str| get(&app, &format!("/v1/events?{query}")).await;
    assert_answers(
        "v1_events_refused",
        &[
            ask("after=whk_00000000000000000000000001").await,
            ask("limit=0").await,
            ask("type=message.sended").await,
            ask("type=").await,
            ask("device=").await,
            ask("device=nobody").await,
            ask("device=a&device=b").await,
            ask("page=2").await,
        ],
    );
}

#[tokio::test]
async fn types_of_events_come_with_examples() {
    let app = TestApp::start();
    let types = get(&app, "/v1/event-types").await.json();
    let types = types["data"].as_array().unwrap();
    assert_eq!(types.len(), 15);
    for found in types {
        assert_eq!(found["standard"]["type"], found["type"]);
        assert!(found["classic"].is_null() || found["classic"]["event"].is_string());
    }
    // The same form as a real one has.
    let session = app.paired("shop").await;
    receive(&app, &session, "3EB001", "hello").await;
    let log = get(&app, "/v1/events?type=message.received").await.json();
    let keys = |event: &Value| -> Vec<String> {
        let data = event["data"].as_object().unwrap();
        data.keys().cloned().collect()
    };
    assert_eq!(keys(&types[0]["standard"]), keys(&log["data"][0]));
}
