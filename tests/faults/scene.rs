//! What every story begins with: a simulator, a gateway process over it, devices that are linked, and a receiver that
//! hears of all of them.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;
use wagate_tests::process::Program;
use wagate_tests::sandbox::read_qr;
use wagate_tests::simulator::Silence;
use wagate_tests::{Client, GatewayProcess, Proxy, Receiver, Simulator};

use crate::chance::Chance;
use crate::database::{Database, Storage};
use crate::ledgers::is_acknowledgement;

/// Longest wait for a state that has no reason to take long.
pub const PATIENCE: Duration = Duration::from_secs(30);
/// Between two questions about a state.
const ASK: Duration = Duration::from_millis(50);
/// Devices that are linked side by side: each makes hundreds of keys.
const PAIRED_AT_ONCE: usize = 4;
/// People who write to the devices.
pub const WRITERS: &[&str] = &["6281320000001", "6281320000002", "6281320000003", "6281320000004"];

static PROGRAM: LazyLock<Program> = LazyLock::new(|| Program::open(env!("CARGO_BIN_EXE_wagate-under-test")));

/// A number that the gateway holds.
#[derive(Debug, Clone)]
pub struct Number {
    pub token: String,
    pub phone: String,
    /// The linked device.
    pub jid: String,
}

/// What a scene is made of.
#[derive(Debug)]
pub struct Plan {
    database: Database,
    devices: usize,
    behind_proxy: bool,
    data: Option<PathBuf>,
    env: Vec<(String, String)>,
}

impl Plan {
    /// One device, directly at the simulator.
    pub fn new(database: Database) -> Self {
        Self {
            database,
            devices: 1,
            behind_proxy: false,
            data: None,
            env: Vec::new(),
        }
    }

    pub fn devices(mut self, devices: usize) -> Self {
        self.devices = devices;
        self
    }

    /// The gateway reaches the simulator through [`Scene::proxy`].
    pub fn behind_proxy(mut self) -> Self {
        self.behind_proxy = true;
        self
    }

    /// The gateway keeps its data here instead of in a folder of the scene's.
    pub fn data_in(mut self, data: &Path) -> Self {
        self.data = Some(data.to_owned());
        self
    }

    /// One more setting for the gateway.
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.env.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Starts everything, links the devices and registers the receiver for each.
    pub async fn start(self) -> Scene {
        let mut scene = self.start_unlinked().await;
        scene.link_all().await;
        for number in scene.numbers.clone() {
            scene.hook(&number.token, &scene.receiver.url()).await;
        }
        scene
    }

    async fn start_unlinked(self) -> Scene {
        let chance = Chance::new();
        let sim = Simulator::start().await;
        for (index, writer) in WRITERS.iter().enumerate() {
            sim.world
                .create_phone(writer, &format!("Writer {index}"))
                .unwrap();
        }
        let proxy = if self.behind_proxy {
            Some(Proxy::start(sim.address, chance.seed()).await)
        } else {
            None
        };
        let storage = Storage::start(self.database);
        let folder = tempfile::tempdir().unwrap();
        let data = self.data.unwrap_or_else(|| folder.path().join("data"));
        let sim_address = proxy.as_ref().map_or(sim.address, |proxy| proxy.address);
        let mut env = vec![
            ("WAGATE_DATA_DIR".to_owned(), data.display().to_string()),
            ("WAGATE_DATABASE_URL".to_owned(), storage.url()),
            ("WAGATE_SIM_URL".to_owned(), format!("http://{sim_address}")),
        ];
        env.extend(self.env);
        let mut gateway = GatewayProcess::new(&PROGRAM, folder.path(), env);
        gateway.start().await;
        let numbers = (0..self.devices).map(|index| Number {
            token: format!("device-{index}"),
            phone: format!("62812100{index:05}"),
            jid: String::new(),
        });
        Scene {
            gateway,
            numbers: numbers.collect(),
            receiver: Receiver::start(),
            proxy,
            sim,
            storage,
            chance,
            data,
            _folder: folder,
        }
    }
}

/// Everything, running.
#[derive(Debug)]
pub struct Scene {
    pub gateway: GatewayProcess,
    pub numbers: Vec<Number>,
    pub receiver: Receiver,
    proxy: Option<Proxy>,
    pub sim: Simulator,
    pub storage: Storage,
    pub chance: Chance,
    /// The gateway's data directory.
    pub data: PathBuf,
    _folder: TempDir,
}

impl Scene {
    /// The line between gateway and simulator.
    pub fn proxy(&self) -> &Proxy {
        self.proxy.as_ref().expect("the plan says behind_proxy")
    }

    async fn link_all(&mut self) {
        let mut linked = Vec::new();
        for some in self.numbers.chunks(PAIRED_AT_ONCE) {
            linked.extend(futures_util::future::join_all(some.iter().map(|number| self.link(number))).await);
        }
        self.numbers = linked;
    }

    /// Creates the device, with a phone for it when there is none, and links it.
    pub async fn link(&self, number: &Number) -> Number {
        let Number { token, phone, .. } = number;
        if self.sim.world.phone(phone).is_err() {
            self.sim.world.create_phone(phone, token).unwrap();
        }
        let api = self.gateway.api();
        api.post("/api/start", json!({ "token": token })).await.ok();
        let body = api.post("/api/qrcode", json!({ "token": token })).await.ok();
        let qr = read_qr(body["qrcode"].as_str().expect("a code to scan"));
        let jid = self.sim.world.scan(phone, &qr).await.unwrap();
        self.wait_for_state(token, "connected", PATIENCE).await;
        Number {
            jid,
            ..number.clone()
        }
    }

    /// Tells the device's events to this address.
    pub async fn hook(&self, token: &str, url: &str) {
        let body = json!({ "token": token, "url": url });
        self.gateway.api().post("/api/webhook", body).await.ok();
    }

    /// The state of a device once it is this one.
    pub async fn wait_for_state(&self, token: &str, state: &str, limit: Duration) -> Value {
        let api = self.gateway.api();
        let last = std::sync::Mutex::new(Value::Null);
        let asking = async {
            loop {
                let status = status(&api, token).await;
                if status["state"] == state {
                    return status;
                }
                *last.lock().unwrap() = status;
                tokio::time::sleep(ASK).await;
            }
        };
        tokio::time::timeout(limit, asking).await.unwrap_or_else(|_| {
            panic!(
                "{token} was not {state} within {limit:?}: {}",
                last.lock().unwrap()
            )
        })
    }

    /// Waits until every device is connected.
    pub async fn wait_all_connected(&self, limit: Duration) {
        let waiting = self
            .numbers
            .iter()
            .map(|number| self.wait_for_state(&number.token, "connected", limit));
        futures_util::future::join_all(waiting).await;
    }

    /// Waits until the gateway has acknowledged the messages to WhatsApp.
    pub async fn wait_acknowledged(&self, ids: &[String], limit: Duration) {
        for id in ids {
            let line = self
                .sim
                .ledger
                .wait_for(|line| is_acknowledgement(line, id), limit);
            assert!(line.await.is_some(), "{id} was not acknowledged within {limit:?}");
        }
    }

    /// Stops everything; fails when a client broke a rule of WhatsApp's.
    pub async fn finish(self) {
        self.finish_after(Silence::Never).await;
    }

    /// As [`Scene::finish`], of a story whose line swallowed something.
    pub async fn finish_after(mut self, silence: Silence) {
        let status = self.gateway.terminate().await;
        assert!(status.success(), "the gateway ended with {status}");
        self.sim.assert_no_violations(silence);
        self.sim.stop().await;
    }
}

/// What the gateway says about a device.
pub async fn status(api: &Client, token: &str) -> Value {
    api.get(&format!("/api/status?token={token}")).await.body
}
