//! What the parts of one session have in common.

use std::sync::{Arc, PoisonError, RwLock};

use tokio::sync::{Mutex, Semaphore, watch};
use tracing::Span;
use wagate_domain::model::{DeviceId, SessionState};
use wagate_domain::ports::{Clock, EventSink, KeyVault};
use wagate_domain::{Error, Result};

use crate::acks::Acks;
use crate::calls::Calls;
use crate::error;
use crate::http::WaHttp;
use crate::intake::Names;
use crate::journal::Journal;
use crate::keys::{AddressBook, World};
use crate::live::Live;
use crate::settings::WaSettings;
use crate::transport::Dialer;
use crate::typing::Overheard;

/// What all sessions of the process have in common.
pub(crate) struct Parts {
    pub settings: WaSettings,
    pub dialer: Arc<Dialer>,
    pub http: Arc<WaHttp>,
    pub world: World,
    pub version: Option<(u32, u32, u32)>,
}

/// One session.
pub(crate) struct Shared {
    pub device: DeviceId,
    pub parts: Arc<Parts>,
    pub clock: Arc<dyn Clock>,
    pub vault: Arc<dyn KeyVault>,
    pub sink: Arc<dyn EventSink>,
    pub journal: Journal,
    pub overheard: Overheard,
    pub book: AddressBook,
    pub acks: Acks,
    pub calls: Arc<Calls>,
    pub names: Arc<Names>,
    /// Whether we show the account as online. Held while WhatsApp is told.
    pub seen: Mutex<bool>,
    pub uploads: Semaphore,
    pub span: Span,
    pub state: watch::Sender<SessionState>,
    live: RwLock<Option<Arc<Live>>>,
}

impl Shared {
    #[expect(
        clippy::too_many_arguments,
        reason = "each is a part that the session cannot do without"
    )]
    pub(crate) fn new(
        device: DeviceId,
        parts: Arc<Parts>,
        clock: Arc<dyn Clock>,
        vault: Arc<dyn KeyVault>,
        sink: Arc<dyn EventSink>,
        journal: Journal,
        overheard: Overheard,
        book: AddressBook,
    ) -> Self {
        Self {
            device,
            uploads: Semaphore::new(parts.settings.max_concurrent_uploads.max(1)),
            parts,
            clock,
            vault,
            sink,
            journal,
            overheard,
            book,
            acks: Acks::default(),
            calls: Arc::default(),
            names: Arc::default(),
            seen: Mutex::default(),
            // A root: the session outlives the request that opened it.
            span: tracing::info_span!(parent: None, "session", %device),
            state: watch::Sender::new(SessionState::Connecting),
            live: RwLock::new(None),
        }
    }

    /// Hands the client out to requests, or takes it back.
    pub(crate) fn publish(&self, live: Option<Arc<Live>>) {
        *self.live.write().unwrap_or_else(PoisonError::into_inner) = live;
    }

    /// The client, when messages can be sent now.
    pub(crate) fn connected(&self) -> Result<Arc<Live>> {
        let state = self.state.borrow().clone();
        let live = self.live.read().unwrap_or_else(PoisonError::into_inner).clone();
        live.filter(|_| state.is_connected())
            .ok_or_else(|| error::not_connected(state.as_str()))
    }

    /// The error of a request whose client went away before anything left the machine.
    pub(crate) fn went_away() -> Error {
        error::not_connected("disconnected")
    }
}
