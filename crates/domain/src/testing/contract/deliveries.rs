//! The contract of [`DeliveryQueue`](crate::ports::DeliveryQueue).

use std::time::Duration;

use super::{Storage, batch, device, event, race, record, t, webhook};
use crate::model::{Delivery, DeliveryId, DeliveryOutcome, Timestamp, Webhook};
use crate::ports::EventBatch;

const LEASE: Duration = Duration::from_secs(30);
const DELIVERED: DeliveryOutcome = DeliveryOutcome::Delivered { status: 204 };

fn retry(at: Timestamp) -> DeliveryOutcome {
    DeliveryOutcome::Retry {
        at,
        error: "answered 500".into(),
    }
}

fn dead() -> DeliveryOutcome {
    DeliveryOutcome::Dead {
        error: "answered 410".into(),
    }
}

async fn reserve(store: &Storage, now: Timestamp) -> Vec<DeliveryId> {
    let reserved = store.deliveries.reserve(now, LEASE, 100).await.unwrap();
    reserved.iter().map(|delivery| delivery.id).collect()
}

/// The worker needs nothing else.
pub async fn a_reservation_has_all_that_is_sent(store: &Storage) {
    let device = device(store, "one").await;
    let webhook = webhook(store, &device).await;
    assert_eq!(store.deliveries.next_due().await.unwrap(), None);
    let mut new = event(Some("a"), &[&webhook]);
    new.recorded_at = t(5);
    record(store, &device, vec![new.clone()]).await;
    assert_eq!(store.deliveries.next_due().await.unwrap(), Some(t(5)));
    assert!(reserve(store, t(4)).await.is_empty(), "not due yet");
    let want = Delivery {
        id: new.deliveries[0].id,
        event: new.id,
        webhook: webhook.id,
        device: device.id,
        url: webhook.url,
        secret: webhook.secret,
        body: new.deliveries[0].body.clone(),
        attempts: 0,
        created_at: t(5),
    };
    assert_eq!(store.deliveries.reserve(t(5), LEASE, 10).await.unwrap(), [want]);
}

/// A worker that dies gives its deliveries back.
pub async fn a_reservation_hides_until_its_lease_runs_out(store: &Storage) {
    let device = device(store, "one").await;
    let webhook = webhook(store, &device).await;
    let ids = record(store, &device, vec![event(None, &[&webhook])]).await;
    assert_eq!(reserve(store, t(0)).await, ids);
    assert_eq!(store.deliveries.next_due().await.unwrap(), Some(t(30_000)));
    assert!(reserve(store, t(29_999)).await.is_empty());
    let again = store.deliveries.reserve(t(30_000), LEASE, 10).await.unwrap();
    assert_eq!(
        again
            .iter()
            .map(|delivery| (delivery.id, delivery.attempts))
            .collect::<Vec<_>>(),
        [(ids[0], 0)]
    );
    store
        .deliveries
        .settle(ids[0], DELIVERED, t(30_001))
        .await
        .unwrap();
    assert_eq!(store.deliveries.next_due().await.unwrap(), None);
    assert!(reserve(store, t(1_000_000)).await.is_empty());
}

/// In order, one at a time, over several batches.
pub async fn of_one_endpoint_only_the_oldest_is_handed_out(store: &Storage) {
    let device = device(store, "one").await;
    let webhook = webhook(store, &device).await;
    let mut ids = record(
        store,
        &device,
        vec![event(None, &[&webhook]), event(None, &[&webhook])],
    )
    .await;
    ids.extend(record(store, &device, vec![event(None, &[&webhook])]).await);
    for (step, id) in ids.iter().enumerate() {
        let now = t(i64::try_from(step).unwrap());
        assert_eq!(reserve(store, now).await, [*id]);
        assert!(reserve(store, now).await.is_empty());
        store.deliveries.settle(*id, DELIVERED, now).await.unwrap();
    }
    assert_eq!(store.deliveries.next_due().await.unwrap(), None);
    let late = record(store, &device, vec![event(None, &[&webhook])]).await;
    assert_eq!(reserve(store, t(9)).await, late);
}

/// A slow endpoint holds up nobody else, and the limit takes the oldest.
pub async fn endpoints_do_not_wait_for_each_other(store: &Storage) {
    let mut ids = Vec::new();
    let mut webhooks: Vec<Webhook> = Vec::new();
    for token in ["one", "two", "three"] {
        let device = device(store, token).await;
        let webhook = webhook(store, &device).await;
        ids.push(
            record(
                store,
                &device,
                vec![event(None, &[&webhook]), event(None, &[&webhook])],
            )
            .await,
        );
        webhooks.push(webhook);
    }
    let some = store.deliveries.reserve(t(0), LEASE, 2).await.unwrap();
    assert_eq!(
        some.iter().map(|delivery| delivery.webhook).collect::<Vec<_>>(),
        [webhooks[0].id, webhooks[1].id]
    );
    assert!(store.deliveries.reserve(t(0), LEASE, 0).await.unwrap().is_empty());
    store
        .deliveries
        .settle(ids[0][0], retry(t(60_000)), t(0))
        .await
        .unwrap();
    store.deliveries.settle(ids[1][0], DELIVERED, t(0)).await.unwrap();
    assert_eq!(reserve(store, t(0)).await, [ids[1][1], ids[2][0]]);
}

/// Later events wait for the one that is to be tried again.
pub async fn a_retry_is_not_overtaken(store: &Storage) {
    let device = device(store, "one").await;
    let webhook = webhook(store, &device).await;
    let ids = record(
        store,
        &device,
        vec![event(None, &[&webhook]), event(None, &[&webhook])],
    )
    .await;
    for attempt in 0..3_u32 {
        let now = t(i64::from(attempt) * 10_000);
        let reserved = store.deliveries.reserve(now, LEASE, 10).await.unwrap();
        let first = reserved
            .iter()
            .map(|delivery| (delivery.id, delivery.attempts))
            .collect::<Vec<_>>();
        assert_eq!(first, [(ids[0], attempt)]);
        let next = t(i64::from(attempt + 1) * 10_000);
        store.deliveries.settle(ids[0], retry(next), now).await.unwrap();
        assert_eq!(store.deliveries.next_due().await.unwrap(), Some(next));
        assert!(reserve(store, Timestamp(next.0 - 1)).await.is_empty());
        record(store, &device, vec![event(None, &[&webhook])]).await;
        assert_eq!(store.deliveries.next_due().await.unwrap(), Some(next));
    }
    assert_eq!(reserve(store, t(30_000)).await, [ids[0]]);
    store
        .deliveries
        .settle(ids[0], DELIVERED, t(30_000))
        .await
        .unwrap();
    assert_eq!(reserve(store, t(30_000)).await, [ids[1]]);
}

/// A poisoned delivery does not block what is behind it.
pub async fn a_dead_delivery_lets_the_next_go(store: &Storage) {
    let device = device(store, "one").await;
    let webhook = webhook(store, &device).await;
    let ids = record(
        store,
        &device,
        vec![event(None, &[&webhook]), event(None, &[&webhook])],
    )
    .await;
    assert_eq!(reserve(store, t(0)).await, [ids[0]]);
    store.deliveries.settle(ids[0], dead(), t(1)).await.unwrap();
    assert_eq!(store.deliveries.next_due().await.unwrap(), Some(t(1)));
    assert_eq!(reserve(store, t(1)).await, [ids[1]]);
    store.deliveries.settle(ids[1], dead(), t(2)).await.unwrap();
    assert_eq!(store.deliveries.next_due().await.unwrap(), None);
}

/// A worker that comes too late changes nothing, nor does one that made up the id.
pub async fn what_is_settled_stays_settled(store: &Storage) {
    let device = device(store, "one").await;
    let webhook = webhook(store, &device).await;
    let ids = record(
        store,
        &device,
        vec![event(None, &[&webhook]), event(None, &[&webhook])],
    )
    .await;
    assert_eq!(reserve(store, t(0)).await, [ids[0]]);
    store.deliveries.settle(ids[0], DELIVERED, t(0)).await.unwrap();
    assert_eq!(reserve(store, t(0)).await, [ids[1]]);
    let unknown = event(None, &[&webhook]).deliveries[0].id;
    for (late, id) in [
        (retry(t(0)), ids[0]),
        (dead(), ids[0]),
        (DELIVERED, ids[0]),
        (retry(t(0)), unknown),
    ] {
        store.deliveries.settle(id, late, t(1)).await.unwrap();
        assert_eq!(
            store.deliveries.next_due().await.unwrap(),
            Some(t(30_000)),
            "the second is leased"
        );
        assert!(reserve(store, t(1)).await.is_empty());
    }
}

/// Every delivery goes to one worker.
pub async fn racing_workers_share_nothing(store: &Storage) {
    for number in 0..20 {
        let device = device(store, &format!("d{number}")).await;
        let webhook = webhook(store, &device).await;
        record(
            store,
            &device,
            vec![event(None, &[&webhook]), event(None, &[&webhook])],
        )
        .await;
    }
    let taken = race(|_| {
        let store = store.clone();
        async move { store.deliveries.reserve(t(0), LEASE, 4).await.unwrap() }
    })
    .await;
    let mut ids: Vec<DeliveryId> = taken.iter().flatten().map(|delivery| delivery.id).collect();
    assert_eq!(ids.len(), 20);
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 20);
    assert!(taken.iter().all(|some| some.len() <= 4));
}

/// The address is the one of the moment, the body the one of the event.
pub async fn deliveries_follow_the_new_address(store: &Storage) {
    let device = device(store, "one").await;
    let old = webhook(store, &device).await;
    record(store, &device, vec![event(None, &[&old])]).await;
    store
        .webhooks
        .put(Webhook {
            url: "https://example.com/moved".into(),
            ..old
        })
        .await
        .unwrap();
    let reserved = store.deliveries.reserve(t(0), LEASE, 10).await.unwrap();
    assert_eq!(reserved[0].url, "https://example.com/moved");
}

/// An endpoint may be removed while an event is rendered for it: the event counts, the delivery does not.
pub async fn endpoints_that_are_gone_get_nothing(store: &Storage) {
    let device = device(store, "one").await;
    let gone = webhook(store, &device).await;
    store.webhooks.delete(device.id).await.unwrap();
    let here = webhook(store, &device).await;
    let new = event(Some("a"), &[&gone, &here]);
    let want = new.deliveries[1].id;
    assert_eq!(
        store
            .events
            .record(EventBatch {
                events: vec![new],
                ..batch(&device)
            })
            .await
            .unwrap()
            .len(),
        1
    );
    assert_eq!(reserve(store, t(0)).await, [want]);
    store.deliveries.settle(want, DELIVERED, t(0)).await.unwrap();
    assert_eq!(store.deliveries.next_due().await.unwrap(), None);
}
