//! Hearing what happens while it happens.

use std::time::Duration;

use reqwest::{Method, RequestBuilder, Response};
use serde_json::{Value, json};
use tokio::time::timeout;
use wagate_domain::model::{DeliveryOutcome, Setback, Typing, TypingState};
use wagate_domain::ports::Clock;

use crate::support::{ACCOUNT, TestApp};
use crate::v1_support::{get, post, receive, request, settle};

/// Far longer than anything here takes.
const LIMIT: Duration = Duration::from_secs(20);

/// A stream as a client reads it.
struct Reader {
    response: Response,
    text: String,
}

/// One message of a stream.
struct Frame {
    event: String,
    id: Option<String>,
    data: Value,
}

impl Reader {
    /// Opens it and reads the comment that says that it is open.
    async fn open(request: RequestBuilder) -> Self {
        let response = timeout(LIMIT, request.send()).await.unwrap().unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        assert_eq!(response.headers()["cache-control"], "no-store");
        let mut reader = Self {
            response,
            text: String::new(),
        };
        assert_eq!(reader.block().await.as_deref(), Some(": open"));
        reader
    }

    /// What stands before the next empty line; `None` at the end.
    async fn block(&mut self) -> Option<String> {
        loop {
            if let Some(end) = self.text.find("\n\n") {
                let block = self.text[..end].to_owned();
                self.text.drain(..end + 2);
                return Some(block);
            }
            let chunk = timeout(LIMIT, self.response.chunk()).await.unwrap().unwrap()?;
            self.text.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }

    async fn frame(&mut self) -> Frame {
        let block = self.block().await.unwrap();
        let field = |name: &str| {
            let mut lines = block.lines().filter_map(|line| line.split_once(": "));
            lines
                .find(|(key, _)| *key == name)
                .map(|(_, value)| value.to_owned())
        };
        Frame {
            event: field("event").unwrap(),
            id: field("id"),
            data: serde_json::from_str(&field("data").unwrap()).unwrap(),
        }
    }

    /// The next recorded event; what sessions do in between is not looked at.
    async fn recorded(&mut self) -> Frame {
        loop {
            let frame = self.frame().await;
            if frame.event == "recorded" {
                return frame;
            }
        }
    }

    /// The next session that is in this state.
    async fn session(&mut self, state: &str) -> Value {
        loop {
            let frame = self.frame().await;
            if frame.event == "session" && frame.data["session"]["state"] == state {
                assert_eq!(frame.id, None, "only what can be read again has an id");
                return frame.data;
            }
        }
    }

    /// The next delivery that is told.
    async fn delivery(&mut self, app: &TestApp) -> Value {
        self.told(app, "delivery").await
    }

    /// The next of what is gathered before it is told, once the clock has moved on.
    async fn told(&mut self, app: &TestApp, event: &str) -> Value {
        // One of the sleepers waits for silence, the other gathers.
        timeout(LIMIT, app.clock.sleepers(2)).await.unwrap();
        app.clock.advance(Duration::from_millis(500));
        loop {
            let frame = self.frame().await;
            if frame.event == event {
                assert_eq!(frame.id, None, "only what can be read again has an id");
                return frame.data;
            }
        }
    }
}

fn stream(app: &TestApp, query: &str) -> RequestBuilder {
    request(app, Method::GET, &format!("/v1/stream{query}"))
}

async fn log(app: &TestApp) -> Vec<Value> {
    let page = get(app, "/v1/events").await.json();
    page["data"].as_array().unwrap().clone()
}

#[tokio::test]
async fn sessions_and_events_are_told_as_they_happen() {
    let app = TestApp::start();
    let mut reader = Reader::open(stream(&app, "")).await;
    let session = app.started("shop").await;
    assert_eq!(reader.session("connecting").await["device"], "shop");
    session.issue_qr("2@scan-me").await;
    let shown = reader.session("awaiting_scan").await;
    assert!(
        shown["session"]["qr"]["svg"]
            .as_str()
            .unwrap()
            .starts_with("<svg ")
    );
    session.scan(ACCOUNT, None).await;
    reader.session("connected").await;
    receive(&app, &session, "3EB001", "line one\nline two").await;
    loop {
        let frame = reader.recorded().await;
        if frame.data["type"] == "message.received" {
            let logged = log(&app).await.pop().unwrap();
            assert_eq!(frame.data, logged, "the same object as in the log");
            assert_eq!(frame.id.as_deref(), logged["id"].as_str());
            break;
        }
    }
}

#[tokio::test]
async fn whoever_comes_back_misses_none_and_gets_none_twice() {
    let app = TestApp::start();
    let session = app.paired("shop").await;
    let mut reader = Reader::open(stream(&app, "")).await;
    receive(&app, &session, "3EB001", "one").await;
    let mut heard = vec![reader.recorded().await.id.unwrap()];
    drop(reader);
    for id in ["3EB002", "3EB003", "3EB003"] {
        receive(&app, &session, id, "meanwhile").await;
    }
    // As a browser does: the address of before, and the last id in a header.
    let first = log(&app).await[0]["id"].as_str().unwrap().to_owned();
    let again = stream(&app, &format!("?after={first}")).header("last-event-id", &heard[0]);
    let mut reader = Reader::open(again).await;
    heard.push(reader.recorded().await.id.unwrap());
    heard.push(reader.recorded().await.id.unwrap());
    receive(&app, &session, "3EB004", "now").await;
    heard.push(reader.recorded().await.id.unwrap());
    let logged: Vec<String> = log(&app)
        .await
        .iter()
        .filter(|event| event["type"] == "message.received")
        .map(|event| event["id"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(heard, logged);

    let mut reader = Reader::open(stream(&app, &format!("?after={first}"))).await;
    assert_eq!(reader.recorded().await.data["type"], "session.connected");
}

#[tokio::test]
async fn a_stream_is_about_one_device_or_some_types() {
    let app = TestApp::start();
    let (shop, other) = (app.paired("shop").await, app.paired("other").await);
    let mut of_shop = Reader::open(stream(&app, "?device=shop&type=message.*")).await;
    assert_eq!(
        of_shop.session("connected").await["device"],
        "shop",
        "it begins with what is"
    );
    receive(&app, &other, "3EB001", "elsewhere").await;
    other.drop_connection().await;
    shop.drop_connection().await;
    receive(&app, &shop, "3EB002", "here").await;
    assert_eq!(of_shop.recorded().await.data["data"]["id"], "3EB002");
}

#[tokio::test]
async fn how_deliveries_fare_is_told() {
    let app = TestApp::start();
    let session = app.paired("shop").await;
    post(&app, "/v1/webhooks", json!({ "url": "https://example.com/" })).await;
    let mut reader = Reader::open(stream(&app, "?device=shop")).await;
    receive(&app, &session, "3EB001", "hello").await;
    let queued = reader.delivery(&app).await;
    assert_eq!(queued["type"], "message.received");
    assert_eq!(
        (&queued["status"], &queued["others"]),
        (&json!("pending"), &json!(0))
    );
    let retry = DeliveryOutcome::Retry {
        at: app.clock.now() + Duration::from_secs(5),
        setback: Setback::Absent,
        error: "status 503".into(),
    };
    assert_eq!(settle(&app, retry).await, 1);
    let tried = reader.delivery(&app).await;
    assert_eq!(
        (&tried["id"], &tried["attempt_count"]),
        (&queued["id"], &json!(1))
    );
    let listed = get(&app, "/v1/deliveries").await.json();
    assert_eq!(tried["next_attempt_at"], listed["data"][0]["next_attempt_at"]);
    assert!(tried["next_attempt_at"].is_string());
}

#[tokio::test]
async fn typing_is_told_and_recorded_nowhere() {
    let app = TestApp::start();
    let (shop, other) = (app.paired("shop").await, app.paired("other").await);
    let mut reader = Reader::open(stream(&app, "?device=shop&type=call.*")).await;
    let typing = |state| Typing {
        chat: "120363000000000001@g.us".parse().unwrap(),
        chat_lid: None,
        sender: "628111111111@s.whatsapp.net".parse().unwrap(),
        sender_lid: Some("111222333@lid".parse().unwrap()),
        state,
    };
    let before = log(&app).await;
    other.hear_typing(typing(TypingState::Paused));
    shop.hear_typing(typing(TypingState::Recording));
    let frame = loop {
        let frame = reader.frame().await;
        if frame.event == "typing" {
            break frame;
        }
    };
    assert_eq!(frame.id, None, "only what can be read again has an id");
    assert_eq!(
        frame.data,
        json!({
            "device": "shop",
            "chat": { "jid": "120363000000000001@g.us", "phone": null, "lid": null },
            "sender": { "jid": "628111111111@s.whatsapp.net", "phone": "628111111111", "lid": "111222333@lid" },
            "state": "recording",
        })
    );
    assert_eq!(log(&app).await, before);
}

#[tokio::test]
async fn how_jobs_end_is_told() {
    let app = TestApp::start();
    app.paired("shop").await;
    app.paired("other").await;
    let mut reader = Reader::open(stream(&app, "?device=shop")).await;
    for device in ["other", "shop"] {
        let body = json!({ "numbers": ["628111111111", "628111111112"] });
        let begun = post(&app, &format!("/v1/devices/{device}/number-checks"), body)
            .await
            .json();
        let job = format!("/v1/jobs/{}", begun["id"].as_str().unwrap());
        while get(&app, &job).await.json()["state"] == "running" {}
    }
    let told = reader.told(&app, "job").await;
    assert_eq!(
        (&told["device"], &told["state"]),
        (&json!("shop"), &json!("done"))
    );
    let listed = get(&app, "/v1/jobs?device=shop").await.json();
    assert_eq!(told, listed["data"][0], "the same object as in the list");
}

#[tokio::test]
async fn silence_is_broken_by_comments() {
    let app = TestApp::start();
    let mut reader = Reader::open(stream(&app, "")).await;
    for _ in 0..2 {
        timeout(LIMIT, app.clock.sleepers(1)).await.unwrap();
        app.clock.advance(Duration::from_secs(15));
        assert_eq!(reader.block().await.as_deref(), Some(": ping"));
    }
}

#[tokio::test]
async fn a_stopping_server_ends_streams_and_does_not_wait_for_them() {
    let app = TestApp::start();
    let mut reader = Reader::open(stream(&app, "")).await;
    timeout(LIMIT, app.stop()).await.unwrap();
    assert_eq!(reader.block().await, None);
}

#[tokio::test]
async fn a_stream_of_nothing_is_refused() {
    let app = TestApp::start();
    for (query, verdict) in [
        ("?device=nobody", "404 device_not_found"),
        ("?type=nothing", "422 invalid_type"),
        ("?after=7", "422 invalid_after"),
    ] {
        assert_eq!(app.call(stream(&app, query)).await.verdict(), verdict, "{query}");
    }
    let bad = stream(&app, "").header("last-event-id", "7");
    assert_eq!(app.call(bad).await.verdict(), "422 invalid_last_event_id");
}
