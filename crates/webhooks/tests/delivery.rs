//! Stories of deliveries, on a clock that only the test moves.

mod story;

use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use story::{Reply, Story};
use wagate_domain::model::{DeliveryOutcome, Timestamp};
use wagate_domain::ports::{Clock, DeliveryQueue};
use wagate_domain::testing::FakeClock;
use wagate_webhooks::{PostError, WorkerSettings};

const SECOND: Duration = Duration::from_secs(1);
const DELIVERED: DeliveryOutcome = DeliveryOutcome::Delivered { status: 200 };

fn retry_error(outcome: &DeliveryOutcome) -> &str {
    match outcome {
        DeliveryOutcome::Retry { error, .. } => error,
        other => panic!("not a retry: {other:?}"),
    }
}

#[tokio::test]
async fn an_event_is_delivered_signed_and_once() {
    // The verifier compares with the clock of the machine.
    let now = Timestamp::from_secs(i64::try_from(UNIX_EPOCH.elapsed().unwrap().as_secs()).unwrap());
    let mut story = Story::at(now, WorkerSettings::default()).await;
    let endpoint = story.endpoint("one").await;
    let sent = story.record(&endpoint, r#"{"text":"grüße"}"#).await;
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
    let receiver = standardwebhooks::Webhook::new(&endpoint.secret).unwrap();
    receiver
        .verify(&request.body, &request.headers)
        .expect("signature");
    receiver
        .verify(b"{}", &request.headers)
        .expect_err("another body");
    assert_eq!(story.settled().await, (sent.delivery, DELIVERED));
    assert_eq!(story.store.pending_deliveries(), 0);
    story.stop().await;
}

#[tokio::test]
async fn a_failure_is_tried_again_with_the_same_body_and_id() {
    let mut story = Story::new().await;
    let endpoint = story.endpoint("one").await;
    story
        .client
        .script("one", [Reply::Status(500), Reply::Fails(PostError::Unreachable)]);
    let sent = story.record(&endpoint, "{}").await;
    let first = story.posted().await;
    let (_, outcome) = story.settled().await;
    assert_eq!(retry_error(&outcome), "status 500");
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
    assert_eq!(retry_error(&story.settled().await.1), "could not connect");
    story.advance(360 * SECOND);
    assert_eq!(story.settled().await, (sent.delivery, DELIVERED));
    story.stop().await;
}

#[tokio::test]
async fn a_redirect_is_a_failure_and_gone_is_the_end() {
    let mut story = Story::new().await;
    let endpoint = story.endpoint("one").await;
    story
        .client
        .script("one", [Reply::Status(302), Reply::Status(410)]);
    let sent = story.record(&endpoint, "{}").await;
    assert_eq!(retry_error(&story.settled().await.1), "status 302");
    story.advance(6 * SECOND);
    let dead = DeliveryOutcome::Dead {
        error: "status 410: gone".into(),
    };
    assert_eq!(story.settled().await, (sent.delivery, dead));
    assert_eq!(story.store.pending_deliveries(), 0);
    story.stop().await;
}

#[tokio::test]
async fn a_receiver_may_ask_for_a_pause() {
    let mut story = Story::new().await;
    let endpoint = story.endpoint("one").await;
    story.client.script("one", [Reply::After(429, "100")]);
    story.record(&endpoint, "{}").await;
    match story.settled().await.1 {
        DeliveryOutcome::Retry { at, .. } => {
            let wait = at.since(story.clock.now());
            assert!((100 * SECOND..=120 * SECOND).contains(&wait), "{wait:?}");
        }
        other => panic!("not a retry: {other:?}"),
    }
    story.stop().await;
}

#[tokio::test]
async fn retries_go_on_for_eight_days_and_then_end() {
    let mut story = Story::new().await;
    let endpoint = story.endpoint("one").await;
    story
        .client
        .script("one", std::iter::repeat_n(Reply::Status(503), 20));
    let start = story.clock.now();
    let sent = story.record(&endpoint, "{}").await;
    let mut attempts = 1;
    let outcome = loop {
        match story.settled().await.1 {
            DeliveryOutcome::Retry { at, .. } => story.clock.set(at),
            other => break other,
        }
        attempts += 1;
    };
    assert_eq!(
        outcome,
        DeliveryOutcome::Dead {
            error: "status 503".into()
        }
    );
    assert_eq!(story.store.last_outcome(sent.delivery), Some(outcome));
    assert!(story.clock.now().since(start) >= Duration::from_hours(8 * 24));
    assert!((13..=15).contains(&attempts), "{attempts}");
    story.stop().await;
}

#[tokio::test]
async fn an_endpoint_gets_its_events_in_order_whatever_fails() {
    let mut story = Story::new().await;
    let endpoint = story.endpoint("one").await;
    story.client.script(
        "one",
        [Reply::Status(200), Reply::Status(500), Reply::Status(500)],
    );
    for number in 1..=4 {
        story.record(&endpoint, &number.to_string()).await;
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
async fn a_hanging_endpoint_is_cut_and_holds_nobody_up() {
    let mut story = Story::new().await;
    let (slow, quick) = (story.endpoint("slow").await, story.endpoint("quick").await);
    story.client.script("slow", [Reply::Hangs]);
    let stuck = story.record(&slow, "{}").await;
    assert_eq!(story.posted().await.url, "https://slow.example/hook?key=1");
    for number in 0..100 {
        let sent = story.record(&quick, &number.to_string()).await;
        assert_eq!(story.settled().await, (sent.delivery, DELIVERED));
    }
    story.advance(15 * SECOND);
    let (id, outcome) = story.settled().await;
    assert_eq!((id, retry_error(&outcome)), (stuck.delivery, "timed out"));
    story.stop().await;
}

#[tokio::test]
async fn only_so_many_posts_are_under_way_and_a_free_place_is_taken_at_once() {
    let settings = WorkerSettings {
        concurrency: 3,
        ..WorkerSettings::default()
    };
    let mut story = Story::at(FakeClock::START, settings).await;
    for number in 0..10 {
        let name = format!("e{number}");
        let endpoint = story.endpoint(&name).await;
        story.client.script(&name, [Reply::Hangs]);
        story.record(&endpoint, "{}").await;
    }
    for waiting in (0..10).rev() {
        let request = story.posted().await;
        if waiting < 8 {
            story.client.let_go(1);
            assert_eq!(story.settled().await.1, DELIVERED);
        }
        drop(request);
        assert!(story.client.under_way() <= 3);
    }
    story.client.let_go(2);
    story.settled().await;
    story.settled().await;
    assert_eq!(story.store.pending_deliveries(), 0);
    story.stop().await;
}

#[tokio::test]
async fn a_poisonous_body_is_given_up_and_the_next_one_comes() {
    let mut story = Story::new().await;
    let endpoint = story.endpoint("one").await;
    let poison = story.record_bytes(&endpoint, b"\xff\xfe").await;
    let sent = story.record(&endpoint, "{}").await;
    let dead = DeliveryOutcome::Dead {
        error: "the body is not text".into(),
    };
    assert_eq!(story.settled().await, (poison.delivery, dead));
    assert_eq!(story.settled().await, (sent.delivery, DELIVERED));
    story.stop().await;
}

#[tokio::test]
async fn a_stopping_worker_lets_posts_end() {
    let mut story = Story::new().await;
    let (one, two) = (story.endpoint("one").await, story.endpoint("two").await);
    story.client.script("one", [Reply::Hangs]);
    let sent = story.record(&one, "{}").await;
    story.posted().await;
    let stopped = story.begin_stop();
    story.record(&two, "{}").await;
    story.client.let_go(1);
    stopped.await.unwrap();
    assert_eq!(story.settled().await, (sent.delivery, DELIVERED));
    assert_eq!(
        story.store.pending_deliveries(),
        1,
        "what came after the stop is left to the next start"
    );
}

#[tokio::test]
async fn what_a_worker_left_behind_is_made_when_its_lease_runs_out() {
    let mut story = Story::new().await;
    let endpoint = story.endpoint("one").await;
    story.client.script("one", [Reply::Hangs]);
    let sent = story.record(&endpoint, "{}").await;
    story.posted().await;
    story.kill().await;
    story.restart();
    // Nothing is due before the lease ends.
    story.advance(59 * SECOND);
    assert!(
        story
            .store
            .reserve(story.clock.now(), SECOND, 9)
            .await
            .unwrap()
            .is_empty()
    );
    story.advance(SECOND);
    assert_eq!(story.settled().await, (sent.delivery, DELIVERED));
    story.stop().await;
}

#[tokio::test]
async fn a_worker_that_cannot_wait_any_longer_stops() {
    let settings = WorkerSettings {
        timeout: Duration::from_hours(24),
        ..WorkerSettings::default()
    };
    let mut story = Story::at(FakeClock::START, settings).await;
    let endpoint = story.endpoint("one").await;
    story.client.script("one", [Reply::Hangs]);
    story.record(&endpoint, "{}").await;
    story.posted().await;
    let stopped = story.begin_stop();
    let clock: Arc<FakeClock> = story.clock.clone();
    while !stopped.is_finished() {
        clock.advance(SECOND);
        tokio::task::yield_now().await;
    }
    stopped.await.unwrap();
    assert_eq!(story.store.pending_deliveries(), 1);
}

#[tokio::test]
async fn a_database_that_comes_back_finds_nothing_lost() {
    let mut story = Story::new().await;
    let endpoint = story.endpoint("one").await;
    story.client.script("one", [Reply::Hangs]);
    let sent = story.record(&endpoint, "{}").await;
    story.posted().await;
    story.store.go_down();
    story.client.let_go(1);
    story.refused_settle().await;
    story.store.come_back();
    assert_eq!(story.settled_in_time(SECOND).await, (sent.delivery, DELIVERED));
    let next = story.record(&endpoint, "{}").await;
    assert_eq!(story.settled().await, (next.delivery, DELIVERED));
    assert_eq!(
        story.client.posts("one"),
        2,
        "a settled delivery is not made again"
    );
    story.stop().await;
}
