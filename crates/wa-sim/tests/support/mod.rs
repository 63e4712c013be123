//! A simulator on a free port and a client that talks to it, for the tests of the HTTP side.
#![expect(clippy::unwrap_used, reason = "a test helper fails its test")]
#![allow(
    dead_code,
    clippy::allow_attributes,
    reason = "each test binary uses its share"
)]

pub mod linked;

use std::net::SocketAddr;
use std::sync::Arc;

use reqwest::{Client, Response, StatusCode};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use wa_sim::fault::Faults;
use wa_sim::ledger::Ledger;
use wa_sim::media::MediaStore;
use wa_sim::world::SharedWorld;
use wa_sim::{Error, Settings, Sim};

pub const ANNA: &str = "4915550001";
pub const BEN: &str = "4915550002";

/// A simulator that serves until [`Running::stop`].
pub struct Running {
    pub address: SocketAddr,
    pub http: Client,
    pub world: SharedWorld,
    pub ledger: Arc<Ledger>,
    pub faults: Arc<Faults>,
    pub media: Arc<MediaStore>,
    shutdown: oneshot::Sender<()>,
    serving: JoinHandle<Result<(), Error>>,
}

pub async fn start() -> Running {
    start_with(Settings::default()).await
}

pub async fn start_with(settings: Settings) -> Running {
    start_at(SocketAddr::from(([127, 0, 0, 1], 0)), settings).await
}

/// As [`start_with`], where an earlier simulator was.
pub async fn start_at(address: SocketAddr, settings: Settings) -> Running {
    let listener = TcpListener::bind(address).await.unwrap();
    let sim = Sim::bind(listener, settings).unwrap();
    let (shutdown, stopped) = oneshot::channel();
    Running {
        address: sim.address(),
        http: client(),
        world: sim.world(),
        ledger: sim.ledger(),
        faults: sim.faults(),
        media: sim.media(),
        shutdown,
        serving: tokio::spawn(sim.run(async { stopped.await.unwrap_or_default() })),
    }
}

/// Accepts the simulator's own certificate.
pub fn client() -> Client {
    // A second installation changes nothing.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder()
        .danger_accept_invalid_certs(true)
        .no_proxy()
        .build()
        .unwrap()
}

impl Running {
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub async fn get(&self, path: &str) -> (StatusCode, Value) {
        read(self.http.get(self.url(path)).send().await.unwrap()).await
    }

    pub async fn post(&self, path: &str, body: Value) -> (StatusCode, Value) {
        read(self.http.post(self.url(path)).json(&body).send().await.unwrap()).await
    }

    pub async fn delete(&self, path: &str) -> (StatusCode, Value) {
        read(self.http.delete(self.url(path)).send().await.unwrap()).await
    }

    /// Makes a phone or fails the test.
    pub async fn phone(&self, phone: &str, name: &str) -> Value {
        let (status, made) = self
            .post("/sim/phones", serde_json::json!({ "phone": phone, "name": name }))
            .await;
        assert_eq!(status, StatusCode::CREATED, "{made}");
        made
    }

    pub async fn stop(self) -> Result<(), Error> {
        drop(self.shutdown);
        self.serving.await.unwrap()
    }
}

async fn read(reply: Response) -> (StatusCode, Value) {
    (reply.status(), reply.json().await.unwrap())
}
