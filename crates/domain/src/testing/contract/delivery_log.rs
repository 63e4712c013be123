//! The contract of [`DeliveryLog`](crate::ports::DeliveryLog).

use std::time::Duration;

use bytes::Bytes;

use super::{Storage, device, event, event_in, record, t, webhook};
use crate::Error;
use crate::model::{
    Attempt, CursorQuery, DeliveryFilter, DeliveryId, DeliveryOutcome, DeliveryStanding, EndpointVerdict,
    EventKind, Replay, Replayed, Setback, Settlement, Timestamp, WebhookState,
};
use crate::ports::Reservation;

const LEASE: Duration = Duration::from_secs(30);

async fn reserve(store: &Storage, now: Timestamp) -> Vec<(DeliveryId, u32)> {
    let reservation = Reservation {
        now,
        lease: LEASE,
        limit: 100,
        per_webhook: 100,
        busy: Vec::new(),
    };
    let reserved = store.deliveries.reserve(reservation).await.unwrap();
    reserved
        .iter()
        .map(|delivery| (delivery.id, delivery.attempts))
        .collect()
}

async fn settle(
    store: &Storage,
    id: DeliveryId,
    outcome: DeliveryOutcome,
    attempt: Option<Attempt>,
    now: Timestamp,
) {
    let settlement = Settlement { id, outcome, attempt };
    store
        .deliveries
        .settle(vec![settlement], now, LEASE)
        .await
        .unwrap();
}

fn attempt(at: i64, status: Option<u16>) -> Attempt {
    Attempt {
        at: t(at),
        took: Duration::from_millis(7),
        status,
        error: status.is_none().then(|| "timed out".into()),
        request_head: format!("POST / HTTP/1.1\r\nwebhook-timestamp: {at}\r\n"),
        response_head: "HTTP/1.1 500\r\n".into(),
        response_body: Bytes::from_static(b"oh \xff no"),
    }
}

fn dead() -> DeliveryOutcome {
    DeliveryOutcome::Dead {
        error: "every try failed".into(),
        endpoint: EndpointVerdict::Sound,
    }
}

fn retry(at: i64) -> DeliveryOutcome {
    DeliveryOutcome::Retry {
        at: t(at),
        setback: Setback::Absent,
        error: "timed out".into(),
    }
}

async fn listed(
    store: &Storage,
    filter: DeliveryFilter,
    after: Option<DeliveryId>,
    limit: u32,
) -> Vec<DeliveryId> {
    let page = store
        .delivery_log
        .list(&filter, CursorQuery::new(after, limit))
        .await
        .unwrap();
    page.items.iter().map(|delivery| delivery.id).collect()
}

/// What was delivered is nobody's care any more.
pub async fn what_waits_and_what_was_given_up_is_counted(store: &Storage) {
    let counts = async || {
        let counts = store.delivery_log.counts().await.unwrap();
        (counts.pending, counts.dead)
    };
    assert_eq!(counts().await, (0, 0));
    let device = device(store, "one").await;
    let webhook = webhook(store, &device).await;
    let lanes = ["a", "b", "c", "d"].map(|lane| event_in(lane, &[&webhook]));
    let made = record(store, &device, lanes.into()).await;
    assert_eq!(counts().await, (4, 0));
    reserve(store, t(0)).await;
    settle(store, made[0], DeliveryOutcome::Delivered, None, t(0)).await;
    settle(store, made[1], dead(), None, t(0)).await;
    settle(store, made[2], retry(50), None, t(0)).await;
    assert_eq!(counts().await, (2, 1));
    store.delivery_log.replay(made[1], t(10)).await.unwrap();
    assert_eq!(counts().await, (3, 0));
}

/// What happened is there to be read, try by try.
pub async fn every_try_is_kept(store: &Storage) {
    let device = device(store, "one").await;
    let webhook = webhook(store, &device).await;
    let mut new = event(None, &[&webhook]);
    new.kind = EventKind::Call;
    let made = record(store, &device, vec![new.clone()]).await;
    let queued = store.delivery_log.get(made[0]).await.unwrap().unwrap();
    assert_eq!(
        (queued.standing, queued.attempts, queued.due_at, queued.settled_at),
        (DeliveryStanding::Pending, 0, Some(t(0)), None)
    );
    assert_eq!(
        (queued.event, queued.kind, queued.webhook),
        (new.id, EventKind::Call, webhook.id)
    );
    assert_eq!((queued.device, queued.created_at), (device.id, t(0)));
    assert_eq!(queued.body, new.deliveries[0].body);
    assert_eq!(store.delivery_log.attempts(made[0]).await.unwrap(), []);

    let tries = [attempt(0, None), attempt(10, Some(500)), attempt(20, Some(204))];
    for (number, one) in tries.iter().enumerate() {
        let now = t(i64::try_from(number).unwrap() * 10);
        assert_eq!(
            reserve(store, now).await,
            [(made[0], u32::try_from(number).unwrap())]
        );
        let outcome = if number == 2 {
            DeliveryOutcome::Delivered
        } else {
            retry(now.0 - t(0).0 + 10)
        };
        settle(store, made[0], outcome, Some(one.clone()), now).await;
        let seen = store.delivery_log.get(made[0]).await.unwrap().unwrap();
        assert_eq!(seen.error.is_some(), number < 2);
    }
    assert_eq!(store.delivery_log.attempts(made[0]).await.unwrap(), tries);
    let over = store.delivery_log.get(made[0]).await.unwrap().unwrap();
    assert_eq!(
        (over.standing, over.attempts, over.due_at, over.settled_at),
        (DeliveryStanding::Delivered, 3, None, Some(t(20)))
    );
    let unknown = event(None, &[&webhook]).deliveries[0].id;
    assert_eq!(store.delivery_log.get(unknown).await.unwrap(), None);
    assert_eq!(store.delivery_log.attempts(unknown).await.unwrap(), []);
}

/// The newest is what somebody looks for.
pub async fn deliveries_are_listed_newest_first(store: &Storage) {
    let (one, two) = (device(store, "one").await, device(store, "two").await);
    let (first, second) = (webhook(store, &one).await, webhook(store, &two).await);
    let events = vec![event_in("a", &[&first, &second]), event_in("b", &[&first])];
    let event = events[0].id;
    let made = record(store, &one, events).await;
    let other = record(store, &two, vec![event_in("a", &[&second])]).await;
    reserve(store, t(0)).await;
    settle(store, made[2], dead(), None, t(1)).await;
    settle(store, made[0], DeliveryOutcome::Delivered, None, t(1)).await;
    let all = DeliveryFilter::default();
    let newest = [other[0], made[2], made[1], made[0]];
    assert_eq!(listed(store, all.clone(), None, 9).await, newest);
    assert_eq!(listed(store, all.clone(), None, 3).await, newest[..3]);
    assert_eq!(listed(store, all.clone(), Some(newest[1]), 1).await, newest[2..3]);
    assert_eq!(listed(store, all.clone(), Some(newest[3]), 9).await, []);
    let page = store
        .delivery_log
        .list(&all, CursorQuery::new(None, 4))
        .await
        .unwrap();
    assert_eq!(page.next, None, "all are on this page");
    let page = store
        .delivery_log
        .list(&all, CursorQuery::new(None, 3))
        .await
        .unwrap();
    assert_eq!(page.next, Some(newest[2]));
    let only = DeliveryFilter::default;
    for (filter, want) in [
        (
            DeliveryFilter {
                webhook: Some(second.id),
                ..only()
            },
            vec![other[0], made[1]],
        ),
        (
            DeliveryFilter {
                event: Some(event),
                ..only()
            },
            vec![made[1], made[0]],
        ),
        (
            DeliveryFilter {
                device: Some(one.id),
                ..only()
            },
            vec![made[2], made[1], made[0]],
        ),
        (
            DeliveryFilter {
                standing: Some(DeliveryStanding::Dead),
                ..only()
            },
            vec![made[2]],
        ),
        (
            DeliveryFilter {
                standing: Some(DeliveryStanding::Delivered),
                ..only()
            },
            vec![made[0]],
        ),
        (
            DeliveryFilter {
                standing: Some(DeliveryStanding::Pending),
                webhook: Some(first.id),
                ..only()
            },
            vec![],
        ),
    ] {
        assert_eq!(listed(store, filter, None, 9).await, want);
    }
}

/// What was given up starts over when somebody asks, beside what its lane does now.
pub async fn a_delivery_is_made_again_on_demand(store: &Storage) {
    let device = device(store, "one").await;
    let webhook = webhook(store, &device).await;
    let made = record(
        store,
        &device,
        vec![event(None, &[&webhook]), event(None, &[&webhook])],
    )
    .await;
    reserve(store, t(0)).await;
    settle(store, made[0], dead(), Some(attempt(0, Some(500))), t(0)).await;
    store.delivery_log.replay(made[0], t(50)).await.unwrap();
    assert_eq!(
        reserve(store, t(50)).await,
        [(made[0], 0)],
        "its tries count anew"
    );
    settle(store, made[0], retry(60), Some(attempt(50, Some(500))), t(50)).await;
    let stored = store.delivery_log.get(made[0]).await.unwrap().unwrap();
    assert_eq!((stored.standing, stored.attempts), (DeliveryStanding::Pending, 2));
    store.delivery_log.replay(made[0], t(51)).await.unwrap();
    assert_eq!(
        reserve(store, t(51)).await,
        [(made[0], 1)],
        "one that waits is tried now"
    );
    store.delivery_log.replay(made[0], t(52)).await.unwrap();
    assert_eq!(
        reserve(store, t(52)).await,
        [],
        "one that is under way is left alone"
    );
    settle(
        store,
        made[0],
        DeliveryOutcome::Delivered,
        Some(attempt(52, Some(200))),
        t(52),
    )
    .await;
    assert_eq!(store.delivery_log.attempts(made[0]).await.unwrap().len(), 3);
    let unknown = event(None, &[&webhook]).deliveries[0].id;
    let missed = store.delivery_log.replay(unknown, t(0)).await;
    assert!(
        matches!(missed, Err(Error::NotFound { what: "delivery", .. })),
        "{missed:?}"
    );
}

/// A stretch of time, of one endpoint and one standing.
pub async fn many_deliveries_are_made_again(store: &Storage) {
    let (one, two) = (device(store, "one").await, device(store, "two").await);
    let (first, second) = (webhook(store, &one).await, webhook(store, &two).await);
    let mut made = Vec::new();
    for number in 0..4 {
        let mut new = event_in(&format!("{number}"), &[&first, &second]);
        new.recorded_at = t(number * 10);
        made.push(record(store, &one, vec![new]).await);
    }
    reserve(store, t(99)).await;
    for (number, ids) in made.iter().enumerate() {
        let outcome = if number == 2 {
            DeliveryOutcome::Delivered
        } else {
            dead()
        };
        settle(store, ids[0], outcome, None, t(99)).await;
        settle(store, ids[1], dead(), None, t(99)).await;
    }
    let which = |since, until, standing| Replay {
        since: t(since),
        until: t(until),
        standing,
    };
    let replay = |which| store.delivery_log.replay_many(first.id, which, t(100));
    assert_eq!(replay(which(0, 30, DeliveryStanding::Dead)).await.unwrap(), 2);
    assert_eq!(replay(which(0, 30, DeliveryStanding::Dead)).await.unwrap(), 0);
    assert_eq!(replay(which(0, 99, DeliveryStanding::Pending)).await.unwrap(), 0);
    assert_eq!(reserve(store, t(100)).await, [(made[0][0], 0), (made[1][0], 0)]);
    assert_eq!(
        replay(which(0, 99, DeliveryStanding::Delivered)).await.unwrap(),
        1
    );
    assert_eq!(reserve(store, t(100)).await, [(made[2][0], 0)]);
}

/// Asking again does not overrule a pause.
pub async fn what_is_asked_for_again_waits_for_its_endpoint(store: &Storage) {
    let device = device(store, "one").await;
    let mut webhook = webhook(store, &device).await;
    let made = record(store, &device, vec![event(None, &[&webhook])]).await;
    reserve(store, t(0)).await;
    settle(store, made[0], dead(), None, t(0)).await;
    webhook.state = WebhookState::Paused;
    store.webhooks.update(&webhook, t(1)).await.unwrap();
    store.delivery_log.replay(made[0], t(2)).await.unwrap();
    assert_eq!(reserve(store, t(3)).await, []);
    webhook.state = WebhookState::Active;
    store.webhooks.update(&webhook, t(4)).await.unwrap();
    assert_eq!(reserve(store, t(4)).await, [(made[0], 0)]);
}

/// What nobody has tried stands again as before; what was begun goes on.
pub async fn a_replay_is_followed_and_undone(store: &Storage) {
    let device = device(store, "one").await;
    let webhook = webhook(store, &device).await;
    let mut made = Vec::new();
    for number in 0..4 {
        let new = event_in(&format!("{number}"), &[&webhook]);
        made.push(record(store, &device, vec![new]).await[0]);
    }
    reserve(store, t(10)).await;
    for id in &made {
        settle(store, *id, dead(), None, t(10)).await;
    }
    let which = Replay {
        since: t(0),
        until: t(10),
        standing: DeliveryStanding::Dead,
    };
    let log = &store.delivery_log;
    assert_eq!(log.replay_many(webhook.id, which, t(20)).await.unwrap(), 4);
    // Of another conversation, and queued at the same moment.
    let mut new = event_in("new", &[&webhook]);
    new.recorded_at = t(20);
    record(store, &device, vec![new]).await;
    let replayed = Replayed {
        webhook: webhook.id,
        standing: DeliveryStanding::Dead,
        at: t(20),
    };
    assert_eq!(log.replays_pending(replayed).await.unwrap(), 4);
    let two = Reservation {
        now: t(20),
        lease: LEASE,
        limit: 2,
        per_webhook: 2,
        busy: Vec::new(),
    };
    let begun = store.deliveries.reserve(two).await.unwrap();
    let begun: Vec<DeliveryId> = begun.iter().map(|delivery| delivery.id).collect();
    assert_eq!(begun, made[..2]);
    settle(store, made[0], retry(900), Some(attempt(20, None)), t(20)).await;
    assert_eq!(log.undo_replay(replayed, t(30)).await.unwrap(), 2);
    assert_eq!(log.undo_replay(replayed, t(30)).await.unwrap(), 0);
    assert_eq!(
        log.replays_pending(replayed).await.unwrap(),
        2,
        "one waits, one is being tried"
    );
    for id in &made[2..] {
        let undone = log.get(*id).await.unwrap().unwrap();
        assert_eq!(undone.standing, DeliveryStanding::Dead);
        assert_eq!((undone.due_at, undone.settled_at), (None, Some(t(30))));
        assert!(undone.error.is_some(), "why it was given up is still told");
    }
    settle(store, made[1], DeliveryOutcome::Delivered, None, t(30)).await;
    assert_eq!(log.replays_pending(replayed).await.unwrap(), 1);
    assert_eq!(
        log.replay_many(webhook.id, which, t(40)).await.unwrap(),
        2,
        "undone, not lost"
    );
}
