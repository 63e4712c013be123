//! What every storage must do, one file per port. Each function is one story and panics when the
//! storage breaks the contract; [`storage_contract!`](crate::storage_contract) turns all of them into
//! tests of one implementor.

pub mod admins;
pub mod api_keys;
pub mod chats;
pub mod deliveries;
pub mod delivery_log;
pub mod devices;
pub mod directory;
pub mod events;
pub mod keys;
pub mod outbox;
pub mod settings;
pub mod sign_ins;
mod suite;
pub mod webhooks;
pub mod workspaces;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use ulid::Ulid;

use crate::Error;
use crate::model::{
    DeliveryId, Device, DeviceId, EventId, EventKind, SigningSecret, Timestamp, Webhook, WebhookId,
};
use crate::ports::{
    Admins, Chats, DeliveryLog, DeliveryQueue, Devices, Directory, EventBatch, EventStore, IssuedKeys,
    KeyVault, NewDelivery, NewEvent, Outbox, Settings, SignIns, Webhooks, Workspaces,
};

/// The ports of one storage.
#[derive(Clone)]
pub struct Storage {
    /// Stored devices.
    pub devices: Arc<dyn Devices>,
    /// Names on devices.
    pub workspaces: Arc<dyn Workspaces>,
    /// Where events go.
    pub webhooks: Arc<dyn Webhooks>,
    /// People.
    pub directory: Arc<dyn Directory>,
    /// Conversations.
    pub chats: Arc<dyn Chats>,
    /// What happened.
    pub events: Arc<dyn EventStore>,
    /// What is on its way.
    pub deliveries: Arc<dyn DeliveryQueue>,
    /// What became of it.
    pub delivery_log: Arc<dyn DeliveryLog>,
    /// Protocol state.
    pub keys: Arc<dyn KeyVault>,
    /// Sends.
    pub outbox: Arc<dyn Outbox>,
    /// Who may sign in.
    pub admins: Arc<dyn Admins>,
    /// Who is signed in.
    pub sign_ins: Arc<dyn SignIns>,
    /// What programs call with.
    pub api_keys: Arc<dyn IssuedKeys>,
    /// What was chosen.
    pub settings: Arc<dyn Settings>,
}

impl std::fmt::Debug for Storage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Storage")
    }
}

/// How many callers race in the stories about races.
const RACERS: usize = 8;

/// The time at which the stories begin.
const T0: Timestamp = super::FakeClock::START;

/// A time some milliseconds after the beginning.
fn t(millis: i64) -> Timestamp {
    Timestamp(T0.0 + millis)
}

/// A new id, larger than those before it.
fn ulid() -> Ulid {
    static LAST: AtomicU64 = AtomicU64::new(0);
    Ulid::from_parts(1, u128::from(LAST.fetch_add(1, Ordering::Relaxed)))
}

/// A device that nobody stored yet.
fn new_device(token: &str) -> Device {
    Device::new(DeviceId::new(ulid()), token.parse().expect("a token"), T0)
}

/// A stored device.
async fn device(store: &Storage, token: &str) -> Device {
    store.devices.create(new_device(token)).await.expect("create")
}

/// An endpoint of the device that nobody stored yet: its classic one.
fn new_webhook(device: &Device) -> Webhook {
    Webhook::seed(
        WebhookId::new(ulid()),
        device.id,
        format!("https://example.com/{}", device.token),
        SigningSecret::from_bytes(&[7; 32]),
        T0,
    )
}

/// A stored endpoint of the device.
async fn webhook(store: &Storage, device: &Device) -> Webhook {
    let webhook = new_webhook(device);
    store.webhooks.put_seed(&webhook, T0).await.expect("put");
    webhook
}

/// A batch of the device that changes nothing.
fn batch(device: &Device) -> EventBatch {
    EventBatch::new(device.id)
}

/// An event of one conversation with one delivery to each of these endpoints.
fn event_in(lane: &str, webhooks: &[&Webhook]) -> NewEvent {
    NewEvent {
        lane: lane.into(),
        ..event(None, webhooks)
    }
}

/// An event with one delivery to each of these endpoints.
fn event(dedupe_key: Option<&str>, webhooks: &[&Webhook]) -> NewEvent {
    let deliver = |webhook: &&Webhook| NewDelivery {
        id: DeliveryId::new(ulid()),
        webhook: webhook.id,
        body: Bytes::from_static(b"{\"body\":1}"),
    };
    NewEvent {
        id: EventId::new(ulid()),
        kind: EventKind::Message,
        dedupe_key: dedupe_key.map(Into::into),
        at: T0,
        recorded_at: T0,
        data: Bytes::from_static(b"{\"data\":1}"),
        chat: None,
        lane: "chat".into(),
        deliveries: webhooks.iter().map(deliver).collect(),
    }
}

/// Records events of the device and returns their deliveries' ids, in order.
async fn record(store: &Storage, device: &Device, events: Vec<NewEvent>) -> Vec<DeliveryId> {
    let ids = events
        .iter()
        .flat_map(|event| event.deliveries.iter().map(|delivery| delivery.id))
        .collect();
    store
        .events
        .record(EventBatch {
            events,
            ..batch(device)
        })
        .await
        .expect("record");
    ids
}

/// Fails the story unless the storage said that the device is gone.
fn assert_no_device<T: std::fmt::Debug>(result: Result<T, Error>) {
    match result {
        Err(Error::NotFound { what: "device", .. }) => {}
        other => panic!("expected the device to be missed, got {other:?}"),
    }
}

/// Runs the same call many times at once and returns what each got.
async fn race<T, F>(call: impl Fn(usize) -> F) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let racers: Vec<_> = (0..RACERS).map(|number| tokio::spawn(call(number))).collect();
    let mut results = Vec::new();
    for racer in racers {
        results.push(racer.await.expect("a racer ends"));
    }
    results
}
