//! The gateway put together: store, driver, use cases, webhook worker and HTTP server, ready to run.

use std::fmt;
use std::fs::{File, TryLockError};
use std::future::Future;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use actix_web::middleware::from_fn;
use actix_web::web::ServiceConfig;
use actix_web::{App as HttpApp, HttpServer};
use anyhow::{Context, bail};
use tokio::task::JoinHandle;
use wagate_api::{About, ApiKeys, ApiState, RequestIds, Streams, TrustedProxies, close_unread};
use wagate_domain::model::SetupCode;
use wagate_domain::ports::{Clock, Driver};
use wagate_domain::{Accounts, AccountsParts, Dispatch, Gateway, GatewayParts, GatewaySettings};
use wagate_outbound::{
    ClientSettings, GuardedClient, GuardedTargets, HttpMedia, MediaSettings, TargetPolicy,
};
use wagate_store::{Sealer, Store};
use wagate_webhooks::{Schedule, Tester, Worker, WorkerSettings};

use crate::config::{Config, WebhookSettings};
use crate::master_key::{self, Loaded, Source};
use crate::passwords::Argon2Hasher;
use crate::readiness::StoreReadiness;
use crate::world::{SystemSecrets, UlidSource};
use crate::{disk, housekeeping, keys, metrics, post};

/// What a delivery's lease is longer than its timeout: for waiting its turn, and for storing what became of it.
const SETTLING: Duration = Duration::from_secs(20);

/// What the process ends with when the disk failed: started again, it reads what is really there.
const EXIT_DISK_FAILED: i32 = 74;

/// How long requests that run may go on once the server stops.
const HTTP_GRACE_SECONDS: u64 = 10;

/// How long the head of a request may take: who says a byte a second is answered with 408.
const HEAD_PATIENCE: Duration = Duration::from_secs(5);

/// Which WhatsApp a data directory belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Network {
    /// The real one.
    WhatsApp,
    /// The simulator. Its webhooks and media may be on loopback addresses.
    Simulated,
}

impl Network {
    /// Stable name.
    fn as_str(self) -> &'static str {
        match self {
            Self::WhatsApp => "whatsapp",
            Self::Simulated => "simulated",
        }
    }
}

/// Routes that a server has beside those of every gateway; called for each of its threads.
pub type Routes = Arc<dyn Fn(&mut ServiceConfig) + Send + Sync>;

/// A gateway that listens and does not run yet.
pub struct App {
    server: actix_web::dev::Server,
    address: SocketAddr,
    gateway: Arc<Gateway>,
    streams: Streams,
    accounts: Arc<Accounts>,
    worker: Worker,
    store: Store,
    sealer: Sealer,
    /// Where the file with the master key lies, when that is where it is from.
    key_dir: Option<PathBuf>,
    clock: Arc<dyn Clock>,
    generated_key: Option<String>,
    setup_code: Option<SetupCode>,
    /// Held as long as the gateway lives.
    _lock: File,
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("App")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

impl App {
    /// Opens the data directory, the database and the port. Call it on a multi-threaded runtime.
    pub async fn build(
        config: Config,
        network: Network,
        driver: Arc<dyn Driver>,
        clock: Arc<dyn Clock>,
    ) -> anyhow::Result<Self> {
        Self::build_with(config, network, driver, clock, Arc::new(|_| {})).await
    }

    /// The same, with routes of the caller's own. They come last: what the gateway serves stays as it is.
    pub async fn build_with(
        config: Config,
        network: Network,
        driver: Arc<dyn Driver>,
        clock: Arc<dyn Clock>,
        routes: Routes,
    ) -> anyhow::Result<Self> {
        create_private_dir(&config.data_dir)?;
        let lock = lock(&config.data_dir)?;
        let (store, sealer, source) = open_store(&config, network).await?;
        let key_dir = matches!(source, Source::File { .. }).then(|| config.data_dir.clone());
        let key = keys::load_or_generate(&config.data_dir, config.api_key.get())?;
        let listener = TcpListener::bind(config.bind)
            .with_context(|| format!("{} cannot be listened on", config.bind))?;
        let address = listener.local_addr()?;

        let webhook_client = client(
            network,
            config.webhooks.allow_private,
            &config.webhooks.allow,
            config.webhooks.timeout,
        )?;

        let (dispatch, inbox) = Dispatch::new(config.webhooks.concurrency);
        let post: Arc<dyn wagate_webhooks::Post> = Arc::new(post::GuardedPost::new(webhook_client.clone()));
        let worker_settings = worker_settings(&config.webhooks);
        let parts = GatewayParts {
            driver,
            devices: store.devices(),
            workspaces: store.workspaces(),
            webhooks: store.webhooks(),
            directory: store.directory(),
            chats: store.chats(),
            events: store.events(),
            deliveries: store.deliveries(),
            delivery_log: store.delivery_log(),
            tester: Arc::new(Tester::new(
                post.clone(),
                clock.clone(),
                config.webhooks.timeout,
                worker_settings.user_agent.clone(),
            )),
            outbox: store.outbox(),
            keys: store.keys(),
            settings: store.settings(),
            media: Arc::new(media(&config, network)?),
            targets: Arc::new(GuardedTargets::new(webhook_client, "webhooks.allow_private")),
            clock: clock.clone(),
            ids: Arc::new(UlidSource::default()),
            secrets: Arc::new(SystemSecrets),
            dispatch,
        };
        let settings = GatewaySettings {
            default_region: config.region()?,
            delivery_lease: config.webhooks.timeout + SETTLING,
            retention: config.retention,
            secret_overlap: config.webhooks.secret_overlap,
            ..GatewaySettings::default()
        };
        let gateway = Arc::new(Gateway::new(parts, settings));
        gateway.load_settings().await?;
        let worker = Worker::new(
            gateway.delivery_queue(),
            inbox,
            post,
            clock.clone(),
            worker_settings,
        );
        let streams = Streams::default();
        let accounts = Arc::new(accounts(&store, &clock)?);
        accounts.load_api_keys().await?;
        let setup_code = accounts.begin_setup().await?;
        let state = ApiState {
            gateway: gateway.clone(),
            keys: ApiKeys::from_digests(vec![key.digest]),
            accounts: accounts.clone(),
            proxies: TrustedProxies::new(config.trusted_proxies.clone()),
            readiness: Arc::new(StoreReadiness::new(store.clone())),
            metrics: Arc::new(|| metrics::handle().render()),
            disk: disk::space(config.data_dir.clone()),
            max_body_bytes: config.max_body_bytes,
            runtime: tokio::runtime::Handle::current(),
            streams: streams.clone(),
            about: About {
                started_at: clock.now(),
                database: config.store_settings().database(),
                network: network.as_str(),
            },
        };
        metrics::handle();
        let server = serve(listener, state, routes)?;
        Ok(Self {
            server,
            address,
            gateway,
            streams,
            accounts,
            worker,
            store,
            sealer,
            key_dir,
            clock,
            generated_key: key.generated,
            setup_code,
            _lock: lock,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The use cases, for whoever embeds the gateway.
    pub fn gateway(&self) -> Arc<Gateway> {
        self.gateway.clone()
    }

    /// The API key, when it was made just now: show it, nobody can later.
    pub fn generated_key(&self) -> Option<&str> {
        self.generated_key.as_deref()
    }

    /// The code that makes the first admin, while there is none: show it to whoever runs the gateway. It changes at
    /// every start.
    pub fn setup_code(&self) -> Option<&SetupCode> {
        self.setup_code.as_ref()
    }

    /// Runs until `shutdown` completes, then stops cleanly: no new requests, sessions closed, deliveries settled,
    /// database closed. When the disk fails it ends the whole process at once: nothing that it holds can be
    /// trusted then, not even for closing the database.
    pub async fn run(self, shutdown: impl Future<Output = ()>) -> anyhow::Result<()> {
        let now = self.clock.now();
        self.gateway.parts().deliveries.recover(now).await?;
        let interrupted = self.gateway.settle_unfinished_messages().await?;
        if interrupted > 0 {
            tracing::warn!(messages = interrupted, "the former process stopped while sending");
        }
        let (stop_worker, worker_stopped) = tokio::sync::oneshot::channel::<()>();
        let worker: JoinHandle<()> = tokio::spawn(self.worker.run(async {
            let _ = worker_stopped.await;
        }));
        let calls = tokio::spawn({
            let gateway = self.gateway.clone();
            async move { gateway.answer_calls().await }
        });
        let jobs = tokio::spawn({
            let gateway = self.gateway.clone();
            async move { gateway.run_jobs().await }
        });
        let pruning = tokio::spawn(housekeeping::prune(
            self.gateway.clone(),
            self.accounts.clone(),
            self.clock.clone(),
        ));
        let noting = tokio::spawn(housekeeping::note_key_uses(
            self.accounts.clone(),
            self.clock.clone(),
        ));
        let sealing = tokio::spawn(housekeeping::keep_sealed(
            self.store.clone(),
            self.sealer.clone(),
            self.key_dir.clone(),
            self.clock.clone(),
        ));
        let handle = self.server.handle();
        let mut server = tokio::spawn(self.server);
        let resumed = self.gateway.resume_sessions().await?;
        tracing::info!(address = %self.address, sessions = resumed, "gateway is up");

        let mut broken = self.store.broken();
        let outcome = tokio::select! {
            () = shutdown => Ok(()),
            ended = &mut server => Err(anyhow::anyhow!("the HTTP server ended by itself: {ended:?}")),
            Ok(_) = broken.wait_for(|broken| *broken) => {
                tracing::error!("the disk failed: the process ends, to read from disk what is really there");
                std::process::exit(EXIT_DISK_FAILED);
            }
        };
        tracing::info!("stopping");
        // They have no end of their own, and the server waits for answers to end.
        self.streams.end();
        handle.stop(true).await;
        calls.abort();
        jobs.abort();
        pruning.abort();
        noting.abort();
        sealing.abort();
        self.gateway.close_sessions().await;
        let _ = stop_worker.send(());
        let _ = worker.await;
        if let Err(error) = self.accounts.note_key_uses().await {
            tracing::warn!(%error, "the last uses of API keys were not stored");
        }
        self.store.close().await;
        tracing::info!("stopped");
        outcome
    }
}

fn accounts(store: &Store, clock: &Arc<dyn Clock>) -> anyhow::Result<Accounts> {
    Ok(Accounts::new(AccountsParts {
        admins: store.admins(),
        sign_ins: store.sign_ins(),
        api_keys: store.api_keys(),
        hasher: Arc::new(Argon2Hasher::new()?),
        clock: clock.clone(),
        ids: Arc::new(UlidSource::default()),
        secrets: Arc::new(SystemSecrets),
    }))
}

fn worker_settings(webhooks: &WebhookSettings) -> WorkerSettings {
    WorkerSettings {
        timeout: webhooks.timeout,
        concurrency: webhooks.concurrency,
        per_endpoint: webhooks.per_endpoint,
        lease: webhooks.timeout + SETTLING,
        schedule: Schedule {
            steps: webhooks.retries.iter().map(|wait| **wait).collect(),
            ..Schedule::default()
        },
        ..WorkerSettings::default()
    }
}

fn serve(listener: TcpListener, state: ApiState, routes: Routes) -> anyhow::Result<actix_web::dev::Server> {
    let server = HttpServer::new(move || {
        HttpApp::new()
            .wrap(from_fn(close_unread))
            .wrap(RequestIds)
            .configure(wagate_api::configure(state.clone()))
            .configure(wagate_dashboard::configure)
            .configure(|app| routes(app))
    })
    .listen(listener)?
    .disable_signals()
    .client_request_timeout(HEAD_PATIENCE)
    .shutdown_timeout(HTTP_GRACE_SECONDS)
    .run();
    Ok(server)
}

async fn open_store(config: &Config, network: Network) -> anyhow::Result<(Store, Sealer, Source)> {
    let opening = config.clone();
    let opened = tokio::task::spawn_blocking(move || open_sealed(&opening)).await??;
    let kind = match network {
        Network::WhatsApp => wagate_store::Kind::WhatsApp,
        Network::Simulated => wagate_store::Kind::Simulated,
    };
    let stamped = opened.0.stamp(kind).await;
    stamped.context("the data directory cannot be used")?;
    Ok(opened)
}

/// Opens the database with the master key of the configuration or the data directory.
pub(crate) fn open_sealed(config: &Config) -> anyhow::Result<(Store, Sealer, Source)> {
    let Loaded { keyring, source } = master_key::load_or_create(&config.data_dir, config.keyring()?)?;
    let sealer = Sealer::new(keyring);
    let opened = Store::open(&config.store_settings(), sealer.clone());
    let refused = matches!(
        opened,
        Err(wagate_domain::Error::Invalid {
            field: "master_key",
            ..
        })
    );
    if refused && source == (Source::File { created: true }) {
        // It sealed nothing, and would only stand where the lost one belongs.
        master_key::discard(&config.data_dir)?;
    }
    Ok((opened.context("the database cannot be opened")?, sealer, source))
}

/// Fetches files from addresses that clients name.
fn media(config: &Config, network: Network) -> anyhow::Result<HttpMedia> {
    create_private_dir(&config.temp_dir())?;
    let settings = MediaSettings {
        max_bytes: config.media.max_bytes,
        timeout: config.media.timeout,
        ..MediaSettings::new(config.temp_dir())
    };
    let client = client(
        network,
        config.media.allow_private,
        &config.media.allow,
        config.media.timeout,
    )?;
    Ok(HttpMedia::new(client, settings))
}

fn client(
    network: Network,
    allow_private: bool,
    allow: &[ipnet::IpNet],
    timeout: Duration,
) -> anyhow::Result<GuardedClient> {
    let policy = TargetPolicy {
        allow_loopback: network == Network::Simulated,
        allow_private,
        allow_cidrs: allow.to_vec(),
    };
    let settings = ClientSettings {
        connect_timeout: timeout.min(Duration::from_secs(10)),
        timeout,
        user_agent: concat!("wagate/", env!("CARGO_PKG_VERSION")).into(),
    };
    GuardedClient::new(policy, &settings).context("no HTTP client can be made")
}

/// Two gateways on the same keys would destroy the sessions of both. The lock goes with the process, however it ends.
pub(crate) fn lock(data_dir: &Path) -> anyhow::Result<File> {
    let path = data_dir.join("lock");
    let file = File::create(&path).with_context(|| format!("{} cannot be created", path.display()))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => bail!("another wagate runs on {}", data_dir.display()),
        Err(TryLockError::Error(error)) => {
            Err(error).with_context(|| format!("{} cannot be locked", path.display()))
        }
    }
}

/// The directory holds keys to people's accounts: nobody else may look inside.
fn create_private_dir(path: &Path) -> anyhow::Result<()> {
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .with_context(|| format!("{} cannot be created", path.display()))?;
    let mode = std::fs::metadata(path)?.permissions().mode();
    if mode & 0o077 != 0 && std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o700)).is_err() {
        bail!(
            "{} can be read by others, and its mode cannot be changed",
            path.display()
        );
    }
    Ok(())
}
