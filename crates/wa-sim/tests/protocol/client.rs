//! The real client as a test subject, and waiting without sleeping.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test helper fails its test"
)]

use crate::support::Running;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use wa_sim::world::World;
use wa_sim::world::view::MessageView;
use wacore::store::InMemoryBackend;
use wacore::types::events::{ChannelEventHandler, Event};
use whatsapp_rust::async_channel::Receiver;
use whatsapp_rust::http::{HttpClient, HttpRequest, HttpResponse, UreqHttpClient};
use whatsapp_rust::store::persistence_manager::PersistenceManager;
use whatsapp_rust::transport::TokioWebSocketTransportFactory;
use whatsapp_rust::waproto::whatsapp as wa;
use whatsapp_rust::{Client, Jid, TokioRuntime};

pub const LIMIT: Duration = Duration::from_secs(30);

/// A client that runs until it is stopped or dropped.
pub struct Device {
    pub client: Arc<Client>,
    pub events: Receiver<Arc<Event>>,
    backend: Arc<InMemoryBackend>,
    running: JoinHandle<()>,
}

impl Drop for Device {
    fn drop(&mut self) {
        self.running.abort();
    }
}

/// Media hosts are https by protocol; the simulator's certificate is its own, so tests take the plain side.
struct PlainHttp(UreqHttpClient);

#[whatsapp_rust::async_trait]
impl HttpClient for PlainHttp {
    async fn execute(&self, mut request: HttpRequest) -> anyhow::Result<HttpResponse> {
        request.url = request.url.replacen("https://", "http://", 1);
        self.0.execute(request).await
    }
}

impl Device {
    /// Starts a client on a fresh store.
    pub async fn start(sim: &Running) -> Self {
        Self::on(sim, Arc::new(InMemoryBackend::new())).await
    }

    async fn on(sim: &Running, backend: Arc<InMemoryBackend>) -> Self {
        let store = PersistenceManager::new(backend.clone()).await.unwrap();
        let url = format!("ws://{}/ws/chat", sim.address);
        let client = Client::builder()
            .with_persistence_manager(Arc::new(store))
            .with_transport_factory(TokioWebSocketTransportFactory::new().with_url(url))
            .with_http_client(PlainHttp(UreqHttpClient::new()))
            .with_runtime(TokioRuntime)
            .with_version_override((2, 3000, 0))
            .with_background_saver_interval(Duration::from_secs(30))
            .with_skip_history_sync(true)
            .build()
            .await
            .unwrap()
            .into_client();
        let (handler, events) = ChannelEventHandler::new();
        client.subscribe_handler(handler).detach();
        client.set_force_active_delivery_receipts(true);
        let runner = client.clone();
        let running = tokio::spawn(async move { runner.run().await });
        Self {
            client,
            events,
            backend,
            running,
        }
    }

    /// Makes a phone, scans the client's code with it and waits until the client is ready.
    pub async fn paired(sim: &Running, phone: &str, name: &str) -> Self {
        if sim.world.phone(phone).is_err() {
            sim.world.create_phone(phone, name).unwrap();
        }
        let device = Self::start(sim).await;
        let qr = device.qr().await;
        sim.world.scan(phone, &qr).await.unwrap();
        device.ready().await;
        device
    }

    pub async fn qr(&self) -> String {
        self.wait("a QR code", |event| match event {
            Event::PairingQrCode(qr) => Some(qr.code.clone()),
            _ => None,
        })
        .await
    }

    pub async fn ready(&self) {
        self.client.wait_for_connected(LIMIT).await.unwrap();
        self.client.wait_for_startup_sync(LIMIT).await.unwrap();
    }

    /// Disconnects and comes back later on the same store.
    pub async fn stop(self) -> Stopped {
        self.client.disconnect().await;
        Stopped {
            backend: self.backend.clone(),
        }
    }

    /// A second client on the same store, which nobody should ever run.
    pub async fn twin(&self, sim: &Running) -> Self {
        Self::on(sim, self.backend.clone()).await
    }

    /// The first event that `pick` takes.
    pub async fn wait<T>(&self, what: &str, mut pick: impl FnMut(&Event) -> Option<T>) -> T {
        let search = async {
            loop {
                let event = self.events.recv().await.expect("the client is gone");
                if let Some(found) = pick(&event) {
                    return found;
                }
            }
        };
        timeout(LIMIT, search)
            .await
            .unwrap_or_else(|_| panic!("no {what}"))
    }

    /// Waits for a text; answers its id, chat and author.
    pub async fn text(&self, text: &str) -> (String, Jid, Jid) {
        self.wait(text, |event| {
            let found = event
                .messages()
                .find(|message| message.message.conversation.as_deref() == Some(text))?;
            Some((
                found.info.id.clone(),
                found.info.source.chat.clone(),
                found.info.source.sender.clone(),
            ))
        })
        .await
    }

    pub async fn say(&self, to: &Jid, text: &str) -> String {
        let message = wa::Message {
            conversation: Some(text.to_owned()),
            ..Default::default()
        };
        self.client
            .send_message(to.clone(), message)
            .await
            .unwrap()
            .message_id
    }
}

pub struct Stopped {
    backend: Arc<InMemoryBackend>,
}

impl Stopped {
    pub async fn again(self, sim: &Running) -> Device {
        Device::on(sim, self.backend).await
    }
}

/// Waits until the world answers, looking again at each change.
pub async fn until<T>(world: &World, what: &str, mut look: impl FnMut(&World) -> Option<T>) -> T {
    let mut changes = world.changes();
    let search = async {
        loop {
            if let Some(found) = look(world) {
                return found;
            }
            changes.changed().await.unwrap();
        }
    };
    timeout(LIMIT, search)
        .await
        .unwrap_or_else(|_| panic!("never happened: {what}"))
}

/// Waits until a phone has a message with this text.
pub async fn phone_gets(world: &World, phone: &str, text: &str) -> MessageView {
    until(world, text, |world| {
        let messages = world.messages(phone).unwrap();
        messages
            .into_iter()
            .find(|message| message.text.as_deref() == Some(text))
    })
    .await
}

pub fn pn(phone: &str) -> Jid {
    Jid::pn(phone)
}

/// No client may have broken a rule.
pub fn assert_clean(sim: &Running) {
    let violations = sim.ledger.violations();
    assert!(violations.is_empty(), "{violations:#?}");
}
