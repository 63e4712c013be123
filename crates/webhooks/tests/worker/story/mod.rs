//! A gateway and a worker on the memory store, a client that answers by script, and channels on which a test
//! waits for what happens instead of for time to pass.
#![expect(
    clippy::unwrap_used,
    reason = "a story that cannot go on must panic: that is how a test fails"
)]

mod client;
mod gateway;
mod queue;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use wagate_domain::gateway::CallPatch;
use wagate_domain::model::{
    Attempt, DeliveryId, DeliveryOutcome, DeviceId, EventBody, EventId, EventKind, MessageId,
    ReceivedMessage, SigningSecret, Timestamp, Webhook, WebhookId,
};
use wagate_domain::ports::{
    Clock, DeliveryLog, DeliveryQueue, Devices, EventBatch, EventStore, IdSource, NewDelivery, NewEvent,
    Reservation, Webhooks,
};
use wagate_domain::testing::{FakeClock, FakeDriver, FakeIds, MemoryStore};
use wagate_domain::{Dispatch, Gateway, Inbox};
use wagate_webhooks::{Request, Worker, WorkerSettings};

pub use client::{FakePost, Reply};
use gateway::gateway;
pub use queue::WatchedQueue;

/// Slots of the short way.
const SLOTS: usize = 64;

pub struct Story {
    pub store: Arc<MemoryStore>,
    pub clock: Arc<FakeClock>,
    pub client: Arc<FakePost>,
    pub queue: Arc<WatchedQueue>,
    gateway: Gateway,
    driver: Arc<FakeDriver>,
    dispatch: Dispatch,
    posted: mpsc::UnboundedReceiver<Request>,
    settled: mpsc::UnboundedReceiver<(DeliveryId, DeliveryOutcome)>,
    refused: mpsc::UnboundedReceiver<()>,
    settings: WorkerSettings,
    ids: Arc<FakeIds>,
    worker: Option<(JoinHandle<()>, oneshot::Sender<()>)>,
}

pub struct Endpoint {
    pub name: String,
    pub device: DeviceId,
    pub webhook: WebhookId,
    pub secret: SigningSecret,
}

#[derive(Debug)]
pub struct Sent {
    pub event: EventId,
    pub delivery: DeliveryId,
}

impl Story {
    pub async fn new() -> Self {
        Self::with(WorkerSettings::default()).await
    }

    pub async fn with(settings: WorkerSettings) -> Self {
        Self::at(FakeClock::START, settings).await
    }

    pub async fn at(now: Timestamp, settings: WorkerSettings) -> Self {
        let (posts, posted) = mpsc::unbounded_channel();
        let (settles, settled) = mpsc::unbounded_channel();
        let (on_refusal, refused) = mpsc::unbounded_channel();
        let memory = Arc::new(MemoryStore::new());
        let clock = Arc::new(FakeClock::new(now));
        let driver = Arc::new(FakeDriver::new(clock.clone() as Arc<dyn Clock>));
        let ids = Arc::new(FakeIds::new());
        let (dispatch, inbox) = Dispatch::new(SLOTS);
        let mut story = Self {
            gateway: gateway(&memory, &driver, &clock, &ids, &dispatch),
            queue: Arc::new(WatchedQueue::new(memory.clone(), settles, on_refusal)),
            store: memory,
            clock,
            client: Arc::new(FakePost::new(posts)),
            driver,
            dispatch,
            posted,
            settled,
            refused,
            settings,
            ids,
            worker: None,
        };
        story.start(inbox);
        // The worker has nothing to do and sleeps.
        story.clock.sleepers(1).await;
        story
    }

    fn start(&mut self, inbox: Inbox) {
        let (queue, client, clock) = (self.queue.clone(), self.client.clone(), self.clock.clone());
        let worker = Worker::new(queue, inbox, client, clock, self.settings.clone()).with_seed(7);
        let (stop, stopped) = oneshot::channel::<()>();
        let run = worker.run(async move {
            let _told = stopped.await;
        });
        self.worker = Some((tokio::spawn(run), stop));
    }

    /// Another worker, that nobody records for any more.
    pub fn restart(&mut self) {
        let (dispatch, inbox) = Dispatch::new(0);
        self.dispatch = dispatch;
        self.start(inbox);
    }

    /// An endpoint at `https://NAME.example/hook`, of a linked device of its own.
    pub async fn endpoint(&self, name: &str) -> Endpoint {
        let token = name.parse().unwrap();
        self.gateway
            .start_session(&token, CallPatch::default())
            .await
            .unwrap();
        let session = self.driver.session(name);
        session.issue_qr("2@scan-me").await;
        session.scan("628123456789:7@s.whatsapp.net", None).await;
        let device = self.store.find(&token).await.unwrap().unwrap();
        let endpoint = Endpoint {
            name: name.into(),
            device: device.id,
            webhook: WebhookId::new(self.ids.next()),
            secret: SigningSecret::from_bytes(&[9; 32]),
        };
        let url = format!("https://{name}.example/hook?key=1");
        let now = self.clock.now();
        let webhook = Webhook::seed(endpoint.webhook, device.id, url, endpoint.secret.clone(), now);
        self.store.put_seed(&webhook, now).await.unwrap();
        endpoint
    }

    /// A message arrives in this chat of the endpoint's device: its delivery goes the short way.
    pub async fn receive(&self, endpoint: &Endpoint, chat: u32) {
        let sender = format!("6281{chat:08}@s.whatsapp.net").parse().unwrap();
        let message = ReceivedMessage {
            id: MessageId(self.ids.next().to_string()),
            chat: Clone::clone(&sender),
            sender,
            sender_lid: None,
            chat_lid: None,
            from_me: false,
            push_name: None,
            at: self.clock.now(),
            kind: "conversation".into(),
            text: "Hello".into(),
            media: None,
            raw: serde_json::Value::Null,
        };
        let body = EventBody::MessageReceived(Box::new(message));
        self.driver.session(&endpoint.name).receive(body).await.unwrap();
    }

    /// Records an event of one conversation, without the short way.
    pub async fn record(&self, endpoint: &Endpoint, lane: &str, body: &str) -> Sent {
        self.record_all(endpoint, &[(lane, body.as_bytes())])
            .await
            .remove(0)
    }

    /// Records events in one go and tells the worker.
    pub async fn record_all(&self, endpoint: &Endpoint, events: &[(&str, &[u8])]) -> Vec<Sent> {
        let now = self.clock.now();
        let mut batch = EventBatch::new(endpoint.device);
        let mut all = Vec::new();
        for (lane, body) in events {
            let sent = Sent {
                event: EventId::new(self.ids.next()),
                delivery: DeliveryId::new(self.ids.next()),
            };
            batch.events.push(NewEvent {
                id: sent.event,
                kind: EventKind::Message,
                dedupe_key: None,
                at: now,
                recorded_at: now,
                data: Bytes::from_static(b"{}"),
                chat: None,
                lane: (*lane).into(),
                deliveries: vec![NewDelivery {
                    id: sent.delivery,
                    webhook: endpoint.webhook,
                    body: Bytes::copy_from_slice(body),
                }],
            });
            all.push(sent);
        }
        self.store.record(batch).await.unwrap();
        self.dispatch.announce();
        all
    }

    /// One event in each of so many conversations.
    pub async fn record_lanes(&self, endpoint: &Endpoint, lanes: usize) -> Vec<Sent> {
        let names: Vec<String> = (0..lanes).map(|lane| lane.to_string()).collect();
        let events: Vec<_> = names.iter().map(|name| (name.as_str(), &b"{}"[..])).collect();
        self.record_all(endpoint, &events).await
    }

    /// The next request that reached the client.
    pub async fn posted(&mut self) -> Request {
        self.posted.recv().await.unwrap()
    }

    /// Returns once so many more requests have reached the client.
    pub async fn posted_times(&mut self, count: usize) {
        for _ in 0..count {
            self.posted().await;
        }
    }

    /// The next outcome that reached the queue.
    pub async fn settled(&mut self) -> (DeliveryId, DeliveryOutcome) {
        self.settled.recv().await.unwrap()
    }

    /// The next so many of them.
    pub async fn settled_times(&mut self, count: usize) -> Vec<DeliveryOutcome> {
        let mut outcomes = Vec::new();
        while outcomes.len() < count {
            outcomes.push(self.settled().await.1);
        }
        outcomes
    }

    /// Whether an outcome has reached the queue that no one has asked for yet.
    pub fn has_settled(&mut self) -> bool {
        !self.settled.is_empty()
    }

    /// Returns once the queue has refused outcomes.
    pub async fn refused_settle(&mut self) {
        self.refused.recv().await.unwrap();
    }

    /// Lets time pass until the next outcome reaches the queue.
    pub async fn settled_in_time(&mut self, step: Duration) -> (DeliveryId, DeliveryOutcome) {
        loop {
            if let Ok(settled) = self.settled.try_recv() {
                return settled;
            }
            self.advance(step);
            rest().await;
        }
    }

    pub fn advance(&self, duration: Duration) {
        self.clock.advance(duration);
    }

    pub async fn attempts(&self, delivery: DeliveryId) -> Vec<Attempt> {
        self.store.attempts(delivery).await.unwrap()
    }

    pub async fn stored(&self, endpoint: &Endpoint) -> Webhook {
        Webhooks::get(&*self.store, endpoint.webhook)
            .await
            .unwrap()
            .unwrap()
    }

    /// How many deliveries somebody else could make now; takes them.
    pub async fn take_due(&self) -> usize {
        let all = Reservation {
            now: self.clock.now(),
            lease: Duration::from_secs(1),
            limit: 100,
            per_webhook: 100,
            busy: Vec::new(),
        };
        self.store.reserve(all).await.unwrap().len()
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

/// Lets every other task of this test go on until each waits for something: nothing here waits for the
/// world outside.
pub async fn rest() {
    for _ in 0..1_000 {
        tokio::task::yield_now().await;
    }
}
