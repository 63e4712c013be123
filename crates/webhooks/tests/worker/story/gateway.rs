//! A gateway on fakes: whoever records.

use std::sync::Arc;

use wagate_domain::testing::{
    FakeClock, FakeDriver, FakeIds, FakeMedia, FakeSecrets, FakeTargets, FakeTester, MemoryStore,
};
use wagate_domain::{Dispatch, Gateway, GatewayParts, GatewaySettings};

pub fn gateway(
    store: &Arc<MemoryStore>,
    driver: &Arc<FakeDriver>,
    clock: &Arc<FakeClock>,
    ids: &Arc<FakeIds>,
    dispatch: &Dispatch,
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
        tester: Arc::new(FakeTester::new()),
        outbox: store.clone(),
        keys: store.clone(),
        settings: store.clone(),
        media: Arc::new(FakeMedia::new()),
        targets: Arc::new(FakeTargets::new()),
        clock: clock.clone(),
        ids: ids.clone(),
        secrets: Arc::new(FakeSecrets::new()),
        dispatch: dispatch.clone(),
    };
    Gateway::new(parts, GatewaySettings::default())
}
