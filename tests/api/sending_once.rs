//! The header `Idempotency-Key`: a retry never sends twice.

use reqwest::Method;
use serde_json::{Value, json};

use crate::answer::{Answer, assert_answers};
use crate::support::TestApp;

async fn send(app: &TestApp, key: &str, body: Value) -> Answer {
    app.call(
        app.request(Method::POST, "/api/send?token=shop")
            .header("Idempotency-Key", key)
            .json(&body),
    )
    .await
}

fn hello() -> Value {
    json!({ "phone": "628111111111", "message": "hi" })
}

#[tokio::test]
async fn a_retry_gets_the_first_answer() {
    let app = TestApp::start();
    let session = app.paired("shop").await;
    let first = send(&app, "k1", hello()).await;
    let again = send(&app, "k1", hello()).await;
    assert_eq!(first.json(), again.json());
    // The order of fields makes no other request.
    let raw = r#"{"message":"hi","token":"shop","phone":"628111111111"}"#;
    let request = app
        .request(Method::POST, "/api/send")
        .header("Idempotency-Key", "k1")
        .body(raw);
    assert_eq!(app.call(request).await.json(), first.json());
    session.drop_connection().await;
    assert_eq!(
        send(&app, "k1", hello()).await.json(),
        first.json(),
        "also while the connection is down"
    );
    assert_eq!(session.sent().len(), 1);
    session.connect().await;
    assert_ne!(send(&app, "k2", hello()).await.json(), first.json());
}

#[tokio::test]
async fn a_retry_gets_the_first_refusal() {
    let app = TestApp::start();
    let session = app.paired("shop").await;
    app.driver.not_on_whatsapp("628999999999");
    session.refuse_next_send(463, "this account may not write to that person");
    let refused = send(&app, "k1", hello()).await;
    assert_eq!(send(&app, "k1", hello()).await.json(), refused.json());
    let nobody = json!({ "phone": "628999999999", "message": "hi" });
    let missing = send(&app, "k2", nobody.clone()).await;
    app.driver.joins_whatsapp("628999999999");
    assert_eq!(send(&app, "k2", nobody).await.json(), missing.json());
    assert_eq!(session.sent(), []);
}

#[tokio::test]
async fn a_retry_after_a_timeout_sends_with_the_same_message_id() {
    let app = TestApp::start();
    let session = app.paired("shop").await;
    session.time_out_next_send();
    assert_eq!(send(&app, "k1", hello()).await.verdict(), "504 whatsapp_timeout");
    let answer = send(&app, "k1", hello()).await;
    assert_eq!(answer.status, 200);
    let attempts = session.attempts();
    assert_eq!((attempts.len(), &attempts[0]), (2, &attempts[1]));
    assert_eq!(answer.json()["data"]["id"], attempts[0].0);
}

#[tokio::test]
async fn a_key_belongs_to_one_request() {
    let app = TestApp::start();
    let session = app.paired("shop").await;
    send(&app, "k1", hello()).await;
    let reused = send(&app, "k1", json!({ "phone": "628111111111", "message": "other" })).await;
    let bad = send(&app, "", hello()).await;
    let running = {
        session.hold_sends();
        let (first, second) = tokio::join!(send(&app, "k2", hello()), async {
            session.sends_waiting(1).await;
            let second = send(&app, "k2", hello()).await;
            session.release_sends();
            second
        });
        assert_eq!(first.status, 200);
        second
    };
    assert_answers("idempotency_refusals", &[reused, bad, running]);
    assert_eq!(session.sent().len(), 2);
}

#[tokio::test]
async fn a_client_that_hangs_up_does_not_stop_a_send() {
    let app = TestApp::start();
    let session = app.paired("shop").await;
    session.hold_sends();
    {
        let request = send(&app, "k1", hello());
        tokio::select! {
            _ = request => panic!("the send is held"),
            () = session.sends_waiting(1) => {}
        }
    }
    session.release_sends();
    // Either the first is still running or this gets its answer: never a second message.
    let mut answer = send(&app, "k1", hello()).await;
    while answer.verdict() == "409 request_in_progress" {
        tokio::task::yield_now().await;
        answer = send(&app, "k1", hello()).await;
    }
    assert_eq!(answer.status, 200);
    assert_eq!(session.attempts().len(), 1);
}
