//! A session that finds nobody to talk to: it says so, keeps trying, and ends when told to.
#![expect(
    clippy::unwrap_used,
    reason = "a story that does not go as told must panic: that is how a test fails"
)]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use tokio::net::TcpListener;
use tokio::time::timeout;
use ulid::Ulid;
use wa_driver::{WaDriver, WaSettings};
use wagate_domain::model::{
    Content, Device, DeviceId, Event, Jid, OutgoingMessage, PhoneNumber, SessionState, Timestamp, Typing,
    TypingState,
};
use wagate_domain::ports::{Devices as _, Driver as _, EventSink, KeyVault as _, Session};
use wagate_domain::testing::{FakeClock, MemoryStore};
use wagate_domain::{Error, Needs};

/// Longest wait for something to happen.
const PATIENCE: Duration = Duration::from_secs(20);

#[derive(Default)]
struct Sink(Mutex<Vec<Event>>);

#[async_trait]
impl EventSink for Sink {
    fn typing(&self, _device: DeviceId, _typing: Typing) {}

    async fn commit(&self, _device: DeviceId, events: Vec<Event>) -> wagate_domain::Result<()> {
        self.0.lock().unwrap().extend(events);
        Ok(())
    }
}

struct Story {
    driver: WaDriver,
    device: Device,
    store: Arc<MemoryStore>,
    sink: Arc<Sink>,
}

impl Story {
    /// A driver that dials a port on which nobody listens.
    async fn begin() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let settings = WaSettings {
            websocket_url: Some(format!("ws://{}/ws/chat", listener.local_addr().unwrap())),
            version_override: Some((2, 3_000, 1)),
            dial_jitter: Duration::ZERO,
            ..WaSettings::default()
        };
        drop(listener);
        let device = Device::new(
            DeviceId::new(Ulid::from_parts(1, 1)),
            "shop".parse().unwrap(),
            Timestamp(0),
        );
        let store = Arc::new(MemoryStore::new());
        store.create(device.clone()).await.unwrap();
        let driver = WaDriver::new(settings, Arc::new(FakeClock::default())).unwrap();
        Self {
            driver,
            device,
            store,
            sink: Arc::default(),
        }
    }

    async fn open(&self) -> Arc<dyn Session> {
        self.driver
            .open(&self.device, self.store.clone(), self.sink.clone())
            .await
            .unwrap()
    }
}

async fn until(session: &Arc<dyn Session>, fits: impl Fn(&SessionState) -> bool) {
    let mut state = session.state();
    timeout(PATIENCE, state.wait_for(|state| fits(state)))
        .await
        .unwrap()
        .unwrap();
}

fn gave_up(times: u32) -> impl Fn(&SessionState) -> bool {
    move |state| matches!(state, SessionState::Unreachable { attempts, .. } if *attempts >= times)
}

#[tokio::test]
async fn a_session_without_a_network_says_so_and_keeps_trying() {
    let story = Story::begin().await;
    let session = story.open().await;
    until(&session, gave_up(2)).await;
    session.reconnect().await.unwrap();
    until(&session, gave_up(1)).await;
    session.close().await;
    assert_eq!(*session.state().borrow(), SessionState::Stopped);
    assert!(
        story.sink.0.lock().unwrap().is_empty(),
        "it was never connected, so nothing was lost"
    );
}

#[tokio::test]
async fn what_needs_a_connection_is_refused_without_one() {
    let story = Story::begin().await;
    let session = story.open().await;
    let message = OutgoingMessage {
        id: session.new_message_id(),
        to: Jid::phone("628111"),
        content: Content::Text("hello".into()),
    };
    let refused = session.send(&message).await.unwrap_err();
    assert!(
        matches!(
            refused,
            Error::WrongState {
                needs: Needs::Connected,
                ..
            }
        ),
        "{refused}"
    );
    let number = PhoneNumber::parse("628111222", None).unwrap();
    assert!(matches!(
        session.look_up(&[number]).await,
        Err(Error::WrongState { .. })
    ));
    assert!(matches!(session.groups().await, Err(Error::WrongState { .. })));
    let typed = session
        .set_typing(&Jid::phone("628111"), TypingState::Composing)
        .await;
    assert!(matches!(typed, Err(Error::WrongState { .. })));
    session.logout().await.unwrap();
    session.close().await;
    assert!(
        story.sink.0.lock().unwrap().is_empty(),
        "it was never linked, so nothing was unlinked"
    );
    assert!(
        matches!(session.reconnect().await, Err(Error::Unavailable { .. })),
        "it is closed"
    );
}

#[tokio::test]
async fn keys_are_made_once_and_found_again() {
    let story = Story::begin().await;
    let key = || {
        story.store.scan(
            story.device.id,
            wagate_domain::ports::KeyKind::Device,
            bytes::Bytes::new(),
        )
    };
    let session = story.open().await;
    until(&session, gave_up(1)).await;
    session.close().await;
    let first = key().await.unwrap();
    assert_eq!(first.len(), 1);
    let session = story.open().await;
    until(&session, gave_up(1)).await;
    session.close().await;
    let identity = |rows: &[(bytes::Bytes, bytes::Bytes)]| {
        let row: serde_json::Value = serde_json::from_slice(&rows[0].1).unwrap();
        row["device"]["identity_key"].clone()
    };
    assert_eq!(identity(&key().await.unwrap()), identity(&first));
}

#[tokio::test]
async fn a_database_that_is_away_is_told_when_a_session_opens() {
    let story = Story::begin().await;
    story.store.go_down();
    let opened = story
        .driver
        .open(&story.device, story.store.clone(), story.sink.clone())
        .await;
    assert!(matches!(
        opened.err(),
        Some(Error::Unavailable { what: "database", .. })
    ));
}
