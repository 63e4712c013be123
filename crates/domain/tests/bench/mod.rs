//! A gateway on fakes, and what the stories have in common.

use std::sync::Arc;

use wagate_domain::gateway::CallPatch;
use wagate_domain::model::{Device, Jid, Token};
use wagate_domain::ports::{Clock, Devices};
use wagate_domain::testing::{
    FakeClock, FakeDriver, FakeIds, FakeMedia, FakeSecrets, FakeSession, FakeTargets, FakeTester, MemoryStore,
};
use wagate_domain::{Dispatch, Gateway, GatewayParts, GatewaySettings};

/// The device of most stories.
pub const SHOP: &str = "shop";

/// The account that it is linked to.
pub const ACCOUNT: &str = "628123456789:7@s.whatsapp.net";

pub struct Bench {
    pub gateway: Gateway,
    pub driver: Arc<FakeDriver>,
    pub clock: Arc<FakeClock>,
    pub store: Arc<MemoryStore>,
    pub media: Arc<FakeMedia>,
    ids: Arc<FakeIds>,
}

impl Bench {
    pub fn new() -> Self {
        let clock = Arc::new(FakeClock::default());
        let driver = Arc::new(FakeDriver::new(clock.clone() as Arc<dyn Clock>));
        let store = Arc::new(MemoryStore::new());
        let media = Arc::new(FakeMedia::new());
        let ids = Arc::new(FakeIds::new());
        let gateway = gateway(&store, &driver, &clock, &media, &ids);
        Self {
            gateway,
            driver,
            clock,
            store,
            media,
            ids,
        }
    }

    /// The process ends and another one starts on the same storage.
    pub async fn restart(&mut self) {
        self.gateway.close_sessions().await;
        self.gateway = gateway(&self.store, &self.driver, &self.clock, &self.media, &self.ids);
    }

    /// Another process on the same storage, beside this one.
    pub fn another(&self) -> Gateway {
        gateway(&self.store, &self.driver, &self.clock, &self.media, &self.ids)
    }

    /// A device that is linked and connected.
    pub async fn paired(&self, name: &str) -> Arc<FakeSession> {
        self.gateway
            .start_session(&token(name), CallPatch::default())
            .await
            .unwrap();
        let session = self.driver.session(name);
        session.issue_qr("2@scan-me").await;
        session.scan(ACCOUNT, Some("987654321@lid")).await;
        session
    }

    pub async fn device(&self, name: &str) -> Device {
        self.store.find(&token(name)).await.unwrap().unwrap()
    }
}

fn gateway(
    store: &Arc<MemoryStore>,
    driver: &Arc<FakeDriver>,
    clock: &Arc<FakeClock>,
    media: &Arc<FakeMedia>,
    ids: &Arc<FakeIds>,
) -> Gateway {
    let parts = GatewayParts {
        driver: driver.clone(),
        devices: store.clone(),
        workspaces: store.clone(),
        webhooks: store.clone(),
        directory: store.clone(),
        chats: store.clone(),
        events: store.clone(),
        deliveries: store.clone(),
        delivery_log: store.clone(),
        outbox: store.clone(),
        keys: store.clone(),
        settings: store.clone(),
        media: media.clone(),
        targets: Arc::new(FakeTargets::new()),
        clock: clock.clone(),
        ids: ids.clone(),
        secrets: Arc::new(FakeSecrets::new()),
        tester: Arc::new(FakeTester::new()),
        dispatch: Dispatch::new(0).0,
    };
    Gateway::new(parts, GatewaySettings::default())
}

pub fn token(name: &str) -> Token {
    name.parse().unwrap()
}

pub fn jid(text: &str) -> Jid {
    text.parse().unwrap()
}

/// Lets other tasks of this test go on until something has happened.
pub async fn until(mut happened: impl FnMut() -> bool) {
    while !happened() {
        tokio::task::yield_now().await;
    }
}
