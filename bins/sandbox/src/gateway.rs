//! The gateway half: the server's own `App`, over a driver that is pointed at the simulator.

use std::sync::Arc;

use anyhow::{Context, bail};
use wa_driver::{SimulatedEndpoint, WaDriver, WaSettings};
use wagate::{App, Config, Network, SystemClock};

use crate::phones;

/// Any version will do: the simulator has no opinion, and nobody is asked for the current one.
const VERSION: (u32, u32, u32) = (2, 3000, 0);

/// A gateway over the simulator at `sim_url`.
pub async fn build(config: Config, sim_url: &str) -> anyhow::Result<App> {
    if !config.bind.ip().is_loopback() {
        bail!("the sandbox listens on loopback only, not on {}", config.bind);
    }
    let authority = sim_url
        .strip_prefix("http://")
        .map(|rest| rest.trim_end_matches('/'))
        .with_context(|| format!("{sim_url} is not an address of the form http://127.0.0.1:8081"))?;
    let clock = Arc::new(SystemClock);
    let settings = WaSettings {
        simulated: Some(SimulatedEndpoint {
            websocket_url: format!("ws://{authority}/ws/chat"),
            http_base: format!("http://{authority}"),
        }),
        temp_dir: config.temp_dir(),
        version_override: Some(VERSION),
        max_concurrent_dials: config.whatsapp.max_dials,
        dial_jitter: std::time::Duration::ZERO,
        ..WaSettings::default()
    };
    let driver = WaDriver::new(settings, clock.clone())?;
    let routes = phones::routes(sim_url, clock.clone())?;
    App::build_with(config, Network::Simulated, Arc::new(driver), clock, routes).await
}
