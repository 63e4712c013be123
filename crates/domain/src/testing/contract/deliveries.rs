//! The contract of [`DeliveryQueue`](crate::ports::DeliveryQueue).

use std::time::Duration;

use super::{Storage, batch, device, event, event_in, race, record, t, webhook};
use crate::model::{
    Delivery, DeliveryId, DeliveryOutcome, EndpointVerdict, Setback, Settlement, SigningSecret, Timestamp,
    Webhook, WebhookState,
};
use crate::ports::{EventBatch, Reservation, Settled};

const LEASE: Duration = Duration::from_secs(30);

fn retry(at: Timestamp, setback: Setback) -> DeliveryOutcome {
    DeliveryOutcome::Retry {
        at,
        setback,
        error: "not now".into(),
    }
}

fn absent(at: Timestamp) -> DeliveryOutcome {
    retry(at, Setback::Absent)
}

fn refused(at: Timestamp) -> DeliveryOutcome {
    retry(at, Setback::Refused)
}

fn dead(endpoint: EndpointVerdict) -> DeliveryOutcome {
    DeliveryOutcome::Dead {
        error: "never".into(),
        endpoint,
    }
}

fn due_at(now: Timestamp) -> Reservation {
    Reservation {
        now,
        lease: LEASE,
        limit: 100,
        per_webhook: 100,
        busy: Vec::new(),
    }
}

async fn reserve(store: &Storage, now: Timestamp) -> Vec<DeliveryId> {
    ids(&store.deliveries.reserve(due_at(now)).await.unwrap())
}

fn ids(deliveries: &[Delivery]) -> Vec<DeliveryId> {
    deliveries.iter().map(|delivery| delivery.id).collect()
}

async fn settle(store: &Storage, id: DeliveryId, outcome: DeliveryOutcome, now: Timestamp) -> Settled {
    let settlement = Settlement {
        id,
        outcome,
        attempt: None,
    };
    store
        .deliveries
        .settle(vec![settlement], now, LEASE)
        .await
        .unwrap()
}

async fn delivered(store: &Storage, id: DeliveryId, now: Timestamp) -> Vec<DeliveryId> {
    ids(&settle(store, id, DeliveryOutcome::Delivered, now).await.next)
}

async fn next_due(store: &Storage) -> Option<Timestamp> {
    store.deliveries.next_due(&[]).await.unwrap()
}

/// The worker needs nothing else.
pub async fn a_reservation_has_all_that_is_sent(store: &Storage) {
    let device = device(store, "one").await;
    let webhook = webhook(store, &device).await;
    assert_eq!(next_due(store).await, None);
    let mut new = event(Some("a"), &[&webhook]);
    new.recorded_at = t(5);
    record(store, &device, vec![new.clone()]).await;
    assert_eq!(next_due(store).await, Some(t(5)));
    assert!(reserve(store, t(4)).await.is_empty(), "not due yet");
    let want = Delivery {
        id: new.deliveries[0].id,
        event: new.id,
        webhook: webhook.id,
        device: device.id,
        url: webhook.url,
        headers: Vec::new(),
        secrets: vec![webhook.secret],
        body: new.deliveries[0].body.clone(),
        attempts: 0,
        queued_at: t(5),
    };
    assert_eq!(store.deliveries.reserve(due_at(t(5))).await.unwrap(), [want]);
}

/// A worker that dies gives its deliveries back.
pub async fn a_reservation_hides_until_its_lease_runs_out(store: &Storage) {
    let device = device(store, "one").await;
    let webhook = webhook(store, &device).await;
    let made = record(store, &device, vec![event(None, &[&webhook])]).await;
    assert_eq!(reserve(store, t(0)).await, made);
    assert_eq!(next_due(store).await, Some(t(30_000)));
    assert!(reserve(store, t(29_999)).await.is_empty());
    let again = store.deliveries.reserve(due_at(t(30_000))).await.unwrap();
    assert_eq!((again[0].id, again[0].attempts), (made[0], 0));
    assert_eq!(delivered(store, made[0], t(30_001)).await, []);
    assert_eq!(next_due(store).await, None);
    assert!(reserve(store, t(1_000_000)).await.is_empty());
}

/// A process that starts alone need not wait for leases to run out.
pub async fn a_new_process_takes_leases_back(store: &Storage) {
    let device = device(store, "one").await;
    let webhook = webhook(store, &device).await;
    let made = record(
        store,
        &device,
        ["a", "b", "c"].map(|lane| event_in(lane, &[&webhook])).into(),
    )
    .await;
    reserve(store, t(0)).await;
    settle(store, made[2], absent(t(90_000)), t(1)).await;
    assert_eq!(store.deliveries.recover(t(2)).await.unwrap(), 2);
    assert_eq!(
        reserve(store, t(2)).await,
        made[..2],
        "a retry waits for its time all the same"
    );
}

/// In order, one at a time, over several batches; what is next comes with the settling.
pub async fn of_one_lane_only_the_oldest_is_handed_out(store: &Storage) {
    let device = device(store, "one").await;
    let webhook = webhook(store, &device).await;
    let mut made = record(
        store,
        &device,
        vec![event(None, &[&webhook]), event(None, &[&webhook])],
    )
    .await;
    made.extend(record(store, &device, vec![event(None, &[&webhook])]).await);
    assert_eq!(reserve(store, t(0)).await, made[..1]);
    for (step, id) in made.iter().enumerate() {
        let now = t(i64::try_from(step).unwrap());
        assert!(reserve(store, now).await.is_empty());
        let next: Vec<_> = made.get(step + 1).copied().into_iter().collect();
        assert_eq!(delivered(store, *id, now).await, next);
    }
    assert_eq!(next_due(store).await, None);
    let late = record(store, &device, vec![event(None, &[&webhook])]).await;
    assert_eq!(reserve(store, t(9)).await, late);
}

/// Another conversation, another device and another endpoint each go their own way.
pub async fn lanes_do_not_wait_for_each_other(store: &Storage) {
    let (one, two) = (device(store, "one").await, device(store, "two").await);
    let (first, second) = (webhook(store, &one).await, webhook(store, &two).await);
    let of_one = record(
        store,
        &one,
        vec![event_in("a", &[&first, &second]), event_in("b", &[&first])],
    )
    .await;
    let of_two = record(
        store,
        &two,
        vec![event_in("a", &[&second]), event_in("a", &[&second])],
    )
    .await;
    let want = [of_one[0], of_one[1], of_one[2], of_two[0]];
    assert_eq!(reserve(store, t(0)).await, want);
    settle(store, of_one[0], absent(t(60_000)), t(0)).await;
    assert_eq!(delivered(store, of_two[0], t(0)).await, of_two[1..]);
}

/// One endpoint cannot take all there is, and one that has enough to do gets nothing.
pub async fn a_reservation_is_shared_out(store: &Storage) {
    let (one, two) = (device(store, "one").await, device(store, "two").await);
    let (first, second) = (webhook(store, &one).await, webhook(store, &two).await);
    let lanes = |webhook: &Webhook| (0..5).map(|n| event_in(&format!("{n}"), &[webhook])).collect();
    let of_one = record(store, &one, lanes(&first)).await;
    let of_two = record(store, &two, lanes(&second)).await;
    let some = |limit, per_webhook, busy| Reservation {
        limit,
        per_webhook,
        busy,
        ..due_at(t(0))
    };
    let reserve = |reservation| async { ids(&store.deliveries.reserve(reservation).await.unwrap()) };
    assert!(reserve(some(0, 2, vec![])).await.is_empty());
    assert_eq!(
        reserve(some(3, 2, vec![])).await,
        [of_one[0], of_one[1], of_two[0]]
    );
    assert_eq!(reserve(some(9, 1, vec![first.id])).await, of_two[1..2]);
    assert_eq!(store.deliveries.next_due(&[first.id]).await.unwrap(), Some(t(0)));
    assert_eq!(reserve(some(9, 9, vec![first.id])).await, of_two[2..]);
    assert_eq!(
        store.deliveries.next_due(&[first.id]).await.unwrap(),
        Some(t(30_000))
    );
    assert_eq!(
        store.deliveries.next_due(&[first.id, second.id]).await.unwrap(),
        None
    );
    assert_eq!(reserve(some(9, 9, vec![])).await, of_one[2..]);
}

/// Later events wait for the one that is to be tried again.
pub async fn a_retry_is_not_overtaken(store: &Storage) {
    let device = device(store, "one").await;
    let webhook = webhook(store, &device).await;
    let made = record(
        store,
        &device,
        vec![event(None, &[&webhook]), event(None, &[&webhook])],
    )
    .await;
    for attempt in 0..3_u32 {
        let now = t(i64::from(attempt) * 10_000);
        let reserved = store.deliveries.reserve(due_at(now)).await.unwrap();
        assert_eq!(
            (reserved.len(), reserved[0].id, reserved[0].attempts),
            (1, made[0], attempt)
        );
        let next = t(i64::from(attempt + 1) * 10_000);
        settle(store, made[0], absent(next), now).await;
        assert_eq!(next_due(store).await, Some(next));
        assert!(reserve(store, Timestamp(next.0 - 1)).await.is_empty());
        record(store, &device, vec![event(None, &[&webhook])]).await;
        assert_eq!(next_due(store).await, Some(next));
    }
    assert_eq!(reserve(store, t(30_000)).await, [made[0]]);
    assert_eq!(delivered(store, made[0], t(30_000)).await, [made[1]]);
}

/// One event that the receiver chokes on does not stop its conversation for days.
pub async fn what_alone_is_refused_steps_aside(store: &Storage) {
    let device = device(store, "one").await;
    let webhook = webhook(store, &device).await;
    let made = record(store, &device, (0..4).map(|_| event(None, &[&webhook])).collect()).await;
    assert_eq!(reserve(store, t(0)).await, made[..1]);
    settle(store, made[0], refused(t(5_000)), t(0)).await;
    assert!(reserve(store, t(0)).await.is_empty(), "once may be an accident");
    assert_eq!(reserve(store, t(5_000)).await, made[..1]);
    settle(store, made[0], refused(t(20_000)), t(5_000)).await;
    assert_eq!(
        reserve(store, t(5_000)).await,
        made[1..2],
        "does it take the next one?"
    );
    assert_eq!(delivered(store, made[1], t(5_001)).await, made[2..3]);
    assert_eq!(delivered(store, made[2], t(5_002)).await, made[3..4]);
    assert_eq!(
        reserve(store, t(20_000)).await,
        made[..1],
        "it goes on being tried"
    );
    settle(store, made[0], dead(EndpointVerdict::Sound), t(20_000)).await;
    assert_eq!(delivered(store, made[3], t(20_000)).await, []);
    assert_eq!(next_due(store).await, None);
}

/// Two that are recorded at the same time may be recorded in another order than that of their ids. Whatever becomes
/// of the first, the other one has its turn.
pub async fn what_is_recorded_behind_a_larger_id_has_its_turn(store: &Storage) {
    let device = device(store, "one").await;
    let webhook = webhook(store, &device).await;
    let (early, late) = (event_in("a", &[&webhook]), event_in("a", &[&webhook]));
    let (early_id, late_id) = (early.deliveries[0].id, late.deliveries[0].id);
    record(store, &device, vec![late]).await;
    record(store, &device, vec![early]).await;
    assert_eq!(reserve(store, t(0)).await, [late_id]);
    assert_eq!(delivered(store, late_id, t(1)).await, [early_id]);
    assert_eq!(delivered(store, early_id, t(2)).await, []);

    let (early, late) = (event_in("b", &[&webhook]), event_in("b", &[&webhook]));
    let (early_id, late_id) = (early.deliveries[0].id, late.deliveries[0].id);
    record(store, &device, vec![late]).await;
    record(store, &device, vec![early]).await;
    assert_eq!(reserve(store, t(3)).await, [late_id]);
    let settled = settle(store, late_id, retry(t(5_000), Setback::Absent), t(3)).await;
    assert_eq!(
        ids(&settled.next),
        [early_id],
        "nothing else would bring the lane on"
    );
    assert_eq!(delivered(store, early_id, t(4)).await, [late_id]);
    assert_eq!(delivered(store, late_id, t(5)).await, []);
    assert_eq!(next_due(store).await, None);
}

/// A receiver that refuses everything keeps the order: nothing steps aside.
pub async fn a_receiver_that_refuses_everything_keeps_the_order(store: &Storage) {
    let device = device(store, "one").await;
    let webhook = webhook(store, &device).await;
    let made = record(store, &device, (0..3).map(|_| event(None, &[&webhook])).collect()).await;
    let mut now = t(0);
    for attempt in 1..5 {
        assert_eq!(reserve(store, now).await, made[..1]);
        let next = t(attempt * 10_000);
        settle(store, made[0], refused(next), now).await;
        if attempt >= 2 {
            assert_eq!(reserve(store, now).await, made[1..2]);
            settle(store, made[1], refused(Timestamp(now.0 + 1)), now).await;
        }
        assert_eq!(next_due(store).await, Some(next));
        now = next;
    }
    assert_eq!(reserve(store, now).await, made[..1]);
    assert_eq!(delivered(store, made[0], now).await, made[1..2]);
    assert_eq!(delivered(store, made[1], now).await, made[2..3]);
}

/// When an endpoint takes something again after an outage, nothing waits there for hours any more; a failure
/// among successes keeps to its schedule.
pub async fn a_success_hastens_what_waits(store: &Storage) {
    let (one, two) = (device(store, "one").await, device(store, "two").await);
    let (back, other) = (webhook(store, &one).await, webhook(store, &two).await);
    let made = record(
        store,
        &one,
        ["a", "b"].map(|lane| event_in(lane, &[&back])).into(),
    )
    .await;
    record(store, &two, vec![event(None, &[&other])]).await;
    reserve(store, t(0)).await;
    settle(store, made[0], absent(t(7_200_000)), t(0)).await;
    let failing = store.webhooks.get(back.id).await.unwrap().unwrap();
    assert_eq!(failing.failing_since, Some(t(0)));
    delivered(store, made[1], t(10_000)).await;
    assert_eq!(reserve(store, t(10_000)).await, made[..1]);
    let sound = store.webhooks.get(back.id).await.unwrap().unwrap();
    assert_eq!(sound.failing_since, None);
    settle(store, made[0], absent(t(7_200_000)), t(10_000)).await;
    let next = record(store, &one, vec![event_in("b", &[&back])]).await;
    assert_eq!(reserve(store, t(19_999)).await, next);
    delivered(store, next[0], t(19_999)).await;
    assert_eq!(next_due(store).await, Some(t(30_000)), "only the lease elsewhere");
}

/// A delivery that is given up does not block what is behind it.
pub async fn a_dead_delivery_lets_the_next_go(store: &Storage) {
    let device = device(store, "one").await;
    let webhook = webhook(store, &device).await;
    let made = record(
        store,
        &device,
        vec![event(None, &[&webhook]), event(None, &[&webhook])],
    )
    .await;
    assert_eq!(reserve(store, t(0)).await, made[..1]);
    let settled = settle(store, made[0], dead(EndpointVerdict::Sound), t(1)).await;
    assert_eq!(
        (ids(&settled.next), settled.disabled),
        (made[1..].to_vec(), vec![])
    );
    settle(store, made[1], dead(EndpointVerdict::Sound), t(2)).await;
    assert_eq!(next_due(store).await, None);
}

/// An endpoint that is gone is switched off, and what was to go there waits for its owner.
pub async fn an_endpoint_that_is_gone_is_switched_off(store: &Storage) {
    let device = device(store, "one").await;
    let webhook = webhook(store, &device).await;
    let made = record(
        store,
        &device,
        ["a", "a", "b"].map(|lane| event_in(lane, &[&webhook])).into(),
    )
    .await;
    assert_eq!(reserve(store, t(0)).await, [made[0], made[2]]);
    let settled = settle(store, made[0], dead(EndpointVerdict::Gone), t(1)).await;
    assert_eq!(settled.next, []);
    assert_eq!(settled.disabled, [(webhook.id, device.id, "never".to_owned())]);
    let again = settle(store, made[2], dead(EndpointVerdict::Gone), t(1)).await;
    assert_eq!(again.disabled, [], "told once");
    let stored = store.webhooks.get(webhook.id).await.unwrap().unwrap();
    let off = WebhookState::Disabled {
        reason: "never".into(),
        at: t(1),
    };
    assert_eq!(stored.state, off);
    record(store, &device, vec![event_in("c", &[&webhook])]).await;
    assert_eq!(next_due(store).await, None);
    let mended = Webhook {
        state: WebhookState::Active,
        ..stored
    };
    store.webhooks.update(&mended, t(9)).await.unwrap();
    assert_eq!(reserve(store, t(9)).await.len(), 2);
}

/// Using up every try switches an endpoint off that took nothing meanwhile, and no other.
pub async fn only_an_endpoint_that_takes_nothing_is_switched_off(store: &Storage) {
    let device = device(store, "one").await;
    let webhook = webhook(store, &device).await;
    let lanes = ["a", "b", "c"].map(|lane| event_in(lane, &[&webhook]));
    let made = record(store, &device, lanes.into()).await;
    reserve(store, t(0)).await;
    settle(store, made[0], absent(t(50)), t(0)).await;
    delivered(store, made[1], t(10)).await;
    let exhausted = |since| dead(EndpointVerdict::Exhausted { since });
    assert_eq!(reserve(store, t(50)).await, made[..1]);
    assert_eq!(settle(store, made[0], exhausted(t(0)), t(50)).await.disabled, []);
    let settled = settle(store, made[2], exhausted(t(50)), t(60)).await;
    assert_eq!(settled.disabled.len(), 1, "nothing was taken since 50");
}

/// A pause holds everything and loses nothing.
pub async fn a_paused_endpoint_waits(store: &Storage) {
    let device = device(store, "one").await;
    let mut webhook = webhook(store, &device).await;
    let made = record(
        store,
        &device,
        ["a", "a", "b"].map(|lane| event_in(lane, &[&webhook])).into(),
    )
    .await;
    let flying = store
        .deliveries
        .reserve(Reservation {
            limit: 1,
            ..due_at(t(0))
        })
        .await
        .unwrap();
    assert_eq!(ids(&flying), made[..1]);
    webhook.state = WebhookState::Paused;
    store.webhooks.update(&webhook, t(1)).await.unwrap();
    assert!(reserve(store, t(1)).await.is_empty());
    settle(store, made[0], absent(t(2)), t(2)).await;
    let during = record(store, &device, vec![event_in("d", &[&webhook])]).await;
    assert_eq!(next_due(store).await, None);
    webhook.state = WebhookState::Active;
    store.webhooks.update(&webhook, t(3)).await.unwrap();
    assert_eq!(reserve(store, t(3)).await, [made[0], made[2], during[0]]);
    assert_eq!(delivered(store, made[0], t(4)).await, made[1..2]);
}

/// What was not tried is nobody's, and has not failed.
pub async fn what_is_given_back_is_due_at_once(store: &Storage) {
    let device = device(store, "one").await;
    let webhook = webhook(store, &device).await;
    let made = record(store, &device, vec![event(None, &[&webhook])]).await;
    reserve(store, t(0)).await;
    settle(store, made[0], DeliveryOutcome::Returned, t(1)).await;
    let again = store.deliveries.reserve(due_at(t(1))).await.unwrap();
    assert_eq!((again[0].id, again[0].attempts), (made[0], 0));
}

/// A worker that comes too late changes nothing, nor does one that made up the id.
pub async fn what_is_settled_stays_settled(store: &Storage) {
    let device = device(store, "one").await;
    let webhook = webhook(store, &device).await;
    let made = record(
        store,
        &device,
        vec![event(None, &[&webhook]), event(None, &[&webhook])],
    )
    .await;
    assert_eq!(reserve(store, t(0)).await, made[..1]);
    assert_eq!(delivered(store, made[0], t(0)).await, made[1..]);
    let unknown = event(None, &[&webhook]).deliveries[0].id;
    for (late, id) in [
        (absent(t(0)), made[0]),
        (dead(EndpointVerdict::Gone), made[0]),
        (DeliveryOutcome::Delivered, made[0]),
        (DeliveryOutcome::Returned, made[0]),
        (absent(t(0)), unknown),
    ] {
        assert_eq!(settle(store, id, late, t(1)).await, Settled::default());
        assert_eq!(next_due(store).await, Some(t(30_000)), "the second is leased");
        assert!(reserve(store, t(1)).await.is_empty());
    }
}

/// Many at once, of every kind.
pub async fn a_round_of_settling_is_one_change(store: &Storage) {
    let device = device(store, "one").await;
    let webhook = webhook(store, &device).await;
    let lanes = |n: usize| event_in(&format!("{}", n % 50), &[&webhook]);
    let made = record(store, &device, (0..150).map(lanes).collect()).await;
    assert_eq!(reserve(store, t(0)).await, made[..50]);
    let settlements = made[..50]
        .iter()
        .enumerate()
        .map(|(n, id)| Settlement {
            id: *id,
            outcome: if n < 40 {
                DeliveryOutcome::Delivered
            } else {
                absent(t(99_000))
            },
            attempt: None,
        })
        .collect();
    let settled = store.deliveries.settle(settlements, t(0), LEASE).await.unwrap();
    let mut next = ids(&settled.next);
    next.sort_unstable();
    assert_eq!(next, made[50..90]);
    assert_eq!(
        next_due(store).await,
        Some(t(30_000)),
        "the retries keep to their schedule"
    );
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
        let some = Reservation {
            limit: 4,
            ..due_at(t(0))
        };
        async move { store.deliveries.reserve(some).await.unwrap() }
    })
    .await;
    let mut ids: Vec<DeliveryId> = taken.iter().flatten().map(|delivery| delivery.id).collect();
    assert_eq!(ids.len(), 20);
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 20);
    assert!(taken.iter().all(|some| some.len() <= 4));
}

/// Address, headers and secrets are those of the moment, the body is the one of the event.
pub async fn deliveries_follow_the_endpoint(store: &Storage) {
    let device = device(store, "one").await;
    let mut webhook = webhook(store, &device).await;
    record(store, &device, vec![event(None, &[&webhook])]).await;
    webhook.url = "https://example.com/moved".into();
    webhook.headers = vec![crate::model::CustomHeader::new("x-tenant", "7").unwrap()];
    let former = std::mem::replace(&mut webhook.secret, SigningSecret::from_bytes(&[8; 32]));
    webhook.retiring = Some(crate::model::RetiringSecret {
        secret: former.clone(),
        until: t(100),
    });
    store.webhooks.update(&webhook, t(0)).await.unwrap();
    let reserved = store.deliveries.reserve(due_at(t(99))).await.unwrap();
    assert_eq!(reserved[0].url, "https://example.com/moved");
    assert_eq!(reserved[0].headers, webhook.headers);
    assert_eq!(reserved[0].secrets, [webhook.secret.clone(), former]);
    let later = store.deliveries.reserve(due_at(t(40_000))).await.unwrap();
    assert_eq!(later[0].secrets, [webhook.secret], "the former one has retired");
}

/// An endpoint may be removed while an event is rendered for it: the event counts, the delivery does not.
pub async fn endpoints_that_are_gone_get_nothing(store: &Storage) {
    let device = device(store, "one").await;
    let gone = webhook(store, &device).await;
    store.webhooks.delete(gone.id).await.unwrap();
    let here = webhook(store, &device).await;
    let new = event(Some("a"), &[&gone, &here]);
    let want = new.deliveries[1].id;
    let recorded = store
        .events
        .record(EventBatch {
            events: vec![new],
            ..batch(&device)
        })
        .await
        .unwrap();
    assert_eq!(recorded.events.len(), 1);
    assert_eq!(reserve(store, t(0)).await, [want]);
    delivered(store, want, t(0)).await;
    assert_eq!(next_due(store).await, None);
}
