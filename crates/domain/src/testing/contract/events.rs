//! The contract of [`EventStore`](crate::ports::EventStore).

use std::collections::BTreeMap;
use std::time::Duration;

use super::{Storage, assert_no_device, batch, device, event, new_device, race, t, ulid, webhook};
use crate::model::event::Failure;
use crate::model::{
    Contact, CursorQuery, DeliveryOutcome, Device, DeviceId, EndpointVerdict, EventId, EventKind, Jid,
    MessageId, MessageStatus, Settlement,
};
use crate::ports::{EventBatch, EventQuery, Express, NewEvent, OutboxEntry, Reservation, StatusChange};

async fn new_ids(store: &Storage, device: &Device, events: Vec<NewEvent>) -> Vec<EventId> {
    store
        .events
        .record(EventBatch {
            events,
            ..batch(device)
        })
        .await
        .unwrap()
        .events
}

/// How many deliveries are due at the beginning, one endpoint per device.
async fn due(store: &Storage) -> usize {
    store
        .deliveries
        .reserve(everything_due(Duration::ZERO))
        .await
        .unwrap()
        .len()
}

fn everything_due(lease: Duration) -> Reservation {
    Reservation {
        now: t(0),
        lease,
        limit: 1_000,
        per_webhook: 1_000,
        busy: Vec::new(),
    }
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
        .reserve(everything_due(Duration::from_secs(1)))
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
        async move { store.events.record(batch).await.unwrap().events.len() }
    })
    .await;
    assert_eq!(new.iter().sum::<usize>(), 1);
}

/// Those that come together are answered each for itself, whoever else is among them.
pub async fn batches_that_come_together_do_not_mix(store: &Storage) {
    const FAILS: usize = 31;
    let gone = new_device("gone");
    let mut devices = Vec::new();
    for number in 0..5 {
        let device = device(store, &format!("device-{number}")).await;
        let webhook = webhook(store, &device).await;
        devices.push((device, webhook));
    }
    let batches = (0..60).map(|number| {
        let (device, webhook) = &devices[number % devices.len()];
        let named = Contact {
            push_name: Some(format!("name {number}")),
            ..Contact::new(Jid::phone(format!("62811{number:04}")))
        };
        let events = vec![
            NewEvent {
                lane: format!("chat {number}"),
                ..event(Some(&format!("key {}", number / 10)), &[webhook])
            },
            event(None, &[]),
        ];
        let device = if number % 7 == 0 { &gone } else { device };
        EventBatch {
            // Fails, and takes no other with it.
            device_after: (number == FAILS).then(|| gone.clone()),
            events,
            contacts: vec![named],
            express: Express {
                limit: number % 2,
                lease: Duration::from_secs(1),
            },
            ..batch(device)
        }
    });
    let batches: Vec<EventBatch> = batches.collect();
    let recorded =
        futures_util::future::join_all(batches.iter().map(|batch| store.events.record(batch.clone()))).await;
    let mut keys: BTreeMap<(DeviceId, String), usize> = BTreeMap::new();
    let mut told = 0;
    for (asked, recorded) in batches.iter().zip(recorded) {
        if asked.device == gone.id || asked.device_after.is_some() {
            assert_no_device(recorded);
            continue;
        }
        let recorded = recorded.unwrap();
        told += 1;
        let ids: Vec<EventId> = asked.events.iter().map(|event| event.id).collect();
        let first = recorded.events.len() == 2;
        assert_eq!(recorded.events, if first { &ids[..] } else { &ids[1..] });
        let key = asked.events[0].dedupe_key.clone().unwrap();
        *keys.entry((asked.device, key)).or_default() += usize::from(first);
        let express: Vec<_> = recorded
            .express
            .iter()
            .map(|delivery| (delivery.event, delivery.device))
            .collect();
        if first && asked.express.limit == 1 {
            assert_eq!(express, [(ids[0], asked.device)]);
        } else {
            assert_eq!(express, []);
        }
        assert_eq!(recorded.queued, first && asked.express.limit == 0);
    }
    assert!(keys.values().all(|&once| once == 1), "{keys:?}");
    let mut names = 0;
    for (device, _) in &devices {
        names += store.directory.contacts(device.id).await.unwrap().len();
    }
    assert_eq!(names, told);
}

/// What one of those that come together removes stays when the next one learns it.
pub async fn contacts_are_removed_in_the_order_of_the_batches(store: &Storage) {
    let device = device(store, "one").await;
    let known = |name: &str| Contact {
        full_name: Some(name.into()),
        ..Contact::new(Jid::phone("628111"))
    };
    let learns = |name| EventBatch {
        contacts: vec![known(name)],
        ..batch(&device)
    };
    let removes = EventBatch {
        removed_contacts: vec![Jid::phone("628111")],
        ..batch(&device)
    };
    for recorded in futures_util::future::join_all(
        [learns("Ana"), removes, learns("Ani")].map(|batch| store.events.record(batch)),
    )
    .await
    {
        recorded.unwrap();
    }
    assert_eq!(store.directory.contacts(device.id).await.unwrap(), [known("Ani")]);
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
    assert_eq!(
        store.events.record(large.clone()).await.unwrap().events.len(),
        MANY
    );
    assert_eq!(store.directory.contacts(device.id).await.unwrap().len(), MANY);
    assert!(store.events.record(large).await.unwrap().events.is_empty());
    assert_eq!(due(store).await, 1, "one conversation, one at a time");
}

fn change(message: &str, status: MessageStatus) -> StatusChange {
    StatusChange {
        message: MessageId(message.into()),
        status,
        to: None,
        failure: None,
        at: t(0),
        event: None,
    }
}

async fn begin(store: &Storage, device: &Device, message: &str) {
    let entry = OutboxEntry {
        device: device.id,
        message: MessageId(message.into()),
        to: "628111".into(),
        said: None,
        idempotency: None,
        at: t(0),
    };
    store.outbox.begin(entry, t(0)).await.unwrap();
}

async fn status(store: &Storage, device: &Device, message: &str) -> Option<MessageStatus> {
    let found = store.outbox.get(device.id, &MessageId(message.into())).await;
    found.unwrap().map(|send| send.status)
}

/// Receipts come in any order.
pub async fn statuses_never_go_back(store: &Storage) {
    use MessageStatus::{Delivered, Played, Queued, Read, Sent};
    let (one, two) = (device(store, "one").await, device(store, "two").await);
    for device in [&one, &two] {
        begin(store, device, "M1").await;
    }
    for (reported, want) in [
        (Sent, Sent),
        (Read, Read),
        (Delivered, Read),
        (Queued, Read),
        (Played, Played),
        (Sent, Played),
    ] {
        let statuses = vec![change("FOREIGN", reported), change("M1", reported)];
        store
            .events
            .record(EventBatch {
                statuses,
                ..batch(&one)
            })
            .await
            .unwrap();
        assert_eq!(status(store, &one, "M1").await, Some(want));
    }
    assert_eq!(status(store, &two, "M1").await, Some(Queued));
    assert_eq!(
        status(store, &one, "FOREIGN").await,
        None,
        "not a message of ours"
    );
}

/// A change tells of itself once, and what did not change tells nothing.
pub async fn a_change_of_status_carries_its_event(store: &Storage) {
    use MessageStatus::{Delivered, Failed, Read};
    let device = device(store, "one").await;
    let webhook = webhook(store, &device).await;
    begin(store, &device, "M1").await;
    let mut told = Vec::new();
    for (message, reported) in [
        ("FOREIGN", Read),
        ("M1", Failed),
        ("M1", Read),
        ("M1", Read),
        ("M1", Delivered),
    ] {
        let change = StatusChange {
            event: Some(event(None, &[&webhook])),
            failure: (reported == Failed).then(|| Failure {
                code: "whatsapp_refused".into(),
                wa_code: Some(463),
                text: "no".into(),
            }),
            to: Some(Jid::phone("628111")),
            at: t(7),
            ..change(message, reported)
        };
        let batch = EventBatch {
            statuses: vec![change],
            ..batch(&device)
        };
        told.push(store.events.record(batch).await.unwrap().events.len());
        if reported == Failed {
            let send = store
                .outbox
                .get(device.id, &MessageId("M1".into()))
                .await
                .unwrap()
                .unwrap();
            assert_eq!(send.failure.unwrap().wa_code, Some(463));
            assert_eq!(
                (send.to.as_str(), send.updated_at),
                ("628111@s.whatsapp.net", t(7))
            );
        }
    }
    assert_eq!(told, [0, 1, 1, 0, 0]);
    let send = store
        .outbox
        .get(device.id, &MessageId("M1".into()))
        .await
        .unwrap()
        .unwrap();
    assert_eq!((send.status, send.failure), (Read, None));
}

async fn read(store: &Storage, filter: &EventQuery, after: Option<EventId>, limit: u32) -> Vec<EventId> {
    let page = store
        .events
        .list(filter, CursorQuery::new(after, limit))
        .await
        .unwrap();
    let ids: Vec<EventId> = page.items.iter().map(|event| event.id).collect();
    assert!(
        page.next.is_none_or(|next| Some(&next) == ids.last()),
        "the next page begins behind this one"
    );
    ids
}

/// Whoever reads page after page reads everything once, in the order of recording.
pub async fn the_log_is_read_page_by_page(store: &Storage) {
    let (one, two) = (device(store, "one").await, device(store, "two").await);
    let mut ids = Vec::new();
    for number in 0..5 {
        let device = if number % 2 == 0 { &one } else { &two };
        let mut new = event(None, &[]);
        new.kind = if number == 4 {
            EventKind::Call
        } else {
            EventKind::Message
        };
        new.at = t(-number);
        ids.extend(new_ids(store, device, vec![new]).await);
    }
    // An id from before that is recorded late comes late.
    let mut late = event(None, &[]);
    late.id = EventId::new(ulid::Ulid::from_parts(0, 1));
    ids.extend(new_ids(store, &one, vec![late]).await);
    let all = EventQuery::default();
    assert_eq!(read(store, &all, None, 200).await, ids);
    assert_eq!(read(store, &all, None, 2).await, ids[..2]);
    assert_eq!(read(store, &all, Some(ids[1]), 2).await, ids[2..4]);
    assert_eq!(read(store, &all, Some(ids[5]), 2).await, []);
    let of_two = EventQuery {
        device: Some(two.id),
        kinds: Vec::new(),
    };
    assert_eq!(read(store, &of_two, None, 9).await, [ids[1], ids[3]]);
    let calls = EventQuery {
        device: None,
        kinds: vec![EventKind::Call, EventKind::Qr],
    };
    assert_eq!(read(store, &calls, None, 9).await, [ids[4]]);
    let page = store
        .events
        .list(&calls, CursorQuery::new(None, 9))
        .await
        .unwrap();
    let found = &page.items[0];
    assert_eq!(
        (found.kind, found.device, found.at),
        (EventKind::Call, one.id, t(-4))
    );
    assert_eq!(&found.data[..], b"{\"data\":1}");
    // What is not there any more stands for its time.
    let unknown = EventId::new(ulid());
    assert_eq!(read(store, &all, Some(unknown), 9).await, []);
    let fresh = new_ids(store, &two, vec![event(None, &[])]).await;
    assert_eq!(read(store, &all, Some(unknown), 9).await, fresh);
}

/// The order of recording decides, not the id.
pub async fn the_last_event_is_the_one_recorded_last(store: &Storage) {
    assert_eq!(store.events.last().await.unwrap(), None);
    let (one, two) = (device(store, "one").await, device(store, "two").await);
    let first = new_ids(store, &one, vec![event(None, &[]), event(None, &[])]).await;
    assert_eq!(store.events.last().await.unwrap(), Some(first[1]));
    let mut late = event(None, &[]);
    late.id = EventId::new(ulid::Ulid::from_parts(0, 2));
    let late = new_ids(store, &two, vec![late]).await;
    assert_eq!(store.events.last().await.unwrap(), Some(late[0]));
}

/// What is on its way stays; so does, for a while, what was given up.
pub async fn old_events_are_pruned_in_steps(store: &Storage) {
    let device = device(store, "one").await;
    let webhook = webhook(store, &device).await;
    let mut events = Vec::new();
    for lane in ["pending", "dead", "delivered"] {
        events.push(super::event_in(lane, &[&webhook]));
    }
    events.extend((0..3).map(|_| event(None, &[])));
    let mut young = event(None, &[]);
    young.recorded_at = t(5_000);
    events.push(young);
    let deliveries: Vec<_> = events[..3].iter().map(|event| event.deliveries[0].id).collect();
    let ids = new_ids(store, &device, events).await;
    store
        .deliveries
        .reserve(everything_due(Duration::from_mins(1)))
        .await
        .unwrap();
    let settle = |id, outcome| Settlement {
        id,
        outcome,
        attempt: None,
    };
    let dead = DeliveryOutcome::Dead {
        error: "no".into(),
        endpoint: EndpointVerdict::Sound,
    };
    let settlements = vec![
        settle(deliveries[1], dead),
        settle(deliveries[2], DeliveryOutcome::Delivered),
    ];
    store
        .deliveries
        .settle(settlements, t(6_000), Duration::ZERO)
        .await
        .unwrap();
    let all = EventQuery::default();
    assert_eq!(store.events.prune(t(0), 10).await.unwrap(), 0);
    assert_eq!(store.events.prune(t(5_000), 2).await.unwrap(), 2);
    assert_eq!(store.events.prune(t(5_000), 200).await.unwrap(), 2);
    assert_eq!(store.events.prune(t(5_000), 200).await.unwrap(), 0);
    assert_eq!(read(store, &all, None, 9).await, [ids[0], ids[1], ids[6]]);
    assert_eq!(store.delivery_log.get(deliveries[2]).await.unwrap(), None);
    assert_eq!(store.events.prune(t(6_001), 200).await.unwrap(), 2);
    assert_eq!(read(store, &all, None, 9).await, [ids[0]]);
}

/// Those that are reserved in the same breath are nobody else's, and no more than were asked for.
pub async fn recording_may_reserve(store: &Storage) {
    let device = device(store, "one").await;
    let webhook = webhook(store, &device).await;
    let record = |lane: &'static str, limit| {
        let batch = EventBatch {
            events: vec![
                super::event_in(lane, &[&webhook]),
                super::event_in(lane, &[&webhook]),
            ],
            express: Express {
                limit,
                lease: Duration::from_secs(30),
            },
            ..batch(&device)
        };
        async { store.events.record(batch).await.unwrap() }
    };
    let first = record("a", 5).await;
    assert_eq!(
        (first.express.len(), first.queued),
        (1, false),
        "the second waits for the first"
    );
    assert_eq!(first.express[0].event, first.events[0]);
    assert_eq!(first.express[0].secrets, std::slice::from_ref(&webhook.secret));
    let second = record("b", 0).await;
    assert_eq!((second.express.len(), second.queued), (0, true));
    let reserved = store
        .deliveries
        .reserve(everything_due(Duration::from_secs(30)))
        .await
        .unwrap();
    assert_eq!(reserved.len(), 1);
    assert_eq!(reserved[0].event, second.events[0]);
    assert_eq!(store.deliveries.next_due(&[]).await.unwrap(), Some(t(30_000)));
}
