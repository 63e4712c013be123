//! The gateway inside another Rust service, without HTTP: the core crate, a store and a driver. Run it beside a
//! simulator (`wagate-sandbox simulator`) to see it end to end, or swap the fakes for `WaDriver` and `Store` as
//! `bins/server/src/app.rs` does.
//!
//! ```sh
//! cargo run --package wagate --example embed
//! ```

use std::io::Write;
use std::sync::Arc;

use wagate::{SystemClock, SystemSecrets, UlidSource};
use wagate_domain::gateway::{CallPatch, MessageRequest, SendOutcome};
use wagate_domain::model::Token;
use wagate_domain::testing::{FakeDriver, FakeMedia, FakeTargets, FakeTester, MemoryStore};
use wagate_domain::{Dispatch, Gateway, GatewayParts, GatewaySettings};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    // Every part is a trait object: take those of the server, the fakes, or your own.
    let clock = Arc::new(SystemClock);
    let store = Arc::new(MemoryStore::default());
    let driver = Arc::new(FakeDriver::new(clock.clone()));
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
        settings: store,
        media: Arc::new(FakeMedia::default()),
        targets: Arc::new(FakeTargets::default()),
        clock,
        ids: Arc::new(UlidSource::default()),
        secrets: Arc::new(SystemSecrets),
        dispatch: Dispatch::new(0).0,
    };
    let gateway = Gateway::new(parts, GatewaySettings::default());

    let token: Token = "shop".parse()?;
    gateway.start_session(&token, CallPatch::default()).await?;
    driver
        .session("shop")
        .scan("6281200000001:7@s.whatsapp.net", None)
        .await;

    let request = MessageRequest {
        to: "+62 812 0000 0002".into(),
        text: Some("Hello".into()),
        ..Default::default()
    };
    if let SendOutcome::Sent(message) = gateway.send_message(&token, request, None).await? {
        writeln!(std::io::stdout(), "message {} sent to {}", message.id, message.to)?;
    }
    gateway.close_sessions().await;
    Ok(())
}
