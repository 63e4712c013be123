//! Stories of how much is under way at once, and for whom.

use std::collections::HashSet;
use std::time::Duration;

use crate::story::{Reply, Story, rest};
use wagate_domain::model::DeliveryOutcome;
use wagate_domain::ports::Clock;
use wagate_webhooks::WorkerSettings;

const SECOND: Duration = Duration::from_secs(1);
const DELIVERED: DeliveryOutcome = DeliveryOutcome::Delivered;
const RETURNED: DeliveryOutcome = DeliveryOutcome::Returned;

fn hang(count: usize) -> impl Iterator<Item = Reply> {
    std::iter::repeat_n(Reply::Hangs(200), count)
}

fn at_once(concurrency: usize, per_endpoint: usize) -> WorkerSettings {
    WorkerSettings {
        concurrency,
        per_endpoint,
        ..WorkerSettings::default()
    }
}

#[tokio::test]
async fn conversations_of_one_endpoint_do_not_wait_for_each_other() {
    let mut story = Story::new().await;
    let endpoint = story.endpoint("one").await;
    story.client.script("one", hang(3));
    story.record_lanes(&endpoint, 3).await;
    story.posted_times(3).await;
    assert_eq!(story.client.under_way(), 3);
    story.client.let_go(3);
    assert_eq!(story.settled_times(3).await, [DELIVERED, DELIVERED, DELIVERED]);
    story.stop().await;
}

#[tokio::test]
async fn a_hanging_endpoint_is_cut_and_holds_nobody_up() {
    let mut story = Story::with(at_once(12, 4)).await;
    let (slow, quick) = (story.endpoint("slow").await, story.endpoint("quick").await);
    story.client.script("slow", hang(30));
    story.record_lanes(&slow, 30).await;
    story.posted_times(4).await;
    rest().await;
    for number in 0..100 {
        let sent = story.record(&quick, &number.to_string(), "{}").await;
        assert_eq!(story.settled().await, (sent.delivery, DELIVERED));
    }
    assert_eq!(story.client.posts("slow"), 4);
    let mut timed_out = 0;
    while timed_out < 4 {
        match story.settled_in_time(SECOND).await.1 {
            DeliveryOutcome::Retry { error, .. } => {
                assert_eq!(error, "timed out");
                timed_out += 1;
            }
            RETURNED => {}
            other => panic!("{other:?}"),
        }
    }
    rest().await;
    assert_eq!(story.client.most_at_once("slow"), 4);
    story.kill().await;
}

#[tokio::test]
async fn an_endpoint_that_fails_again_and_again_gets_one_at_a_time_until_it_takes_one() {
    let mut story = Story::with(at_once(32, 8)).await;
    let endpoint = story.endpoint("one").await;
    story
        .client
        .script("one", std::iter::repeat_n(Reply::Hangs(503), 8));
    story.client.script("one", hang(100));
    story.record_lanes(&endpoint, 20).await;
    story.posted_times(8).await;
    story.client.let_go(8);
    story.posted().await;
    rest().await;
    assert_eq!((story.client.under_way(), story.client.posts("one")), (1, 9));
    // Long enough for everything that failed to be due again, and for the outage to count as one.
    story.advance(12 * SECOND);
    rest().await;
    assert_eq!((story.client.under_way(), story.client.posts("one")), (1, 9));
    story.client.let_go(1);
    story.posted_times(8).await;
    rest().await;
    assert_eq!(story.client.under_way(), 8, "it takes something again");
    story.client.let_go(100);
    while story.store.pending_deliveries() > 0 {
        story.settled().await;
    }
    assert_eq!(
        story.client.posts("one"),
        28,
        "each once, and eight a second time"
    );
    assert_eq!(story.client.most_at_once("one"), 8);
    story.stop().await;
}

#[tokio::test]
async fn a_failing_endpoint_has_its_turn_beside_others() {
    let mut story = Story::with(at_once(32, 2)).await;
    let (bad, good) = (story.endpoint("bad").await, story.endpoint("good").await);
    story
        .client
        .script("bad", std::iter::repeat_n(Reply::Status(503), 5));
    story.record_lanes(&bad, 5).await;
    story.settled_times(5).await;
    rest().await;
    story.client.script("bad", hang(2));
    story.client.script("good", hang(3));
    story.record_lanes(&good, 3).await;
    story.posted_times(7).await;
    story.advance(7 * SECOND);
    story.posted().await;
    rest().await;
    assert_eq!((story.client.posts("bad"), story.client.posts("good")), (6, 2));
    assert_eq!(story.client.under_way(), 3);
    story.client.let_go(10);
    while story.store.pending_deliveries() > 0 {
        story.settled_in_time(SECOND).await;
    }
    story.stop().await;
}

#[tokio::test]
async fn only_so_many_posts_are_under_way_and_a_free_place_is_taken_at_once() {
    let mut story = Story::with(at_once(3, 8)).await;
    for number in 0..10 {
        let name = format!("e{number}");
        let endpoint = story.endpoint(&name).await;
        story.client.script(&name, hang(1));
        story.record(&endpoint, "chat", "{}").await;
    }
    story.posted_times(3).await;
    for _ in 0..7 {
        rest().await;
        assert_eq!(story.client.under_way(), 3);
        story.client.let_go(1);
        assert_eq!(story.settled().await.1, DELIVERED);
        story.posted().await;
    }
    story.client.let_go(3);
    story.settled_times(3).await;
    assert_eq!(story.store.pending_deliveries(), 0);
    story.stop().await;
}

#[tokio::test]
async fn what_was_recorded_a_moment_ago_is_delivered_without_asking_the_queue() {
    let mut story = Story::new().await;
    let endpoint = story.endpoint("one").await;
    rest().await;
    let asked = story.queue.reserves();
    for chat in 0..200 {
        // More than there are slots: each is free again after its delivery.
        story.receive(&endpoint, chat % 50).await;
        assert_eq!(story.settled().await.1, DELIVERED);
        rest().await;
    }
    assert_eq!(story.queue.reserves(), asked);
    assert_eq!(story.client.posts("one"), 200);
    story.stop().await;
}

#[tokio::test]
async fn a_conversation_goes_on_without_asking_the_queue() {
    let mut story = Story::new().await;
    let endpoint = story.endpoint("one").await;
    story.client.script("one", hang(1));
    let all = [("chat", &b"{}"[..]); 20];
    let sent = story.record_all(&endpoint, &all).await;
    story.posted().await;
    rest().await;
    let asked = story.queue.reserves();
    story.client.let_go(1);
    for sent in sent {
        assert_eq!(story.settled().await, (sent.delivery, DELIVERED));
    }
    assert_eq!(story.queue.reserves(), asked);
    story.stop().await;
}

#[tokio::test]
async fn what_comes_the_short_way_to_a_busy_endpoint_is_given_back_and_comes_later() {
    let mut story = Story::with(at_once(32, 1)).await;
    let (busy, free) = (story.endpoint("busy").await, story.endpoint("free").await);
    story.client.script("busy", hang(1));
    story.receive(&busy, 0).await;
    story.posted().await;
    // More than there are slots: those of what was given back are free at once.
    for chat in 1..=70 {
        story.receive(&busy, chat).await;
        assert_eq!(story.settled().await.1, RETURNED);
        rest().await;
    }
    story.receive(&free, 1).await;
    assert_eq!(story.settled().await.1, DELIVERED);
    assert_eq!(story.client.posts("busy"), 1);
    story.client.let_go(1);
    let mut made = HashSet::new();
    while story.store.pending_deliveries() > 0 {
        let (id, outcome) = story.settled().await;
        assert_eq!(outcome, DELIVERED);
        assert!(made.insert(id));
    }
    assert_eq!(story.client.most_at_once("busy"), 1);
    story.stop().await;
}

#[tokio::test]
async fn a_full_worker_lets_the_short_way_wait() {
    let mut story = Story::with(at_once(1, 1)).await;
    let (one, two) = (story.endpoint("one").await, story.endpoint("two").await);
    story.client.script("one", hang(1));
    story.receive(&one, 1).await;
    story.posted().await;
    story.receive(&two, 1).await;
    rest().await;
    assert!(!story.has_settled());
    story.client.let_go(1);
    assert_eq!(story.settled_times(2).await, [DELIVERED, DELIVERED]);
    story.stop().await;
}

#[tokio::test]
async fn what_lands_while_one_call_is_under_way_is_settled_by_the_next_one() {
    let mut story = Story::with(at_once(64, 64)).await;
    let endpoint = story.endpoint("one").await;
    story.queue.block(true);
    story.receive(&endpoint, 0).await;
    story.posted().await;
    rest().await;
    for chat in 1..=20 {
        story.receive(&endpoint, chat).await;
    }
    story.posted_times(20).await;
    rest().await;
    story.queue.block(false);
    assert_eq!(story.settled_times(21).await, vec![DELIVERED; 21]);
    assert_eq!(story.queue.batches(), [1, 20]);
    story.stop().await;
}

#[tokio::test]
async fn a_client_that_breaks_takes_no_place_with_it() {
    let mut story = Story::with(at_once(1, 1)).await;
    let endpoint = story.endpoint("one").await;
    story.client.script("one", [Reply::Panics]);
    let broken = story.record(&endpoint, "a", "{}").await;
    story.posted().await;
    let sent = story.record(&endpoint, "b", "{}").await;
    assert_eq!(story.settled().await, (sent.delivery, DELIVERED));
    while story.clock.now().since(wagate_domain::testing::FakeClock::START) < 120 * SECOND {
        assert!(!story.has_settled());
        story.advance(10 * SECOND);
        rest().await;
    }
    assert_eq!(story.settled().await, (broken.delivery, DELIVERED));
    story.stop().await;
}
