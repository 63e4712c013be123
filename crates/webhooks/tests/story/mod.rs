//! A worker on the memory store, a client that answers by script, and channels on which a test waits
//! for what happens instead of for time to pass.
#![expect(
    clippy::unwrap_used,
    reason = "a story that cannot go on must panic: that is how a test fails"
)]

mod client;
mod queue;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::task::JoinHandle;
use wagate_domain::model::{
    DeliveryId, DeliveryOutcome, Device, DeviceId, EventId, EventKind, Secret, Timestamp, Webhook, WebhookId,
};
use wagate_domain::ports::{
    Clock, Devices, EventBatch, EventStore, IdSource, NewDelivery, NewEvent, Webhooks,
};
use wagate_domain::testing::{FakeClock, FakeIds, MemoryStore};
use wagate_webhooks::{Request, Worker, WorkerSettings};

pub use client::{FakePost, Reply};
use queue::WatchedQueue;

pub struct Story {
    pub store: Arc<MemoryStore>,
    pub clock: Arc<FakeClock>,
    pub client: Arc<FakePost>,
    queue: Arc<WatchedQueue>,
    posted: mpsc::UnboundedReceiver<Request>,
    settled: mpsc::UnboundedReceiver<(DeliveryId, DeliveryOutcome)>,
    refused: mpsc::UnboundedReceiver<()>,
    wake: Arc<Notify>,
    settings: WorkerSettings,
    ids: FakeIds,
    worker: Option<(JoinHandle<()>, oneshot::Sender<()>)>,
}

pub struct Endpoint {
    device: DeviceId,
    webhook: WebhookId,
    pub secret: String,
}

pub struct Sent {
    pub event: EventId,
    pub delivery: DeliveryId,
}

impl Story {
    pub async fn new() -> Self {
        Self::at(FakeClock::START, WorkerSettings::default()).await
    }

    pub async fn at(now: Timestamp, settings: WorkerSettings) -> Self {
        let (posts, posted) = mpsc::unbounded_channel();
        let (settles, settled) = mpsc::unbounded_channel();
        let (on_refusal, refused) = mpsc::unbounded_channel();
        let memory = Arc::new(MemoryStore::new());
        let mut story = Self {
            queue: Arc::new(WatchedQueue {
                store: memory.clone(),
                settles,
                on_refusal,
            }),
            store: memory,
            clock: Arc::new(FakeClock::new(now)),
            client: Arc::new(FakePost::new(posts)),
            posted,
            settled,
            refused,
            wake: Arc::new(Notify::new()),
            settings,
            ids: FakeIds::new(),
            worker: None,
        };
        story.restart();
        // The worker has nothing to do and sleeps.
        story.clock.sleepers(1).await;
        story
    }

    pub fn restart(&mut self) {
        let (queue, client, clock) = (self.queue.clone(), self.client.clone(), self.clock.clone());
        let worker = Worker::new(queue, client, clock, self.wake.clone(), self.settings.clone()).with_seed(7);
        let (stop, stopped) = oneshot::channel::<()>();
        let run = worker.run(async move {
            let _told = stopped.await;
        });
        self.worker = Some((tokio::spawn(run), stop));
    }

    /// An endpoint at `https://NAME.example/hook`, on a device of its own.
    pub async fn endpoint(&self, name: &str) -> Endpoint {
        let now = self.clock.now();
        let device = DeviceId::new(self.ids.next());
        self.store
            .create(Device::new(device, name.parse().unwrap(), now))
            .await
            .unwrap();
        let endpoint = Endpoint {
            device,
            webhook: WebhookId::new(self.ids.next()),
            secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".into(),
        };
        let webhook = Webhook {
            id: endpoint.webhook,
            device,
            url: format!("https://{name}.example/hook?key=1"),
            secret: Secret::new(endpoint.secret.clone()),
            created_at: now,
        };
        self.store.put(webhook).await.unwrap();
        endpoint
    }

    pub async fn record(&self, endpoint: &Endpoint, body: &str) -> Sent {
        self.record_bytes(endpoint, body.as_bytes()).await
    }

    /// Records an event as the gateway does, and wakes the worker.
    pub async fn record_bytes(&self, endpoint: &Endpoint, body: &[u8]) -> Sent {
        let now = self.clock.now();
        let sent = Sent {
            event: EventId::new(self.ids.next()),
            delivery: DeliveryId::new(self.ids.next()),
        };
        let delivery = NewDelivery {
            id: sent.delivery,
            webhook: endpoint.webhook,
            body: Bytes::copy_from_slice(body),
        };
        let event = NewEvent {
            id: sent.event,
            kind: EventKind::Connected,
            dedupe_key: None,
            at: now,
            recorded_at: now,
            data: Bytes::from_static(b"{}"),
            deliveries: vec![delivery],
        };
        let batch = EventBatch {
            device: endpoint.device,
            events: vec![event],
            device_after: None,
            contacts: Vec::new(),
            removed_contacts: Vec::new(),
            statuses: Vec::new(),
        };
        self.store.record(batch).await.unwrap();
        self.wake.notify_one();
        sent
    }

    /// The next request that reached the client.
    pub async fn posted(&mut self) -> Request {
        self.posted.recv().await.unwrap()
    }

    /// The next outcome that reached the queue.
    pub async fn settled(&mut self) -> (DeliveryId, DeliveryOutcome) {
        self.settled.recv().await.unwrap()
    }

    /// Returns once the queue has refused an outcome.
    pub async fn refused_settle(&mut self) {
        self.refused.recv().await.unwrap();
    }

    /// Lets time pass until the next outcome reaches the queue.
    pub async fn settled_in_time(&mut self, step: Duration) -> (DeliveryId, DeliveryOutcome) {
        loop {
            if let Ok(settled) = self.settled.try_recv() {
                return settled;
            }
            self.clock.advance(step);
            tokio::task::yield_now().await;
        }
    }

    pub fn advance(&self, duration: Duration) {
        self.clock.advance(duration);
    }

    /// Tells the worker to stop.
    pub fn begin_stop(&mut self) -> JoinHandle<()> {
        let (worker, stop) = self.worker.take().unwrap();
        stop.send(()).unwrap();
        worker
    }

    pub async fn stop(mut self) {
        self.begin_stop().await.unwrap();
    }

    /// Ends the worker in the middle of whatever it does.
    pub async fn kill(&mut self) {
        let (worker, _stop) = self.worker.take().unwrap();
        worker.abort();
        assert!(worker.await.unwrap_err().is_cancelled());
    }
}
