//! Whatever is done in whatever order, the database answers as the storage in memory does. The stories
//! of the contract say what is right; this finds the orders that no story tells.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use proptest::collection::vec;
use proptest::prelude::*;
use wagate_domain::model::{
    DeliveryId, DeliveryOutcome, Device, DeviceId, EndpointVerdict, EventId, EventKind, Setback, Settlement,
    SigningSecret, Timestamp, Webhook, WebhookId,
};
use wagate_domain::ports::{
    EventBatch, Express, IdSource, KeyEntry, KeyKind, NewDelivery, NewEvent, Reservation,
};
use wagate_domain::testing::contract::Storage;
use wagate_domain::testing::{FakeIds, MemoryStore};

const KINDS: [KeyKind; 3] = [KeyKind::Session, KeyKind::PreKey, KeyKind::Meta];
const DEVICES: usize = 2;

/// Runs the steps on both storages, each case on devices of its own, and compares every answer.
fn compare<S: std::fmt::Debug + Clone>(
    steps: impl Strategy<Value = Vec<S>>,
    run: &impl AsyncFn(&Storage, &[Device], &[S]) -> Vec<String>,
) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    let memory = Arc::new(MemoryStore::new()).storage();
    let directory = tempfile::tempdir().unwrap();
    let sql = support::storage(&support::open(&directory));
    let cases = AtomicU64::new(0);
    proptest!(ProptestConfig::with_cases(48), |(steps in steps)| {
        let case = cases.fetch_add(1, Ordering::Relaxed);
        let ids = FakeIds::new();
        let devices: Vec<Device> = (0..DEVICES)
            .map(|number| {
                let id = DeviceId::new(ulid::Ulid::from_parts(case + 1, ids.next().0));
                Device::new(id, format!("d{case}-{number}").parse().unwrap(), Timestamp(0))
            })
            .collect();
        let (ours, theirs) = runtime.block_on(async {
            for device in &devices {
                memory.devices.create(device.clone()).await.unwrap();
                sql.devices.create(device.clone()).await.unwrap();
            }
            let answers = (run(&memory, &devices, &steps).await, run(&sql, &devices, &steps).await);
            for device in &devices {
                memory.devices.delete(device.id).await.unwrap();
                sql.devices.delete(device.id).await.unwrap();
            }
            answers
        });
        prop_assert_eq!(ours, theirs);
    });
}

#[derive(Debug, Clone)]
enum KeyStep {
    Put(Vec<(usize, Bytes, u8, Option<i64>)>),
    Replace(Vec<(usize, Bytes, u8, Option<i64>)>),
    Delete(usize, Vec<Bytes>),
    DeletePrefix(usize, Bytes),
    Take(usize, Bytes),
    Expire(usize, i64),
    Erase,
    Get(usize, Vec<Bytes>),
    Scan(usize, Bytes),
}

fn key() -> impl Strategy<Value = Bytes> {
    vec(prop_oneof![Just(0_u8), Just(b'a'), Just(254), Just(255)], 0..4).prop_map(Bytes::from)
}

fn key_step() -> impl Strategy<Value = KeyStep> {
    let kind = || 0..KINDS.len();
    let entries = || vec((kind(), key(), any::<u8>(), proptest::option::of(0_i64..4)), 0..6);
    prop_oneof![
        4 => entries().prop_map(KeyStep::Put),
        2 => entries().prop_map(KeyStep::Replace),
        1 => (kind(), vec(key(), 0..4)).prop_map(|(kind, keys)| KeyStep::Delete(kind, keys)),
        1 => (kind(), key()).prop_map(|(kind, prefix)| KeyStep::DeletePrefix(kind, prefix)),
        2 => (kind(), key()).prop_map(|(kind, key)| KeyStep::Take(kind, key)),
        1 => (kind(), 0_i64..4).prop_map(|(kind, now)| KeyStep::Expire(kind, now)),
        1 => Just(KeyStep::Erase),
        2 => (kind(), vec(key(), 0..4)).prop_map(|(kind, keys)| KeyStep::Get(kind, keys)),
        2 => (kind(), key()).prop_map(|(kind, prefix)| KeyStep::Scan(kind, prefix)),
    ]
}

fn entries(entries: &[(usize, Bytes, u8, Option<i64>)]) -> Vec<KeyEntry> {
    let entry = |(kind, key, value, expires_at): &(usize, Bytes, u8, Option<i64>)| KeyEntry {
        kind: KINDS[*kind],
        key: key.clone(),
        value: Bytes::from(vec![*value]),
        expires_at: expires_at.map(Timestamp),
    };
    entries.iter().map(entry).collect()
}

async fn run_key_steps(store: &Storage, devices: &[Device], steps: &[(usize, KeyStep)]) -> Vec<String> {
    let keys = &store.keys;
    let mut answers = Vec::new();
    for (device, step) in steps {
        let device = devices[*device].id;
        answers.push(match step.clone() {
            KeyStep::Put(new) => format!("{:?}", keys.put_many(device, entries(&new)).await),
            KeyStep::Replace(new) => format!("{:?}", keys.replace_many(device, entries(&new)).await),
            KeyStep::Delete(kind, names) => {
                format!("{:?}", keys.delete_many(device, KINDS[kind], names).await)
            }
            KeyStep::DeletePrefix(kind, prefix) => {
                format!("{:?}", keys.delete_prefix(device, KINDS[kind], prefix).await)
            }
            KeyStep::Take(kind, key) => format!("{:?}", keys.take(device, KINDS[kind], key).await),
            KeyStep::Expire(kind, now) => {
                format!("{:?}", keys.expire(device, KINDS[kind], Timestamp(now)).await)
            }
            KeyStep::Erase => format!("{:?}", keys.erase(device).await),
            KeyStep::Get(kind, names) => {
                let mut found = keys.get_many(device, KINDS[kind], names).await.unwrap();
                found.sort();
                format!("{found:?}")
            }
            KeyStep::Scan(kind, prefix) => format!("{:?}", keys.scan(device, KINDS[kind], prefix).await),
        });
    }
    for device in devices {
        for kind in KINDS {
            answers.push(format!("{:?}", keys.scan(device.id, kind, Bytes::new()).await));
        }
    }
    answers
}

#[test]
fn protocol_state_is_the_same_as_in_memory() {
    compare(vec((0..DEVICES, key_step()), 1..30), &run_key_steps);
}

#[derive(Debug, Clone)]
enum QueueStep {
    Put,
    Delete,
    Record {
        events: usize,
        key: Option<u8>,
        lanes: usize,
        express: usize,
    },
    Reserve {
        limit: u32,
    },
    Settle {
        which: usize,
        outcome: u8,
    },
    Wait(i64),
}

fn queue_step() -> impl Strategy<Value = QueueStep> {
    prop_oneof![
        2 => Just(QueueStep::Put),
        1 => Just(QueueStep::Delete),
        5 => (1..4_usize, proptest::option::of(0..3_u8), 1..3_usize, 0..3_usize)
            .prop_map(|(events, key, lanes, express)| QueueStep::Record { events, key, lanes, express }),
        4 => (0..4_u32).prop_map(|limit| QueueStep::Reserve { limit }),
        4 => (any::<usize>(), 0..7_u8).prop_map(|(which, outcome)| QueueStep::Settle { which, outcome }),
        2 => (0..200_i64).prop_map(QueueStep::Wait),
    ]
}

#[expect(clippy::too_many_lines, reason = "one arm for each kind of step")]
async fn run_queue_steps(store: &Storage, devices: &[Device], steps: &[(usize, QueueStep)]) -> Vec<String> {
    let case = devices[0].id;
    let ids = FakeIds::new();
    let next = || ulid::Ulid::from_parts(case_number(case), ids.next().0);
    let mut now = Timestamp(0);
    let mut recorded: Vec<DeliveryId> = Vec::new();
    let mut answers = Vec::new();
    for (device, step) in steps {
        let device = devices[*device].id;
        let answer = match step {
            QueueStep::Put => {
                let url = format!("https://example.com/{}", answers.len());
                let id = WebhookId::new(next());
                let webhook = Webhook::seed(id, device, url, SigningSecret::from_bytes(&[1; 32]), now);
                format!("{:?}", store.webhooks.put_seed(&webhook, now).await)
            }
            QueueStep::Delete => match store.webhooks.seed_of(device).await.unwrap() {
                Some(webhook) => format!("{:?}", store.webhooks.delete(webhook.id).await),
                None => continue,
            },
            QueueStep::Record {
                events,
                key,
                lanes,
                express,
            } => {
                let found = store.devices.get(device).await.unwrap().unwrap();
                let endpoints = store.webhooks.receiving(&found).await.unwrap();
                let event = |number| NewEvent {
                    id: EventId::new(next()),
                    kind: EventKind::Message,
                    dedupe_key: key.map(|key| format!("{key}/{number}")),
                    at: now,
                    recorded_at: now,
                    data: Bytes::new(),
                    chat: None,
                    lane: format!("{}", number % lanes),
                    deliveries: endpoints
                        .iter()
                        .map(|webhook| NewDelivery {
                            id: DeliveryId::new(next()),
                            webhook: webhook.id,
                            body: Bytes::from(vec![b'b']),
                        })
                        .collect(),
                };
                let events: Vec<NewEvent> = (0..*events).map(event).collect();
                recorded.extend(
                    events
                        .iter()
                        .flat_map(|event| event.deliveries.iter().map(|new| new.id)),
                );
                let batch = EventBatch {
                    events,
                    express: Express {
                        limit: *express,
                        lease: Duration::from_millis(60),
                    },
                    ..EventBatch::new(device)
                };
                format!("{:?}", store.events.record(batch).await)
            }
            QueueStep::Reserve { limit } => {
                let reservation = Reservation {
                    now,
                    lease: Duration::from_millis(50),
                    limit: *limit,
                    per_webhook: 2,
                    busy: Vec::new(),
                };
                format!("{:?}", store.deliveries.reserve(reservation).await)
            }
            QueueStep::Settle { which, outcome } => {
                let Some(id) = recorded.get(which % recorded.len().max(1)) else {
                    continue;
                };
                let retry = |setback| DeliveryOutcome::Retry {
                    at: now + Duration::from_millis(70),
                    setback,
                    error: "500".into(),
                };
                let dead = |endpoint| DeliveryOutcome::Dead {
                    error: "410".into(),
                    endpoint,
                };
                let settlement = Settlement {
                    id: *id,
                    outcome: match outcome {
                        0 => DeliveryOutcome::Delivered,
                        1 => retry(Setback::Absent),
                        2 => retry(Setback::Refused),
                        3 => dead(EndpointVerdict::Sound),
                        4 => dead(EndpointVerdict::Gone),
                        5 => dead(EndpointVerdict::Exhausted { since: now }),
                        _ => DeliveryOutcome::Returned,
                    },
                    attempt: None,
                };
                let lease = Duration::from_millis(40);
                format!(
                    "{:?}",
                    store.deliveries.settle(vec![settlement], now, lease).await
                )
            }
            QueueStep::Wait(millis) => {
                now = Timestamp(now.0 + millis);
                String::new()
            }
        };
        answers.push(answer);
        answers.push(format!("{:?}", store.deliveries.next_due(&[]).await));
    }
    answers
}

/// Ids of one case must not meet those of another, and must be the same for both storages.
fn case_number(device: DeviceId) -> u64 {
    let text = device.to_string();
    text.trim_start_matches("dev_")
        .parse::<ulid::Ulid>()
        .unwrap()
        .timestamp_ms()
}

#[test]
fn the_queue_is_the_same_as_in_memory() {
    compare(vec((0..DEVICES, queue_step()), 1..40), &run_queue_steps);
}
