//! One upstream client: built, used, taken down. A client that was disconnected is of no further use,
//! and two clients must never live on one store, so whoever uses it does so inside [`Live::work`], and
//! taking it down waits until nobody does.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use tokio::sync::RwLock;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;
use wagate_domain::{Error, Result};
use whatsapp_rust::store::persistence_manager::PersistenceManager;
use whatsapp_rust::wacore::store::DevicePropsOverride;
use whatsapp_rust::wacore::types::events::Subscription;
use whatsapp_rust::waproto::whatsapp::device_props::PlatformType;
use whatsapp_rust::{CacheConfig, CacheEntryConfig, Client};

use crate::intake::{Handler, Intake};
use crate::keys::{VaultBackend, unreadable};
use crate::runtime::SessionRuntime;
use crate::settings::WaSettings;
use crate::shared::Shared;
use crate::signal::{Signal, Signals};
use crate::transport::SessionTransport;

/// How long requests that run may take to notice that the client goes away.
const DRAIN_LIMIT: Duration = Duration::from_secs(2);
/// How long the client may take to save and say goodbye.
const DISCONNECT_LIMIT: Duration = Duration::from_secs(5);
/// How long its run loop may take to end after that.
const RUN_END_LIMIT: Duration = Duration::from_secs(1);
/// How long unlinking may take.
const LOGOUT_LIMIT: Duration = Duration::from_secs(10);
/// How long upstream trusts a device list.
const DEVICE_LIST_LIFETIME: Duration = Duration::from_hours(1);

/// A client that runs.
pub(crate) struct Live {
    pub client: Arc<Client>,
    closing: CancellationToken,
    /// Held for reading by everybody who uses the client.
    in_use: RwLock<()>,
}

impl Live {
    /// Does something with the client, unless it is going away.
    pub(crate) async fn work<T>(
        &self,
        work: impl Future<Output = Result<T>>,
        gone: fn() -> Error,
    ) -> Result<T> {
        let _using = self.in_use.read().await;
        tokio::select! {
            biased;
            () = self.closing.cancelled() => Err(gone()),
            done = work => done,
        }
    }
}

/// A client with all that hangs on it; owned by the session's task.
pub(crate) struct Running {
    pub live: Arc<Live>,
    run: JoinHandle<()>,
    subscription: Subscription,
}

impl Running {
    /// Builds a client on the device's keys and lets it connect.
    pub(crate) async fn start(shared: &Arc<Shared>, signals: Signals) -> Result<Self> {
        let keys = VaultBackend::new(
            shared.device,
            shared.vault.clone(),
            shared.clock.clone(),
            shared.parts.world,
        );
        let store = PersistenceManager::new(Arc::new(keys))
            .await
            .map_err(unreadable)?;
        let dialled = signals.clone();
        let transport = Arc::new(SessionTransport::new(
            shared.parts.dialer.clone(),
            move |outcome| {
                dialled.send(Signal::Dialled(outcome));
            },
        ));
        let client = build(shared, Arc::new(store), transport.clone(), signals.clone()).await?;
        let handler = Handler {
            client: Arc::downgrade(&client),
            signals: signals.clone(),
            journal: shared.journal.clone(),
            acks: shared.acks.clone(),
            calls: shared.calls.clone(),
            overheard: shared.overheard.clone(),
            clock: shared.clock.clone(),
        };
        let subscription = client.subscribe(Handler::interest(), Arc::new(handler));
        let closing = CancellationToken::new();
        let run = run(client.clone(), transport, signals, closing.clone());
        let run = tokio::spawn(run.instrument(shared.span.clone()));
        let live = Arc::new(Live {
            client,
            closing,
            in_use: RwLock::new(()),
        });
        Ok(Self {
            live,
            run,
            subscription,
        })
    }

    /// Takes the client down: nobody uses it afterwards, and what it had is saved.
    pub(crate) async fn stop(mut self) {
        self.live.closing.cancel();
        if tokio::time::timeout(DRAIN_LIMIT, self.live.in_use.write())
            .await
            .is_err()
        {
            tracing::warn!("a request did not let go of the client in time");
        }
        if tokio::time::timeout(DISCONNECT_LIMIT, self.live.client.disconnect())
            .await
            .is_err()
        {
            tracing::warn!("the client did not disconnect in time");
        }
        if tokio::time::timeout(RUN_END_LIMIT, &mut self.run).await.is_err() {
            self.run.abort();
        }
        self.subscription.unsubscribe();
    }

    /// Unlinks the device, as far as WhatsApp can be reached, and takes the client down.
    pub(crate) async fn log_out(self) {
        if tokio::time::timeout(LOGOUT_LIMIT, self.live.client.logout())
            .await
            .is_err()
        {
            tracing::warn!("WhatsApp did not confirm in time that the device is unlinked");
        }
        self.stop().await;
    }

    /// Whether upstream has given up saving the session's own row.
    pub(crate) fn stopped_saving(&self) -> bool {
        self.live.client.persistence_manager().is_saver_halted()
    }
}

async fn run(
    client: Arc<Client>,
    transport: Arc<SessionTransport>,
    signals: Signals,
    closing: CancellationToken,
) {
    tokio::select! {
        biased;
        () = closing.cancelled() => return,
        () = transport.await_turn() => {}
    }
    client.run().await;
    signals.send(Signal::Finished);
}

async fn build(
    shared: &Arc<Shared>,
    store: Arc<PersistenceManager>,
    transport: Arc<SessionTransport>,
    signals: Signals,
) -> Result<Arc<Client>> {
    let settings = &shared.parts.settings;
    let intake = Intake {
        device: shared.device,
        sink: shared.sink.clone(),
        signals,
        names: shared.names.clone(),
        failing: AtomicBool::new(false),
    };
    let mut builder = Client::builder()
        .with_runtime(SessionRuntime::new(shared.span.clone()))
        .with_persistence_manager(store)
        .with_transport_factory_arc(transport)
        .with_http_client_arc(shared.parts.http.clone())
        .with_cache_config(caches(settings))
        .with_inbound_durability_hook(intake)
        // What was written before this device was linked is not wanted, and holding it costs memory.
        .with_skip_history_sync(true)
        .with_background_saver_interval(settings.save_interval);
    if let Some(version) = shared.parts.version {
        builder = builder.with_version_override(version);
    }
    let client = builder
        .build()
        .await
        .map_err(|error| unbuildable(&error))?
        .into_client();
    if client.pn().is_none() {
        let props = DevicePropsOverride::new()
            .with_os(settings.device_name.clone())
            .with_platform_type(PlatformType::CHROME);
        client.set_device_props(props).await;
    }
    Ok(client)
}

/// Upstream's defaults suit one account on a phone; these suit many in one process.
fn caches(settings: &WaSettings) -> CacheConfig {
    CacheConfig {
        chat_lanes_capacity: settings.chat_lanes,
        session_locks_capacity: settings.session_locks,
        device_registry_cache: CacheEntryConfig::new(Some(DEVICE_LIST_LIFETIME), settings.device_lists),
        ..CacheConfig::default()
    }
}

fn unbuildable(error: &whatsapp_rust::ClientBuilderError) -> Error {
    tracing::debug!(%error, "the client cannot be built");
    Error::unavailable("database", "the keys of the session could not be written")
}
