//! What the stories about `/v1` have in common: requests with a known id, so that problems look the same
//! every time, and things that happen to a device.

use std::time::Duration;

use reqwest::{Method, RequestBuilder};
use serde_json::Value;
use wagate_domain::model::{
    Attempt, DeliveryOutcome, EventBody, MessageId, ReceivedMessage, Settlement, Timestamp,
};
use wagate_domain::ports::{Clock, Reservation};
use wagate_domain::testing::FakeSession;

use crate::answer::Answer;
use crate::support::TestApp;

const LEASE: Duration = Duration::from_mins(1);

pub fn request(app: &TestApp, method: Method, path: &str) -> RequestBuilder {
    app.request(method, path).header("x-request-id", "req_test")
}

pub async fn get(app: &TestApp, path: &str) -> Answer {
    app.call(request(app, Method::GET, path)).await
}

pub async fn delete(app: &TestApp, path: &str) -> Answer {
    app.call(request(app, Method::DELETE, path)).await
}

pub async fn post(app: &TestApp, path: &str, body: Value) -> Answer {
    app.call(request(app, Method::POST, path).json(&body)).await
}

pub async fn put(app: &TestApp, path: &str, body: Value) -> Answer {
    app.call(request(app, Method::PUT, path).json(&body)).await
}

pub async fn patch(app: &TestApp, path: &str, body: Value) -> Answer {
    app.call(request(app, Method::PATCH, path).json(&body)).await
}

/// A body as it is, said to be JSON.
pub async fn raw(app: &TestApp, method: Method, path: &str, body: impl Into<reqwest::Body>) -> Answer {
    let request = request(app, method, path).header("content-type", "application/json");
    app.call(request.body(body)).await
}

/// A text from somebody comes in.
pub async fn receive(app: &TestApp, session: &FakeSession, id: &str, text: &str) {
    let sender = "628111111111@s.whatsapp.net".parse().unwrap();
    let message = ReceivedMessage {
        id: MessageId(id.into()),
        chat: sender,
        sender: "628111111111@s.whatsapp.net".parse().unwrap(),
        sender_lid: None,
        chat_lid: None,
        from_me: false,
        push_name: Some("Budi".into()),
        at: app.clock.now(),
        kind: "conversation".into(),
        text: text.into(),
        media: None,
        raw: serde_json::json!({ "conversation": text }),
    };
    session
        .receive(EventBody::MessageReceived(Box::new(message)))
        .await
        .unwrap();
}

/// Every delivery that is due gets this outcome.
pub async fn settle(app: &TestApp, outcome: DeliveryOutcome) -> usize {
    let queue = app.gateway.delivery_queue();
    let now = app.clock.now();
    let reservation = Reservation {
        now,
        lease: LEASE,
        limit: 100,
        per_webhook: 100,
        busy: Vec::new(),
    };
    let due = queue.reserve(reservation).await.unwrap();
    let settlements = due.iter().map(|delivery| Settlement {
        id: delivery.id,
        outcome: outcome.clone(),
        attempt: Some(attempt(now, &outcome)),
    });
    queue.settle(settlements.collect(), now, LEASE).await.unwrap();
    due.len()
}

fn attempt(at: Timestamp, outcome: &DeliveryOutcome) -> Attempt {
    let delivered = *outcome == DeliveryOutcome::Delivered;
    Attempt {
        at,
        took: Duration::from_millis(12),
        status: Some(if delivered { 200 } else { 500 }),
        error: (!delivered).then(|| "answered 500".into()),
        request_head: "POST /hook HTTP/1.1\r\nx-tenant: [hidden]\r\n".into(),
        response_head: "HTTP/1.1 500 Internal Server Error\r\n".into(),
        response_body: b"oops \xff".as_slice().into(),
    }
}
