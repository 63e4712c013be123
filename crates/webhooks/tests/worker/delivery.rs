//! Stories of deliveries, on a clock that only the test moves.

use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use crate::story::{Reply, Story, rest};
use wagate_domain::model::{
    CursorQuery, CustomHeader, Delivery, DeliveryFilter, DeliveryId, DeliveryOutcome, DeliveryStanding,
    EndpointVerdict, EventId, Setback, Timestamp, WebhookState,
};
use wagate_domain::ports::{Clock, DeliveryLog, IdSource, WebhookTester};
use wagate_domain::testing::{FakeClock, FakeIds};
use wagate_webhooks::{PostError, Tester, WorkerSettings};

const SECOND: Duration = Duration::from_secs(1);
const DELIVERED: DeliveryOutcome = DeliveryOutcome::Delivered;

fn retry(outcome: &DeliveryOutcome) -> (&str, Setback) {
    match outcome {
        DeliveryOutcome::Retry { error, setback, .. } => (error, *setback),
        other => panic!("not a retry: {other:?}"),
    }
}

#[tokio::test]
async fn an_event_is_delivered_signed_and_once() {
    // The verifier compares with the clock of the machine.
    let now = Timestamp::from_secs(i64::try_from(UNIX_EPOCH.elapsed().unwrap().as_secs()).unwrap());
    let mut story = Story::at(now, WorkerSettings::default()).await;
    let endpoint = story.endpoint("one").await;
    let sent = story.record(&endpoint, "chat", r#"{"text":"grüße"}"#).await;
    let request = story.posted().await;
    assert_eq!(request.url, "https://one.example/hook?key=1");
    assert_eq!(request.body, r#"{"text":"grüße"}"#);
    let header = |name: &str| request.headers[name].to_str().unwrap();
    assert_eq!(header("webhook-id"), sent.event.to_string());
    assert_eq!(header("webhook-timestamp"), now.as_secs().to_string());
    assert_eq!(header("content-type"), "application/json");
    assert_eq!(
        header("user-agent"),
        concat!("wagate/", env!("CARGO_PKG_VERSION"))
    );
    let receiver = standardwebhooks::Webhook::new(endpoint.secret.reveal()).unwrap();
    receiver
        .verify(&request.body, &request.headers)
        .expect("signature");
    receiver
        .verify(b"{}", &request.headers)
        .expect_err("another body");
    assert_eq!(story.settled().await, (sent.delivery, DELIVERED));
    assert_eq!(story.store.pending_deliveries(), 0);
    let attempts = story.attempts(sent.delivery).await;
    assert_eq!(
        (attempts.len(), attempts[0].status, &attempts[0].error),
        (1, Some(200), &None)
    );
    let head = &attempts[0].request_head;
    assert!(
        head.starts_with("POST /hook?[hidden] HTTP/1.1\nhost: one.example\n"),
        "{head}"
    );
    assert!(head.contains(&format!("\nwebhook-signature: {}\n", header("webhook-signature"))));
    assert_eq!(attempts[0].response_head, "HTTP/1.1 200 OK");
    assert_eq!(attempts[0].response_body, "thanks");
    story.stop().await;
}

#[tokio::test]
async fn a_failure_is_tried_again_with_the_same_body_and_id() {
    let mut story = Story::new().await;
    let endpoint = story.endpoint("one").await;
    let replies = [Reply::Status(500), Reply::Fails(PostError::Unreachable)];
    story.client.script("one", replies);
    let sent = story.record(&endpoint, "chat", "{}").await;
    let first = story.posted().await;
    assert_eq!(retry(&story.settled().await.1), ("status 500", Setback::Refused));
    story.advance(6 * SECOND);
    let second = story.posted().await;
    assert_eq!(
        (&second.body, &second.headers["webhook-id"]),
        (&first.body, &first.headers["webhook-id"])
    );
    assert_ne!(
        second.headers["webhook-timestamp"],
        first.headers["webhook-timestamp"]
    );
    assert_ne!(
        second.headers["webhook-signature"],
        first.headers["webhook-signature"]
    );
    assert_eq!(
        retry(&story.settled().await.1),
        ("could not connect", Setback::Absent)
    );
    story.advance(360 * SECOND);
    assert_eq!(story.settled().await, (sent.delivery, DELIVERED));
    let attempts = story.attempts(sent.delivery).await;
    let errors: Vec<_> = attempts.iter().map(|made| made.error.as_deref()).collect();
    assert_eq!(errors, [Some("status 500"), Some("could not connect"), None]);
    story.stop().await;
}

#[tokio::test]
async fn a_redirect_is_a_failure_and_gone_switches_the_endpoint_off() {
    let mut story = Story::new().await;
    let endpoint = story.endpoint("one").await;
    story
        .client
        .script("one", [Reply::Status(302), Reply::Status(410)]);
    let sent = story.record(&endpoint, "chat", "{}").await;
    assert_eq!(retry(&story.settled().await.1), ("status 302", Setback::Refused));
    story.advance(6 * SECOND);
    let dead = DeliveryOutcome::Dead {
        error: "status 410: gone".into(),
        endpoint: EndpointVerdict::Gone,
    };
    assert_eq!(story.settled().await, (sent.delivery, dead));
    assert!(matches!(
        story.stored(&endpoint).await.state,
        WebhookState::Disabled { .. }
    ));
    story.record(&endpoint, "chat", "{}").await;
    rest().await;
    assert_eq!(
        story.client.posts("one"),
        2,
        "what comes later waits for the owner"
    );
    story.stop().await;
}

#[tokio::test]
async fn a_receiver_may_ask_for_a_pause() {
    let mut story = Story::new().await;
    let endpoint = story.endpoint("one").await;
    story.client.script("one", [Reply::After(429, "100")]);
    story.record(&endpoint, "chat", "{}").await;
    match story.settled().await.1 {
        DeliveryOutcome::Retry { at, setback, .. } => {
            let wait = at.since(story.clock.now());
            assert!((100 * SECOND..=120 * SECOND).contains(&wait), "{wait:?}");
            assert_eq!(setback, Setback::Absent);
        }
        other => panic!("not a retry: {other:?}"),
    }
    story.stop().await;
}

#[tokio::test]
async fn retries_go_on_for_eight_days_to_the_schedule_and_then_end_listed() {
    const HOUR: u64 = 3_600;
    let mut waits = vec![5, 300, 1_800, 2 * HOUR, 5 * HOUR, 10 * HOUR];
    waits.resize(14, 24 * HOUR);
    let mut story = Story::new().await;
    let endpoint = story.endpoint("one").await;
    story.client.script("one", [Reply::Hangs(503)]);
    story
        .client
        .script("one", std::iter::repeat_n(Reply::Status(503), 20));
    let start = story.clock.now();
    let sent = story.record(&endpoint, "chat", "{}").await;
    story.posted().await;
    // That the endpoint fails is known a little after the event was queued.
    story.advance(Duration::from_millis(40));
    story.client.let_go(1);
    let mut made = 0;
    let outcome = loop {
        match story.settled().await.1 {
            DeliveryOutcome::Retry { at, .. } => {
                let wait = at.since(story.clock.now());
                let scheduled = Duration::from_secs(waits[made]);
                assert!(
                    (scheduled..=scheduled.mul_f64(1.2)).contains(&wait),
                    "{made}: {wait:?}"
                );
                rest().await;
                story.clock.set(Timestamp(at.0 - 1));
                rest().await;
                assert!(!story.has_settled(), "not before its time");
                story.clock.set(at);
            }
            other => break other,
        }
        made += 1;
    };
    assert!(matches!(&outcome, DeliveryOutcome::Dead { error, .. } if error == "status 503"));
    assert!(story.clock.now().since(start) >= Duration::from_hours(8 * 24));
    assert!((12..=14).contains(&made), "{made}");
    assert_eq!(story.attempts(sent.delivery).await.len(), made + 1);
    let dead = DeliveryFilter {
        standing: Some(DeliveryStanding::Dead),
        ..DeliveryFilter::default()
    };
    let listed = story.store.list(&dead, CursorQuery::new(None, 10)).await.unwrap();
    assert_eq!(listed.items.len(), 1);
    assert_eq!(listed.items[0].id, sent.delivery);
    let state = story.stored(&endpoint).await.state;
    assert!(
        matches!(state, WebhookState::Disabled { .. }),
        "it took nothing meanwhile: {state:?}"
    );
    story.stop().await;
}

#[tokio::test]
async fn a_conversation_keeps_its_order_whatever_fails() {
    let mut story = Story::new().await;
    let endpoint = story.endpoint("one").await;
    let fails = Reply::Fails(PostError::Broken);
    story
        .client
        .script("one", [Reply::Status(200), fails, Reply::Status(503)]);
    for number in 1..=4 {
        story.record(&endpoint, "chat", &number.to_string()).await;
    }
    let mut bodies = Vec::new();
    while bodies.len() < 6 {
        bodies.push(String::from_utf8(story.posted().await.body.to_vec()).unwrap());
        if let (_, DeliveryOutcome::Retry { at, .. }) = story.settled().await {
            story.clock.set(at);
        }
    }
    assert_eq!(bodies, ["1", "2", "2", "2", "3", "4"]);
    assert_eq!(story.client.most_at_once("one"), 1);
    story.stop().await;
}

#[tokio::test]
async fn what_alone_is_refused_does_not_stop_its_conversation() {
    let mut story = Story::new().await;
    let endpoint = story.endpoint("one").await;
    story
        .client
        .script("one", [Reply::Status(400), Reply::Status(400)]);
    let all = [("chat", &b"1"[..]), ("chat", b"2"), ("chat", b"3")];
    let sent = story.record_all(&endpoint, &all).await;
    assert_eq!(story.settled().await.0, sent[0].delivery);
    story.advance(6 * SECOND);
    assert_eq!(story.settled().await.0, sent[0].delivery);
    assert_eq!(story.settled().await, (sent[1].delivery, DELIVERED));
    assert_eq!(story.settled().await, (sent[2].delivery, DELIVERED));
    story.stop().await;
}

#[tokio::test]
async fn a_poisonous_body_is_given_up_and_the_next_one_comes() {
    let mut story = Story::new().await;
    let endpoint = story.endpoint("one").await;
    let all = [("chat", &b"\xff\xfe"[..]), ("chat", b"{}")];
    let sent = story.record_all(&endpoint, &all).await;
    let dead = DeliveryOutcome::Dead {
        error: "the body is not text".into(),
        endpoint: EndpointVerdict::Sound,
    };
    assert_eq!(story.settled().await, (sent[0].delivery, dead));
    assert_eq!(story.settled().await, (sent[1].delivery, DELIVERED));
    let attempts = story.attempts(sent[0].delivery).await;
    assert_eq!(attempts[0].error.as_deref(), Some("the body is not text"));
    story.stop().await;
}

#[tokio::test]
async fn a_yes_counts_however_slow_its_body_is() {
    let mut story = Story::new().await;
    let endpoint = story.endpoint("one").await;
    story.client.script("one", [Reply::Drips("part")]);
    let sent = story.record(&endpoint, "chat", "{}").await;
    story.posted().await;
    rest().await;
    story.advance(Duration::from_millis(1_999));
    rest().await;
    assert!(!story.has_settled());
    story.advance(Duration::from_millis(1));
    assert_eq!(story.settled().await, (sent.delivery, DELIVERED));
    let attempts = story.attempts(sent.delivery).await;
    assert_eq!(
        (attempts[0].status, &attempts[0].response_body[..]),
        (Some(200), &b"part"[..])
    );
    assert_eq!(attempts[0].took, Duration::ZERO, "until the head was there");
    story.stop().await;
}

#[tokio::test]
async fn somebody_tries_an_endpoint_out() {
    let story = Story::new().await;
    let endpoint = story.endpoint("one").await;
    let ids = FakeIds::new();
    let delivery = Delivery {
        id: DeliveryId::new(ids.next()),
        event: EventId::new(ids.next()),
        webhook: endpoint.webhook,
        device: endpoint.device,
        url: "https://one.example/hook?key=1".into(),
        headers: vec![CustomHeader::new("x-tenant", "7").unwrap()],
        secrets: vec![endpoint.secret.clone()],
        body: "{}".into(),
        attempts: 0,
        queued_at: FakeClock::START,
    };
    let timeout = 5 * SECOND;
    let tester = Arc::new(Tester::new(
        story.client.clone(),
        story.clock.clone(),
        timeout,
        "wagate/test",
    ));
    story
        .client
        .script("one", [Reply::Status(422), Reply::Hangs(200)]);
    let attempt = tester.try_once(&delivery).await;
    assert_eq!(
        (attempt.status, attempt.error.as_deref()),
        (Some(422), Some("status 422"))
    );
    assert!(attempt.request_head.contains("\nuser-agent: wagate/test\n"));
    assert!(attempt.request_head.contains("\nx-tenant: [hidden]\n"));
    assert_eq!(attempt.response_body, "thanks");
    let hanging = tokio::spawn({
        let (tester, delivery) = (tester.clone(), delivery.clone());
        async move { tester.try_once(&delivery).await }
    });
    story.clock.sleepers(2).await;
    story.advance(timeout);
    let attempt = hanging.await.unwrap();
    assert_eq!(
        (attempt.status, attempt.error.as_deref()),
        (None, Some("timed out"))
    );
    assert_eq!((attempt.took, attempt.at), (timeout, FakeClock::START));
    story.stop().await;
}
