//! The contract of [`EventStore`](crate::ports::EventStore).

use std::time::Duration;

use super::{Storage, assert_no_device, batch, device, event, new_device, race, record, t, webhook};
use crate::model::{Contact, Device, EventId, Jid, MessageId, MessageStatus};
use crate::ports::{EventBatch, NewEvent, OutboxEntry};

async fn new_ids(store: &Storage, device: &Device, events: Vec<NewEvent>) -> Vec<EventId> {
    store
        .events
        .record(EventBatch {
            events,
            ..batch(device)
        })
        .await
        .unwrap()
}

/// How many deliveries are due at the beginning, one endpoint per device.
async fn due(store: &Storage) -> usize {
    store
        .deliveries
        .reserve(t(0), Duration::ZERO, 1_000)
        .await
        .unwrap()
        .len()
}

/// The answer keeps the order of the batch.
pub async fn new_events_are_returned_in_order(store: &Storage) {
    let device = device(store, "one").await;
    let events = vec![event(Some("b"), &[]), event(None, &[]), event(Some("a"), &[])];
    let ids: Vec<EventId> = events.iter().map(|event| event.id).collect();
    assert_eq!(new_ids(store, &device, events).await, ids);
    assert!(new_ids(store, &device, vec![]).await.is_empty());
}

/// Nobody hears of the same thing twice.
pub async fn a_redelivered_event_is_left_out_with_its_deliveries(store: &Storage) {
    let device = device(store, "one").await;
    let webhook = webhook(store, &device).await;
    assert_eq!(
        new_ids(store, &device, vec![event(Some("a"), &[])]).await.len(),
        1
    );
    let (again, new) = (event(Some("a"), &[&webhook]), event(Some("b"), &[&webhook]));
    let (id, delivery) = (new.id, new.deliveries[0].id);
    assert_eq!(new_ids(store, &device, vec![again, new.clone()]).await, [id]);
    assert!(
        new_ids(store, &device, vec![new]).await.is_empty(),
        "the very same event"
    );
    let reserved = store
        .deliveries
        .reserve(t(0), Duration::from_secs(1), 10)
        .await
        .unwrap();
    assert_eq!(
        reserved.iter().map(|reserved| reserved.id).collect::<Vec<_>>(),
        [delivery]
    );
}

/// A redelivery may come right behind.
pub async fn a_key_counts_once_within_a_batch(store: &Storage) {
    let device = device(store, "one").await;
    let events = vec![
        event(Some("a"), &[]),
        event(Some("a"), &[]),
        event(Some("b"), &[]),
    ];
    let want = [events[0].id, events[2].id];
    assert_eq!(new_ids(store, &device, events).await, want);
}

/// The same message in two accounts is two events.
pub async fn keys_belong_to_devices(store: &Storage) {
    for token in ["one", "two"] {
        let device = device(store, token).await;
        assert_eq!(
            new_ids(store, &device, vec![event(Some("a"), &[])]).await.len(),
            1
        );
    }
}

/// What is never redelivered needs no key.
pub async fn events_without_a_key_are_always_new(store: &Storage) {
    let device = device(store, "one").await;
    for _ in 0..3 {
        assert_eq!(
            new_ids(store, &device, vec![event(None, &[]), event(None, &[])])
                .await
                .len(),
            2
        );
    }
}

/// One of them wins.
pub async fn racing_redeliveries_are_recorded_once(store: &Storage) {
    let device = device(store, "one").await;
    let webhook = webhook(store, &device).await;
    let new = race(|_| {
        let store = store.clone();
        let batch = EventBatch {
            events: vec![event(Some("a"), &[&webhook])],
            ..batch(&device)
        };
        async move { store.events.record(batch).await.unwrap().len() }
    })
    .await;
    assert_eq!(new.iter().sum::<usize>(), 1);
}

/// The device changes with the events or not at all.
pub async fn a_batch_carries_the_device_after_it(store: &Storage) {
    let device = device(store, "one").await;
    let after = Device {
        jid: Some(Jid::phone("628111")),
        push_name: Some("Ana".into()),
        ..device.clone()
    };
    let paired = EventBatch {
        device_after: Some(after.clone()),
        ..batch(&device)
    };
    store.events.record(paired).await.unwrap();
    assert_eq!(store.devices.get(device.id).await.unwrap(), Some(after));
}

/// All or nothing.
pub async fn a_batch_that_fails_leaves_nothing(store: &Storage) {
    let stays = device(store, "stays").await;
    let webhook = webhook(store, &stays).await;
    let gone = new_device("gone");
    assert_no_device(store.events.record(batch(&gone)).await);
    assert_no_device(
        store
            .events
            .record(EventBatch {
                events: vec![event(None, &[])],
                ..batch(&gone)
            })
            .await,
    );

    let failing = EventBatch {
        events: vec![event(Some("a"), &[&webhook])],
        contacts: vec![Contact::new(Jid::phone("628111"))],
        device_after: Some(gone),
        ..batch(&stays)
    };
    assert_no_device(store.events.record(failing).await);
    assert_eq!(due(store).await, 0);
    assert!(store.directory.contacts(stays.id).await.unwrap().is_empty());
    assert_eq!(
        new_ids(store, &stays, vec![event(Some("a"), &[&webhook])])
            .await
            .len(),
        1,
        "it was not recorded"
    );
    assert_eq!(due(store).await, 1);
}

/// A day's absence comes in one piece.
pub async fn a_large_batch_is_recorded_whole(store: &Storage) {
    const MANY: usize = 5_000;
    let device = device(store, "one").await;
    let webhook = webhook(store, &device).await;
    let events: Vec<NewEvent> = (0..MANY)
        .map(|n| event(Some(&format!("e{n}")), &[&webhook]))
        .collect();
    let contacts = (0..MANY)
        .map(|n| Contact::new(Jid::phone(format!("62{n}"))))
        .collect();
    let large = EventBatch {
        events,
        contacts,
        ..batch(&device)
    };
    assert_eq!(store.events.record(large.clone()).await.unwrap().len(), MANY);
    assert_eq!(store.directory.contacts(device.id).await.unwrap().len(), MANY);
    assert!(store.events.record(large).await.unwrap().is_empty());
    assert_eq!(due(store).await, 1, "one endpoint, one at a time");
}

/// Receipts come in any order.
pub async fn statuses_never_go_back(store: &Storage) {
    use MessageStatus::{Delivered, Played, Queued, Read, Sent};
    let (one, two) = (device(store, "one").await, device(store, "two").await);
    let message = MessageId("M1".into());
    for device in [&one, &two] {
        let entry = OutboxEntry {
            device: device.id,
            message: message.clone(),
            idempotency: None,
            at: t(0),
        };
        store.outbox.begin(entry, t(0)).await.unwrap();
    }
    let foreign = MessageId("FOREIGN".into());
    for (reported, want) in [
        (Sent, Sent),
        (Read, Read),
        (Delivered, Read),
        (Queued, Read),
        (Played, Played),
        (Sent, Played),
    ] {
        let statuses = vec![(foreign.clone(), reported), (message.clone(), reported)];
        store
            .events
            .record(EventBatch {
                statuses,
                ..batch(&one)
            })
            .await
            .unwrap();
        assert_eq!(store.outbox.status(one.id, &message).await.unwrap(), Some(want));
    }
    assert_eq!(store.outbox.status(two.id, &message).await.unwrap(), Some(Queued));
    assert_eq!(
        store.outbox.status(one.id, &foreign).await.unwrap(),
        None,
        "not a message of ours"
    );
    record(store, &one, vec![]).await;
}
