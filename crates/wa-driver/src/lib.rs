//! The way to WhatsApp: the one crate that names `whatsapp-rust`. It implements the domain's
//! [`Driver`] and [`Session`], and no type of upstream's leaves it.
//!
//! Start reading at [`WaDriver`], then `session`, then `actor`, which holds the state machine.

// Upstream's deeply nested futures exceed the default when the compiler proves them `Send`.
#![recursion_limit = "512"]

mod acks;
mod actor;
mod calls;
mod convert;
mod error;
mod http;
mod intake;
mod journal;
#[doc(hidden)]
pub mod keys;
mod live;
mod lookup;
mod machine;
mod pairing;
mod profile;
mod reading;
mod runtime;
mod send;
mod session;
mod settings;
mod shared;
mod signal;
mod transport;
mod trust;
mod typing;

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use wagate_domain::model::Device;
use wagate_domain::ports::{Clock, Driver, EventSink, KeyVault, Session};
use wagate_domain::{Error, Result};
use whatsapp_rust::wacore::store::traits::DeviceStore as _;

pub use settings::{SimulatedEndpoint, WaSettings};
pub use trust::{assert_verification_on, verification_is_on};

use http::WaHttp;
use journal::Journal;
use keys::{AddressBook, VaultBackend, World};
use session::WaSession;
use shared::{Parts, Shared};
use transport::{Dialer, Reach};
use typing::Overheard;

/// The version that a client claims in a simulation when none is configured.
const SIMULATED_VERSION: (u32, u32, u32) = (2, 3_000, 1_042_742_319);

/// Makes sessions that talk to WhatsApp, or to a simulator.
pub struct WaDriver {
    parts: Arc<Parts>,
    clock: Arc<dyn Clock>,
}

impl fmt::Debug for WaDriver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WaDriver")
            .field("settings", &self.parts.settings)
            .finish_non_exhaustive()
    }
}

impl WaDriver {
    /// A driver with one dialler and one HTTP client for all its sessions. `Invalid` for addresses that
    /// cannot be used, `Internal` when a simulation is asked of a build that verifies servers.
    pub fn new(settings: WaSettings, clock: Arc<dyn Clock>) -> Result<Self> {
        let verified = verification_is_on();
        if verified && settings.simulated.is_some() {
            return Err(Error::internal(
                "a simulation needs a build with the feature \"sim\"",
            ));
        }
        let reach = if verified {
            Reach::Internet
        } else {
            Reach::Loopback
        };
        let world = if settings.simulated.is_some() {
            World::Simulated
        } else {
            World::WhatsApp
        };
        let simulated_version = settings.simulated.as_ref().map(|_| SIMULATED_VERSION);
        let parts = Parts {
            dialer: Arc::new(Dialer::new(&settings, reach)?),
            http: Arc::new(WaHttp::new(&settings, clock.clone())?),
            world,
            version: settings.version_override.or(simulated_version),
            settings,
        };
        Ok(Self {
            parts: Arc::new(parts),
            clock,
        })
    }
}

#[async_trait]
impl Driver for WaDriver {
    async fn open(
        &self,
        device: &Device,
        keys: Arc<dyn KeyVault>,
        events: Arc<dyn EventSink>,
    ) -> Result<Arc<dyn Session>> {
        let backend = VaultBackend::new(device.id, keys.clone(), self.clock.clone(), self.parts.world);
        // Keys of the other world, or keys that cannot be read, must stop the session here: upstream
        // would make new ones in their place.
        backend.load().await.map_err(keys::unreadable)?;
        let book = AddressBook::new(device.id, keys.clone());
        let (journal, writer) = Journal::start(device.id, events.clone(), book.clone());
        let (overheard, passing_on) = Overheard::start(device.id, events.clone());
        let parts = self.parts.clone();
        let shared = Arc::new(Shared::new(
            device.id,
            parts,
            self.clock.clone(),
            keys,
            events,
            journal,
            overheard,
            book,
        ));
        tokio::spawn(tracing::Instrument::instrument(writer, shared.span.clone()));
        tokio::spawn(tracing::Instrument::instrument(passing_on, shared.span.clone()));
        Ok(Arc::new(WaSession::start(shared)))
    }
}

#[cfg(test)]
mod tests {
    use wagate_domain::testing::FakeClock;

    use super::*;

    fn simulated() -> WaSettings {
        let endpoint = SimulatedEndpoint {
            websocket_url: "ws://127.0.0.1:1/ws/chat".into(),
            http_base: "http://127.0.0.1:1".into(),
        };
        WaSettings {
            simulated: Some(endpoint),
            ..WaSettings::default()
        }
    }

    #[test]
    fn a_build_that_verifies_servers_refuses_to_simulate() {
        let made = WaDriver::new(simulated(), Arc::new(FakeClock::default()));
        assert_eq!(made.is_ok(), cfg!(feature = "sim"));
        assert!(WaDriver::new(WaSettings::default(), Arc::new(FakeClock::default())).is_ok());
    }
}
