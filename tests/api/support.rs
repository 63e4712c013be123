//! The app under test, and transcripts of what it answers.

use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use actix_web::dev::ServerHandle;
use actix_web::middleware::from_fn;
use actix_web::{App, HttpServer};
use async_trait::async_trait;
use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};
use tempfile::TempDir;
use wagate_api::{
    About, ApiKeys, ApiState, DiskSpace, Readiness, RequestIds, Streams, TrustedProxies, close_unread,
};
use wagate_domain::ports::Clock;
use wagate_domain::testing::{
    FakeClock, FakeDriver, FakeHasher, FakeIds, FakeMedia, FakeSecrets, FakeSession, FakeTargets, FakeTester,
};
use wagate_domain::{Accounts, AccountsParts, Dispatch, Gateway, GatewayParts, GatewaySettings};
use wagate_store::{Keyring, MasterKey, Sealer, Store, StoreSettings};

use crate::answer::Answer;

/// The key that the app is started with.
pub const KEY: &str = "test-key";

/// Small enough that a test can exceed it without writing much.
pub const MAX_BODY_BYTES: usize = 4096;

/// How full the disk is.
pub const DISK: DiskSpace = DiskSpace {
    free_bytes: 30_000_000_000,
    total_bytes: 100_000_000_000,
};

/// The account that [`TestApp::paired`] links.
pub const ACCOUNT: &str = "628123456789:7@s.whatsapp.net";
pub const ACCOUNT_LID: &str = "987654321@lid";

/// The app on a free port, and everything behind it.
pub struct TestApp {
    pub driver: Arc<FakeDriver>,
    pub clock: Arc<FakeClock>,
    pub store: Store,
    pub media: Arc<FakeMedia>,
    pub targets: Arc<FakeTargets>,
    pub gateway: Arc<Gateway>,
    pub readiness: Arc<FakeReadiness>,
    pub streams: Streams,
    pub accounts: Arc<Accounts>,
    base: String,
    client: Client,
    server: ServerHandle,
    directory: TempDir,
}

impl TestApp {
    pub fn start() -> Self {
        Self::start_with(TrustedProxies::default())
    }

    /// One that takes whoever talks to it for its reverse proxy.
    pub fn behind_proxy() -> Self {
        Self::start_with(TrustedProxies::new(vec!["127.0.0.1/32".parse().unwrap()]))
    }

    fn start_with(proxies: TrustedProxies) -> Self {
        let clock = Arc::new(FakeClock::default());
        let driver = Arc::new(FakeDriver::new(clock.clone() as Arc<dyn Clock>));
        let (media, targets) = (Arc::default(), Arc::default());
        let directory = tempfile::tempdir().unwrap();
        let store = open_store(&directory);
        let parts = parts(&store, &driver, &clock, &media, &targets);
        let gateway = Arc::new(Gateway::new(parts, GatewaySettings::default()));
        tokio::spawn({
            let gateway = gateway.clone();
            async move { gateway.run_jobs().await }
        });
        let readiness = Arc::new(FakeReadiness::default());
        let streams = Streams::default();
        let accounts = Arc::new(accounts(&store, &clock));
        let state = ApiState {
            gateway: gateway.clone(),
            keys: ApiKeys::from_plain(&[KEY]),
            accounts: accounts.clone(),
            proxies,
            readiness: readiness.clone(),
            metrics: Arc::new(|| "wagate_up 1\n".into()),
            disk: Arc::new(|| Some(DISK)),
            max_body_bytes: MAX_BODY_BYTES,
            runtime: tokio::runtime::Handle::current(),
            streams: streams.clone(),
            about: About {
                started_at: clock.now(),
                database: "sqlite",
                network: "whatsapp",
            },
        };
        let (base, server) = serve(state);
        // Without a provider the client cannot even be built, though nothing here speaks TLS.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder().build().unwrap();
        Self {
            driver,
            clock,
            store,
            media,
            targets,
            gateway,
            readiness,
            streams,
            accounts,
            base,
            client,
            server,
            directory,
        }
    }

    /// A started device whose phone has scanned, and its session.
    pub async fn paired(&self, token: &str) -> Arc<FakeSession> {
        let session = self.started(token).await;
        session.issue_qr("2@scan-me").await;
        session.scan(ACCOUNT, Some(ACCOUNT_LID)).await;
        session
    }

    /// A started device that waits for a code, and its session.
    pub async fn started(&self, token: &str) -> Arc<FakeSession> {
        let answer = self.post("/api/start", json!({ "token": token })).await;
        assert_eq!(answer.status, 200, "{answer}");
        self.driver.session(token)
    }

    /// Stops as the server does, and returns once every request is answered.
    pub async fn stop(&self) {
        self.streams.end();
        self.server.stop(true).await;
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.call(self.request(Method::GET, path)).await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        self.call(self.request(Method::DELETE, path)).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.call(self.request(Method::POST, path).json(&body)).await
    }

    /// A body as it is, and no content type, as old clients send it.
    pub async fn send_raw(&self, method: Method, path: &str, body: impl Into<reqwest::Body>) -> Answer {
        self.call(self.request(method, path).body(body)).await
    }

    /// A request with the key, for whoever adds to it.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.request_without_key(method, path).header("apikey", KEY)
    }

    /// Where its database lies.
    pub fn directory(&self) -> &std::path::Path {
        self.directory.path()
    }

    /// Where it is, as a browser names it.
    pub fn base(&self) -> &str {
        &self.base
    }

    pub fn request_without_key(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.base))
    }

    /// Sends, and reads everything of the answer.
    pub async fn call(&self, request: RequestBuilder) -> Answer {
        let request = request.build().unwrap();
        let query = request
            .url()
            .query()
            .map(|query| format!("?{query}"))
            .unwrap_or_default();
        let asked = format!("{} {}{query}", request.method(), request.url().path());
        let said = request
            .body()
            .and_then(|body| body.as_bytes())
            .map(|body| String::from_utf8_lossy(body).into_owned());
        let response = self.client.execute(request).await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        assert!(headers.contains_key("x-request-id"), "{asked}: no x-request-id");
        let body = response.text().await.unwrap();
        Answer {
            asked,
            said,
            status,
            headers,
            body,
        }
    }
}

impl Drop for TestApp {
    fn drop(&mut self) {
        // The command is on its way when this returns; nobody has to wait for it.
        drop(self.server.stop(false));
    }
}

fn parts(
    store: &Store,
    driver: &Arc<FakeDriver>,
    clock: &Arc<FakeClock>,
    media: &Arc<FakeMedia>,
    targets: &Arc<FakeTargets>,
) -> GatewayParts {
    GatewayParts {
        driver: driver.clone(),
        devices: store.devices(),
        workspaces: store.workspaces(),
        webhooks: store.webhooks(),
        directory: store.directory(),
        chats: store.chats(),
        events: store.events(),
        deliveries: store.deliveries(),
        delivery_log: store.delivery_log(),
        tester: Arc::new(FakeTester::new()),
        outbox: store.outbox(),
        keys: store.keys(),
        settings: store.settings(),
        media: media.clone(),
        targets: targets.clone(),
        clock: clock.clone(),
        ids: Arc::new(FakeIds::new()),
        secrets: Arc::new(FakeSecrets::new()),
        dispatch: Dispatch::new(0).0,
    }
}

fn accounts(store: &Store, clock: &Arc<FakeClock>) -> Accounts {
    Accounts::new(AccountsParts {
        admins: store.admins(),
        sign_ins: store.sign_ins(),
        api_keys: store.api_keys(),
        hasher: Arc::new(FakeHasher::new()),
        clock: clock.clone(),
        ids: Arc::new(FakeIds::new()),
        secrets: Arc::new(FakeSecrets::new()),
    })
}

fn open_store(directory: &TempDir) -> Store {
    let file = directory.path().join("wagate.db");
    let sealer = Sealer::new(Keyring::new(MasterKey::from_bytes([7; 32]), Vec::new()));
    Store::open(
        &StoreSettings::new(format!("sqlite://{}", file.display())),
        sealer,
    )
    .unwrap()
}

fn serve(state: ApiState) -> (String, ServerHandle) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let routes = wagate_api::configure(state);
    let app = move || {
        App::new()
            .wrap(from_fn(close_unread))
            .wrap(RequestIds)
            .configure(routes.clone())
    };
    let server = HttpServer::new(app)
        .workers(1)
        .disable_signals()
        .listen(listener)
        .unwrap()
        .run();
    let handle = server.handle();
    tokio::spawn(server);
    (base, handle)
}

/// Ready until a test says otherwise.
#[derive(Default)]
pub struct FakeReadiness(Mutex<Option<String>>);

impl FakeReadiness {
    pub fn lack(&self, what: &str) {
        *self.0.lock().unwrap() = Some(what.into());
    }
}

#[async_trait]
impl Readiness for FakeReadiness {
    async fn check(&self) -> Result<(), String> {
        self.0.lock().unwrap().clone().map_or(Ok(()), Err)
    }
}
