//! Following what was asked for again, and stopping it without losing any.

use std::time::Duration;

use wagate_domain::gateway::{NewWebhook, ScopeRequest};
use wagate_domain::model::{
    CursorQuery, DeliveryFilter, DeliveryOutcome, DeliveryStanding, EndpointVerdict, EventFilter, Job,
    Replay, Setback, Settlement, Timestamp, WebhookFormat, WebhookId,
};
use wagate_domain::ports::{Clock, Reservation};

use crate::bench::{Bench, SHOP, until};
use crate::jobs::{beside, progress, stands};

const LEASE: Duration = Duration::from_mins(1);

/// An endpoint with as many deliveries that were given up.
async fn given_up(bench: &Bench, count: usize) -> WebhookId {
    let session = bench.paired(SHOP).await;
    let new = NewWebhook {
        url: "https://example.com/".into(),
        scope: ScopeRequest::Global,
        format: WebhookFormat::Standard,
        events: EventFilter::all(),
        headers: Vec::new(),
        secret: None,
    };
    let webhook = bench.gateway.create_webhook(new).await.unwrap().id;
    for _ in 0..count {
        session.drop_connection().await;
    }
    // Deliveries of one device and no conversation are one lane: one after the other.
    for _ in 0..count {
        settle(bench, 1, dead()).await;
    }
    webhook
}

fn dead() -> DeliveryOutcome {
    DeliveryOutcome::Dead {
        error: "status 500".into(),
        endpoint: EndpointVerdict::Sound,
    }
}

/// This many of those that are due get this outcome.
async fn settle(bench: &Bench, count: u32, outcome: DeliveryOutcome) {
    let queue = bench.gateway.delivery_queue();
    let now = bench.clock.now();
    let reservation = Reservation {
        now,
        lease: LEASE,
        limit: count,
        per_webhook: count,
        busy: Vec::new(),
    };
    let due = queue.reserve(reservation).await.unwrap();
    assert_eq!(due.len(), count as usize);
    let settlements = due.iter().map(|delivery| Settlement {
        id: delivery.id,
        outcome: outcome.clone(),
        attempt: None,
    });
    let settled = queue.settle(settlements.collect(), now, LEASE).await.unwrap();
    // The next of a lane comes reserved: given back, for whoever asks.
    let back = settled.next.iter().map(|delivery| Settlement {
        id: delivery.id,
        outcome: DeliveryOutcome::Returned,
        attempt: None,
    });
    queue.settle(back.collect(), now, LEASE).await.unwrap();
}

async fn replay(bench: &Bench, webhook: WebhookId) -> Job {
    bench.clock.advance(Duration::from_secs(1));
    let which = Replay {
        since: Timestamp(0),
        until: bench.clock.now(),
        standing: DeliveryStanding::Dead,
    };
    bench.gateway.replay_deliveries(webhook, which).await.unwrap()
}

async fn standings(bench: &Bench, standing: DeliveryStanding) -> usize {
    let filter = DeliveryFilter {
        standing: Some(standing),
        ..DeliveryFilter::default()
    };
    let query = CursorQuery::new(None, 200);
    let page = bench.gateway.list_deliveries(&filter, query).await.unwrap();
    page.items.len()
}

#[tokio::test]
async fn a_replay_counts_what_is_settled_again() {
    let bench = Bench::new();
    let webhook = given_up(&bench, 3).await;
    let job = replay(&bench, webhook).await;
    assert_eq!((job.state.as_str(), job.done, job.total), ("running", 0, 3));
    beside(&bench, async {
        // It listens, and looks again after a while.
        bench.clock.sleepers(1).await;
        settle(&bench, 1, DeliveryOutcome::Delivered).await;
        settle(&bench, 1, dead()).await;
        let counted = || {
            bench.clock.advance(Duration::from_millis(500));
            progress(&bench, job.id).1
        };
        until(|| counted() == 2).await;
        assert_eq!(progress(&bench, job.id), ("running", 2, 3));
        settle(&bench, 1, DeliveryOutcome::Delivered).await;
        until(|| counted() == 3).await;
        stands(&bench, job.id, "done").await;
    })
    .await;
    let again = replay(&bench, webhook).await;
    assert_eq!(again.total, 1, "the one that was given up again");
}

#[tokio::test]
async fn a_replay_that_is_cancelled_loses_nothing() {
    let bench = Bench::new();
    let webhook = given_up(&bench, 4).await;
    let job = replay(&bench, webhook).await;
    beside(&bench, async {
        bench.clock.sleepers(1).await;
        settle(&bench, 1, DeliveryOutcome::Delivered).await;
        let retry = DeliveryOutcome::Retry {
            at: bench.clock.now() + Duration::from_mins(5),
            setback: Setback::Absent,
            error: "status 503".into(),
        };
        settle(&bench, 1, retry).await;
        let cancelled = bench.gateway.cancel_job(job.id).await.unwrap();
        assert_eq!((cancelled.state.as_str(), cancelled.done), ("cancelled", 1));
    })
    .await;
    assert_eq!(standings(&bench, DeliveryStanding::Delivered).await, 1);
    assert_eq!(
        standings(&bench, DeliveryStanding::Pending).await,
        1,
        "it was begun, and goes on"
    );
    assert_eq!(
        standings(&bench, DeliveryStanding::Dead).await,
        2,
        "they can be asked for again"
    );
    assert_eq!(replay(&bench, webhook).await.total, 2);
}
