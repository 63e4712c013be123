//! A real client linked to a simulated phone: what the simulator is for.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tokio::sync::mpsc;
use wacore::store::InMemoryBackend;
use wacore::store::traits::Backend;
use wacore::types::events::Event;
use wacore_binary::Jid;
use waproto::whatsapp::Message;
use whatsapp_rust::TokioRuntime;
use whatsapp_rust::bot::{Bot, BotHandle};
use whatsapp_rust::http::UreqHttpClient;
use whatsapp_rust::transport::TokioWebSocketTransportFactory;

use super::Running;

const PATIENCE: Duration = Duration::from_secs(30);
/// Few, because each costs a key generation in a test.
const PREKEYS: usize = 30;

pub struct Linked {
    pub jid: String,
    bot: BotHandle,
    events: mpsc::UnboundedReceiver<Arc<Event>>,
}

impl Linked {
    /// Starts a client, scans its QR text with `phone` and waits until it is connected.
    pub async fn to(sim: &Running, phone: &str) -> Self {
        let (told, events) = mpsc::unbounded_channel();
        let backend: Arc<dyn Backend> = Arc::new(InMemoryBackend::new());
        let bot = Bot::builder()
            .with_backend_arc(backend)
            .with_transport_factory(
                TokioWebSocketTransportFactory::new().with_url(format!("ws://{}/ws/chat", sim.address)),
            )
            .with_http_client(UreqHttpClient::new())
            .with_runtime(TokioRuntime)
            .with_version((2, 3000, 0))
            .with_wanted_pre_key_count(PREKEYS)
            .on_event(move |event, _| {
                let _ = told.send(event);
                std::future::ready(())
            })
            .build()
            .await
            .unwrap()
            .spawn();
        let mut linked = Self {
            jid: String::new(),
            bot,
            events,
        };
        let qr = linked.wait("QR", |event| match event {
            Event::PairingQrCode(shown) => Some(shown.code.clone()),
            _ => None,
        });
        let qr = qr.await;
        let (status, scanned) = sim
            .post(&format!("/sim/phones/{phone}/scan"), json!({ "qr": qr }))
            .await;
        assert!(status.is_success(), "{scanned}");
        linked.jid = scanned["device"].as_str().unwrap().to_owned();
        linked.connected().await;
        linked
    }

    pub async fn connected(&mut self) {
        self.wait("connected", |event| {
            matches!(event, Event::Connected(_)).then_some(())
        })
        .await;
    }

    /// The next message, which must be this text.
    pub async fn reads(&mut self, text: &str) {
        let message = self.wait("message", |event| match event {
            Event::Messages(batch) => batch
                .messages
                .iter()
                .find_map(|inbound| text_of(&inbound.message)),
            _ => None,
        });
        assert_eq!(message.await, text);
    }

    /// Writes and answers the message id.
    pub async fn write(&self, to: &str, text: &str) -> String {
        let message = Message {
            conversation: Some(text.into()),
            ..Message::default()
        };
        self.bot
            .client()
            .send_message(&Jid::pn(to), message)
            .await
            .unwrap()
            .message_id
    }

    /// What the first event that fits says.
    pub async fn wait<T>(&mut self, what: &str, fits: impl Fn(&Event) -> Option<T>) -> T {
        let mut seen = Vec::new();
        let search = async {
            loop {
                let event = self.events.recv().await.unwrap();
                if let Some(found) = fits(&event) {
                    return found;
                }
                seen.push(event.kind());
            }
        };
        let found = tokio::time::timeout(PATIENCE, search).await;
        found.unwrap_or_else(|_| panic!("no {what} among {seen:?}"))
    }

    pub async fn stop(self) {
        self.bot.shutdown().await;
    }
}

fn text_of(message: &Message) -> Option<String> {
    let extended = message
        .extended_text_message
        .as_option()
        .and_then(|extended| extended.text.clone());
    message.conversation.clone().or(extended)
}
