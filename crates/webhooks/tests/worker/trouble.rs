//! Stories of stopping, dying, and of a database that goes away.

use std::time::Duration;

use crate::story::{Reply, Story, rest};
use wagate_domain::model::DeliveryOutcome;
use wagate_webhooks::WorkerSettings;

const SECOND: Duration = Duration::from_secs(1);
const DELIVERED: DeliveryOutcome = DeliveryOutcome::Delivered;
const RETURNED: DeliveryOutcome = DeliveryOutcome::Returned;

fn hang(count: usize) -> impl Iterator<Item = Reply> {
    std::iter::repeat_n(Reply::Hangs(200), count)
}

#[tokio::test]
async fn a_stopping_worker_lets_posts_end_and_begins_none() {
    let mut story = Story::new().await;
    let (one, two) = (story.endpoint("one").await, story.endpoint("two").await);
    story.client.script("one", hang(1));
    let sent = story.record(&one, "chat", "{}").await;
    story.record(&one, "chat", "{}").await;
    story.posted().await;
    let stopped = story.begin_stop();
    rest().await;
    story.record(&two, "chat", "{}").await;
    story.receive(&two, 1).await;
    assert_eq!(
        story.settled().await.1,
        RETURNED,
        "it came the short way, too late"
    );
    story.client.let_go(1);
    stopped.await.unwrap();
    assert_eq!(story.settled().await, (sent.delivery, DELIVERED));
    assert_eq!(story.settled().await.1, RETURNED, "the next of the conversation");
    assert_eq!((story.client.posts("one"), story.client.posts("two")), (1, 0));
    assert_eq!(story.store.pending_deliveries(), 3, "left to the next start");
    assert_eq!(story.take_due().await, 3);
}

#[tokio::test]
async fn a_stopping_worker_gives_back_what_waits_for_its_turn() {
    let settings = WorkerSettings {
        concurrency: 8,
        per_endpoint: 2,
        ..WorkerSettings::default()
    };
    let mut story = Story::with(settings).await;
    let endpoint = story.endpoint("one").await;
    story.client.script("one", hang(3));
    story.record(&endpoint, "first", "{}").await;
    story.posted().await;
    rest().await;
    // Two are reserved, one has to wait for its turn.
    let sent = story.record_lanes(&endpoint, 2).await;
    story.posted().await;
    rest().await;
    let stopped = story.begin_stop();
    assert_eq!(story.settled().await, (sent[1].delivery, RETURNED));
    story.client.let_go(2);
    stopped.await.unwrap();
    assert_eq!(story.settled_times(2).await, [DELIVERED, DELIVERED]);
    assert_eq!(story.take_due().await, 1);
}

#[tokio::test]
async fn a_worker_that_cannot_wait_any_longer_stops() {
    let settings = WorkerSettings {
        timeout: Duration::from_hours(24),
        ..WorkerSettings::default()
    };
    let mut story = Story::with(settings).await;
    let endpoint = story.endpoint("one").await;
    story.client.script("one", hang(1));
    story.record(&endpoint, "chat", "{}").await;
    story.posted().await;
    let stopped = story.begin_stop();
    rest().await;
    story.advance(9 * SECOND);
    rest().await;
    assert!(!stopped.is_finished());
    story.advance(SECOND);
    stopped.await.unwrap();
    assert_eq!(story.store.pending_deliveries(), 1);
}

#[tokio::test]
async fn what_a_worker_left_behind_is_made_when_its_lease_runs_out() {
    let mut story = Story::new().await;
    let endpoint = story.endpoint("one").await;
    story.client.script("one", hang(1));
    let sent = story.record(&endpoint, "chat", "{}").await;
    story.posted().await;
    story.kill().await;
    story.restart();
    rest().await;
    story.advance(119 * SECOND);
    rest().await;
    assert_eq!(story.client.posts("one"), 1, "not before the lease ends");
    story.advance(SECOND);
    assert_eq!(story.settled().await, (sent.delivery, DELIVERED));
    story.stop().await;
}

#[tokio::test]
async fn while_nothing_can_be_stored_no_more_is_posted_and_nothing_is_lost() {
    let settings = WorkerSettings {
        concurrency: 6,
        ..WorkerSettings::default()
    };
    let mut story = Story::with(settings).await;
    let endpoint = story.endpoint("one").await;
    story.client.script("one", hang(24));
    story.record_lanes(&endpoint, 4).await;
    story.posted_times(4).await;
    for chat in 0..20 {
        story.receive(&endpoint, chat).await;
    }
    story.posted_times(2).await;
    story.store.go_down();
    story.client.let_go(24);
    for _ in 0..5 {
        story.refused_settle().await;
        rest().await;
        story.advance(2 * SECOND);
    }
    rest().await;
    assert_eq!(story.client.posts("one"), 6, "as many as were under way");
    story.store.come_back();
    while story.store.pending_deliveries() > 0 {
        story.settled_in_time(SECOND).await;
    }
    assert_eq!(story.client.posts("one"), 24, "each once");
    story.stop().await;
}

#[tokio::test]
async fn what_is_reserved_waits_until_something_can_be_stored_again() {
    let settings = WorkerSettings {
        per_endpoint: 2,
        ..WorkerSettings::default()
    };
    let mut story = Story::with(settings).await;
    let (first, other) = (story.endpoint("first").await, story.endpoint("other").await);
    story.client.script("first", hang(1));
    story.client.script("other", hang(2));
    story.record(&first, "chat", "{}").await;
    story.posted().await;
    story.record(&other, "chat", "{}").await;
    story.posted().await;
    rest().await;
    // Both are reserved, one has to wait for its turn.
    story.record_lanes(&other, 2).await;
    story.posted().await;
    rest().await;
    story.store.go_down();
    story.client.let_go(1);
    story.refused_settle().await;
    rest().await;
    story.client.let_go(2);
    rest().await;
    assert_eq!((story.client.under_way(), story.client.posts("other")), (0, 2));
    story.store.come_back();
    while story.store.pending_deliveries() > 0 {
        assert_eq!(story.settled_in_time(SECOND).await.1, DELIVERED);
    }
    assert_eq!(story.client.posts("other"), 3);
    story.stop().await;
}

#[tokio::test]
async fn what_a_receiver_has_is_not_forgotten_in_a_long_outage_of_the_database() {
    let mut story = Story::new().await;
    let endpoint = story.endpoint("one").await;
    story.client.script("one", [Reply::Hangs(200), Reply::Hangs(503)]);
    let sent = story.record_lanes(&endpoint, 2).await;
    story.posted_times(2).await;
    story.store.go_down();
    story.client.let_go(2);
    for _ in 0..100 {
        rest().await;
        story.advance(5 * SECOND);
    }
    story.store.come_back();
    let mut outcomes = [
        story.settled_in_time(SECOND).await,
        story.settled_in_time(SECOND).await,
    ];
    outcomes.sort_by_key(|(id, _)| *id);
    assert_eq!(
        outcomes,
        [(sent[0].delivery, DELIVERED), (sent[1].delivery, DELIVERED)]
    );
    assert_eq!(story.client.posts("one"), 3, "only what had failed is made again");
    story.stop().await;
}

#[tokio::test]
async fn a_stopping_worker_does_not_wait_for_a_database_that_is_away() {
    let mut story = Story::new().await;
    let endpoint = story.endpoint("one").await;
    story.client.script("one", hang(1));
    let sent = story.record(&endpoint, "chat", "{}").await;
    story.posted().await;
    story.store.go_down();
    story.client.let_go(1);
    story.refused_settle().await;
    let stopped = story.begin_stop();
    for _ in 0..4 {
        rest().await;
        story.advance(SECOND);
    }
    stopped.await.unwrap();
    story.store.come_back();
    story.restart();
    rest().await;
    story.advance(120 * SECOND);
    assert_eq!(story.settled().await, (sent.delivery, DELIVERED));
    story.stop().await;
}
