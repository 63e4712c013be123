//! Puts the simulator together: settings in, world and handles out, one future that serves until told to stop.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use crate::fault::Faults;
use crate::ledger::{self, Ledger, Line};
use crate::media::{self, MediaStore};
use crate::server::{self, Site};
use crate::state_file::StateFile;
use crate::tls;
use crate::world::{SharedWorld, World, WorldSettings};

/// How long WhatsApp keeps a typing state that nobody renews.
const CHATSTATE_TTL: Duration = Duration::from_secs(25);

/// What a simulator may be told at start; the default suits a test.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where the world outlives the process; in memory only when absent. Media goes to a folder beside it.
    pub state_file: Option<PathBuf>,
    /// How long a typing state waits for a recipient who is away.
    pub chatstate_ttl: Duration,
    /// Makes [`Sim::run`] fail when a client broke a rule.
    pub strict: bool,
    /// `host:port` of the media hosts as told to clients; the listener's own address when absent.
    pub media_host: Option<String>,
    /// Largest upload taken, in bytes.
    pub max_media_bytes: usize,
    /// Lines that the ledger keeps.
    pub ledger_cap: usize,
    /// Lets `media_url` of the control API name hosts other than this machine.
    pub remote_media: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            state_file: None,
            chatstate_ttl: CHATSTATE_TTL,
            strict: false,
            media_host: None,
            max_media_bytes: media::DEFAULT_MAX_BYTES,
            ledger_cap: ledger::DEFAULT_CAP,
            remote_media: false,
        }
    }
}

/// Why a simulator did not start or did not end well.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("listener: {0}")]
    Listener(#[from] std::io::Error),
    #[error("certificate: {0}")]
    Tls(String),
    #[error("state file {}: {reason}", path.display())]
    StateFile { path: PathBuf, reason: String },
    #[error("clients broke {} rules, first {:?}", .0.len(), .0.first())]
    Violations(Vec<Line>),
}

/// A simulator that listens and has not yet begun to serve.
pub struct Sim {
    listener: TcpListener,
    address: SocketAddr,
    acceptor: TlsAcceptor,
    site: Arc<Site>,
    state_file: Option<StateFile>,
    strict: bool,
}

impl fmt::Debug for Sim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sim")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

impl Sim {
    /// Builds the world, from the state file if there is one, for clients of this listener.
    pub fn bind(listener: TcpListener, settings: Settings) -> Result<Self, Error> {
        let address = listener.local_addr()?;
        let host = settings.media_host.unwrap_or_else(|| server::host_of(address));
        let acceptor = tls::acceptor(host.rsplit_once(':').map_or(host.as_str(), |(name, _)| name))?;
        let state_file = settings.state_file.map(StateFile::new);

        let ledger = Arc::new(Ledger::new(settings.ledger_cap));
        let faults = Arc::new(Faults::default());
        let folder = state_file.as_ref().map(StateFile::media_folder);
        let media = Arc::new(MediaStore::new(folder, settings.max_media_bytes));
        media.set_host(host.clone());

        let of_world = WorldSettings {
            media_host: host,
            chatstate_ttl: settings.chatstate_ttl,
        };
        let saved = state_file.as_ref().map(StateFile::load).transpose()?.flatten();
        let handles = (ledger.clone(), faults.clone(), media.clone());
        let world = match (saved, &state_file) {
            (Some(saved), Some(file)) => World::restore(of_world, saved, handles.0, handles.1, handles.2)
                .map_err(|error| file.error(&error))?,
            _ => World::new(of_world, handles.0, handles.1, handles.2),
        };
        let site = Arc::new(Site::new(world, ledger, faults, media, settings.remote_media));
        Ok(Self {
            listener,
            address,
            acceptor,
            site,
            state_file,
            strict: settings.strict,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn world(&self) -> SharedWorld {
        self.site.world.clone()
    }

    pub fn ledger(&self) -> Arc<Ledger> {
        self.site.ledger.clone()
    }

    pub fn faults(&self) -> Arc<Faults> {
        self.site.faults.clone()
    }

    pub fn media(&self) -> Arc<MediaStore> {
        self.site.media.clone()
    }

    /// Serves until `shutdown`, then closes every connection and saves the state.
    pub async fn run(self, shutdown: impl Future<Output = ()>) -> Result<(), Error> {
        let Self {
            listener,
            acceptor,
            site,
            state_file,
            strict,
            ..
        } = self;
        let (stop, ledger) = (site.stop.clone(), site.ledger.clone());
        // Stopped last: the final save must see what the closing connections left.
        let served = CancellationToken::new();
        let saving = async {
            match state_file {
                Some(file) => file.keep(site.world.clone(), served.clone()).await,
                None => Ok(()),
            }
        };
        let serving = async {
            server::serve(listener, acceptor, site.clone()).await;
            served.cancel();
        };
        // A run that is dropped ends its sockets as a finished one does.
        let _ending = stop.clone().drop_guard();
        let stopping = async {
            shutdown.await;
            stop.cancel();
        };
        let ((), (), saved) = tokio::join!(stopping, serving, saving);
        saved?;
        let violations = ledger.violations();
        if strict && !violations.is_empty() {
            Err(Error::Violations(violations))
        } else {
            Ok(())
        }
    }
}

/// Serves a fresh world until `shutdown`.
pub async fn run(listener: TcpListener, shutdown: impl Future<Output = ()>) -> Result<(), Error> {
    run_with(listener, Settings::default(), shutdown).await
}

/// As [`run`], with settings.
pub async fn run_with(
    listener: TcpListener,
    settings: Settings,
    shutdown: impl Future<Output = ()>,
) -> Result<(), Error> {
    Sim::bind(listener, settings)?.run(shutdown).await
}
