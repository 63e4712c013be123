//! Hearing how deliveries fare: a few at a time, and how many besides.

use std::time::Duration;

use futures_util::stream::{BoxStream, StreamExt};
use wagate_domain::Result;
use wagate_domain::gateway::{DeliveryChange, NewWebhook, ScopeRequest};
use wagate_domain::model::{
    DeliveryOutcome, DeliveryStanding, EventFilter, Setback, Settlement, WebhookFormat,
};
use wagate_domain::ports::{Clock, Reservation};
use wagate_domain::testing::FakeSession;

use crate::bench::{Bench, SHOP, token};

const LEASE: Duration = Duration::from_mins(1);
const GATHERED: Duration = Duration::from_millis(500);
/// Far longer than anything here takes.
const LIMIT: Duration = Duration::from_secs(20);

type Changes = BoxStream<'static, Result<DeliveryChange>>;

async fn endpoint(bench: &Bench) {
    let new = NewWebhook {
        url: "https://example.com/".into(),
        scope: ScopeRequest::Global,
        format: WebhookFormat::Standard,
        events: EventFilter::all(),
        headers: Vec::new(),
        secret: None,
    };
    bench.gateway.create_webhook(new).await.unwrap();
}

/// What happens `count` times to a device.
async fn happen(session: &FakeSession, count: usize) {
    for _ in 0..count {
        session.drop_connection().await;
    }
}

/// What is told of one round: it begins when the changes are there, and ends when the clock moves on.
async fn round(bench: &Bench, changes: &mut Changes, count: usize) -> Vec<DeliveryChange> {
    let mut told = Vec::new();
    let telling = async {
        while told.len() < count {
            told.push(changes.next().await.unwrap().unwrap());
        }
    };
    let moving = async {
        bench.clock.sleepers(1).await;
        bench.clock.advance(GATHERED);
    };
    tokio::time::timeout(LIMIT, async { tokio::join!(telling, moving) })
        .await
        .unwrap();
    told
}

/// Every delivery that is due gets this outcome.
async fn settle(bench: &Bench, outcome: DeliveryOutcome) {
    let queue = bench.gateway.delivery_queue();
    let now = bench.clock.now();
    let reservation = Reservation {
        now,
        lease: LEASE,
        limit: 100,
        per_webhook: 100,
        busy: Vec::new(),
    };
    let due = queue.reserve(reservation).await.unwrap();
    assert!(!due.is_empty());
    let settlements = due.iter().map(|delivery| Settlement {
        id: delivery.id,
        outcome: outcome.clone(),
        attempt: None,
    });
    queue.settle(settlements.collect(), now, LEASE).await.unwrap();
}

#[tokio::test]
async fn a_delivery_is_told_when_it_is_queued_tried_and_asked_for_again() {
    let bench = Bench::new();
    let session = bench.paired(SHOP).await;
    endpoint(&bench).await;
    let mut changes = bench.gateway.watch_deliveries(None).await.unwrap();
    happen(&session, 1).await;
    let queued = round(&bench, &mut changes, 1).await.remove(0);
    assert_eq!((queued.delivery.attempts, queued.others), (0, 0));
    let later = bench.clock.now() + Duration::from_secs(5);
    let retry = DeliveryOutcome::Retry {
        at: later,
        setback: Setback::Absent,
        error: "status 503".into(),
    };
    settle(&bench, retry).await;
    let tried = round(&bench, &mut changes, 1).await.remove(0).delivery;
    assert_eq!((tried.id, tried.attempts), (queued.delivery.id, 1));
    assert_eq!(tried.due_at, Some(later));
    bench.clock.advance(Duration::from_secs(5));
    settle(&bench, DeliveryOutcome::Delivered).await;
    let delivered = round(&bench, &mut changes, 1).await.remove(0).delivery;
    assert_eq!(delivered.standing, DeliveryStanding::Delivered);
    bench.gateway.replay_delivery(delivered.id).await.unwrap();
    let again = round(&bench, &mut changes, 1).await.remove(0).delivery;
    assert_eq!(
        (again.id, again.standing),
        (delivered.id, DeliveryStanding::Pending)
    );
}

#[tokio::test]
async fn of_many_changes_a_few_are_told_and_the_others_are_counted() {
    let bench = Bench::new();
    let session = bench.paired(SHOP).await;
    endpoint(&bench).await;
    let mut changes = bench.gateway.watch_deliveries(None).await.unwrap();
    happen(&session, 1_000).await;
    let told = round(&bench, &mut changes, 3).await;
    let others: Vec<u64> = told.iter().map(|change| change.others).collect();
    assert_eq!(others, [0, 0, 997]);
    let ids: Vec<_> = told.iter().map(|change| change.delivery.id).collect();
    assert!(ids.is_sorted(), "the latest, in their order: {ids:?}");
    happen(&session, 1).await;
    assert_eq!(round(&bench, &mut changes, 1).await[0].others, 0, "a new round");
}

#[tokio::test]
async fn one_device_hears_of_its_own_deliveries() {
    let bench = Bench::new();
    let (shop, other) = (bench.paired(SHOP).await, bench.paired("other").await);
    endpoint(&bench).await;
    let mut changes = bench.gateway.watch_deliveries(Some(&token(SHOP))).await.unwrap();
    happen(&shop, 1).await;
    happen(&other, 3).await;
    let told = round(&bench, &mut changes, 1).await;
    let own = bench
        .gateway
        .session_status(&token(SHOP))
        .await
        .unwrap()
        .device
        .id;
    assert_eq!(told[0].delivery.device, own);
    assert_eq!(
        bench
            .gateway
            .watch_deliveries(Some(&token("nobody")))
            .await
            .err()
            .unwrap()
            .code(),
        "device_not_found"
    );
}

#[tokio::test]
async fn whoever_comes_later_hears_nothing_of_before() {
    let bench = Bench::new();
    let session = bench.paired(SHOP).await;
    endpoint(&bench).await;
    happen(&session, 5).await;
    let mut changes = bench.gateway.watch_deliveries(None).await.unwrap();
    happen(&session, 1).await;
    let told = round(&bench, &mut changes, 1).await;
    assert_eq!(told[0].others, 0);
}
