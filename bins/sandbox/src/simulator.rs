//! The simulator half: a simulated WhatsApp with two people to try things on.

use std::future::Future;
use std::net::SocketAddr;
use std::path::Path;

use anyhow::Context;
use tokio::net::TcpListener;
use wa_sim::{Settings, Sim};

/// Who is there from the start.
const PEOPLE: &[(&str, &str)] = &[("6281200000001", "Alice"), ("6281200000002", "Bob")];

/// A simulator that listens.
pub struct Simulator(Sim);

/// Binds, restores the world, and makes sure that two people are in it.
pub async fn start(bind: SocketAddr, settings: Settings) -> anyhow::Result<Simulator> {
    if !bind.ip().is_loopback() {
        anyhow::bail!("the simulator listens on loopback only, not on {bind}");
    }
    if let Some(parent) = settings.state_file.as_deref().and_then(Path::parent) {
        std::fs::create_dir_all(parent).with_context(|| format!("{} cannot be created", parent.display()))?;
    }
    let listener = TcpListener::bind(bind)
        .await
        .with_context(|| format!("{bind} cannot be listened on"))?;
    let sim = Sim::bind(listener, settings)?;
    for (phone, name) in PEOPLE {
        if sim.world().phone(phone).is_err() {
            sim.world().create_phone(phone, name)?;
        }
    }
    Ok(Simulator(sim))
}

impl Simulator {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.0.address()
    }

    /// Serves until `shutdown` completes.
    pub async fn run_until(self, shutdown: impl Future<Output = ()> + Send + 'static) -> anyhow::Result<()> {
        self.0.run(shutdown).await.context("the simulator stopped")
    }
}
