//! A simulated WhatsApp and a gateway over it, in this process, each of which can be stopped and started again.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use wa_driver::{SimulatedEndpoint, WaDriver, WaSettings};
use wa_sim::world::SharedWorld;
use wa_sim::world::view::MessageView;
use wa_sim::{Settings, Sim};
use wagate::{App, Config, Network, SystemClock};
use wagate_domain::Gateway;
use wagate_domain::model::Token;

use crate::client::{API_KEY, Client};

/// Longest wait for something to happen.
pub const PATIENCE: Duration = Duration::from_secs(30);

struct Running {
    stop: oneshot::Sender<()>,
    task: JoinHandle<anyhow::Result<()>>,
}

impl Running {
    async fn stop(self) {
        let _ = self.stop.send(());
        self.task.await.unwrap().unwrap();
    }
}

/// Gateway and simulator.
pub struct Sandbox {
    /// The gateway's API.
    pub api: Client,
    /// The simulated world.
    pub world: SharedWorld,
    /// What went over the wire.
    pub ledger: Arc<wa_sim::ledger::Ledger>,
    /// What can go wrong.
    pub faults: Arc<wa_sim::fault::Faults>,
    sim_authority: String,
    sim: Running,
    gateway: Option<Running>,
    core: Arc<Gateway>,
    data: TempDir,
}

impl std::fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sandbox")
            .field("sim", &self.sim_authority)
            .finish_non_exhaustive()
    }
}

impl Sandbox {
    /// Starts both, with these people in the world.
    pub async fn start(people: &[(&str, &str)]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let sim = Sim::bind(listener, Settings::default()).unwrap();
        let sim_authority = sim.address().to_string();
        let (world, ledger, faults) = (sim.world(), sim.ledger(), sim.faults());
        for (phone, name) in people {
            world.create_phone(phone, name).unwrap();
        }
        let (stop, stopped) = oneshot::channel::<()>();
        let task = tokio::spawn(async move {
            let stopped = async {
                let _ = stopped.await;
            };
            sim.run(stopped).await.map_err(anyhow::Error::from)
        });
        let data = tempfile::tempdir().unwrap();
        let (api, core, gateway) = start_gateway(data.path(), &sim_authority).await;
        let sim = Running { stop, task };
        Self {
            api,
            world,
            ledger,
            faults,
            sim_authority,
            sim,
            gateway: Some(gateway),
            core,
            data,
        }
    }

    /// A gateway whose WhatsApp is out of reach: nobody listens where it dials.
    pub async fn start_unreachable() -> Self {
        let mut sandbox = Self::start(&[]).await;
        sandbox.stop_gateway().await;
        let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap();
        sandbox.sim_authority = nobody.local_addr().unwrap().to_string();
        drop(nobody);
        sandbox.start_gateway().await;
        sandbox
    }

    /// Stops the gateway as SIGTERM does.
    pub async fn stop_gateway(&mut self) {
        self.gateway.take().unwrap().stop().await;
    }

    /// Starts the gateway again on the same data.
    pub async fn start_gateway(&mut self) {
        let (api, core, gateway) = start_gateway(self.data.path(), &self.sim_authority).await;
        self.api = api;
        self.core = core;
        self.gateway = Some(gateway);
    }

    /// Stops both and looks at what the simulator has to complain about.
    pub async fn finish(mut self) {
        if self.gateway.is_some() {
            self.stop_gateway().await;
        }
        self.sim.stop().await;
        let violations = self.ledger.violations();
        assert!(
            violations.is_empty(),
            "the gateway broke WhatsApp's rules: {violations:#?}"
        );
    }

    /// Creates a device token and lets a phone scan its QR code. Returns the companion's JID.
    pub async fn pair(&self, token: &str, phone: &str) -> String {
        self.api.post("/api/start", json!({ "token": token })).await.ok();
        let body = self.api.post("/api/qrcode", json!({ "token": token })).await.ok();
        let qr = read_qr(body["qrcode"].as_str().unwrap());
        let jid = self.world.scan(phone, &qr).await.unwrap();
        self.wait_for_status(token, "connected", |status| status["connected"] == true)
            .await;
        jid
    }

    /// Where the simulator listens.
    pub fn sim_url(&self) -> String {
        format!("http://{}", self.sim_authority)
    }

    /// The secret that signs what goes to the device's endpoint.
    pub async fn webhook_secret(&self, token: &Token) -> String {
        self.core
            .webhook(token)
            .await
            .unwrap()
            .unwrap()
            .secret
            .reveal()
            .to_owned()
    }

    /// The device's status, once it fits.
    pub async fn wait_for_status(&self, token: &str, what: &str, fits: impl Fn(&Value) -> bool) -> Value {
        let path = format!("/api/status?token={token}");
        let last = std::sync::Mutex::new(Value::Null);
        let found = async {
            // Status is a question, not an event: ask until it fits.
            let mut ticks = tokio::time::interval(Duration::from_millis(20));
            loop {
                ticks.tick().await;
                let status = self.api.get(&path).await.body;
                if fits(&status) {
                    return status;
                }
                *last.lock().unwrap() = status;
            }
        };
        tokio::time::timeout(PATIENCE, found)
            .await
            .unwrap_or_else(|_| panic!("status never became {what}: {}", last.lock().unwrap()))
    }

    /// The first message on a phone that fits, waiting for it.
    pub async fn wait_for_message(
        &self,
        phone: &str,
        what: &str,
        fits: impl Fn(&MessageView) -> bool,
    ) -> MessageView {
        let found = self.wait_for_world(|world| {
            world
                .messages(phone)
                .unwrap()
                .into_iter()
                .find(|message| fits(message))
        });
        match tokio::time::timeout(PATIENCE, found).await {
            Ok(found) => found,
            Err(_) => panic!("{phone} has no {what}: {:#?}", self.world.messages(phone)),
        }
    }

    /// The message with this text on a phone.
    pub async fn wait_for_text(&self, phone: &str, text: &str) -> MessageView {
        self.wait_for_message(phone, text, |message| message.text.as_deref() == Some(text))
            .await
    }

    /// What `look` finds in the world, as soon as it finds something.
    pub async fn wait_for_world<T>(&self, look: impl Fn(&SharedWorld) -> Option<T>) -> T {
        let mut changes = self.world.changes();
        loop {
            changes.mark_unchanged();
            if let Some(found) = look(&self.world) {
                return found;
            }
            changes.changed().await.unwrap();
        }
    }
}

async fn start_gateway(data: &Path, sim_authority: &str) -> (Client, Arc<Gateway>, Running) {
    let env = [
        ("WAGATE_BIND", "127.0.0.1:0".to_owned()),
        ("WAGATE_DATA_DIR", data.join("gateway").display().to_string()),
        ("WAGATE_API_KEY", API_KEY.to_owned()),
    ];
    let config = Config::load(None, env.map(|(name, value)| (name.to_owned(), value)).into()).unwrap();
    let clock = Arc::new(SystemClock);
    let settings = WaSettings {
        simulated: Some(SimulatedEndpoint {
            websocket_url: format!("ws://{sim_authority}/ws/chat"),
            http_base: format!("http://{sim_authority}"),
        }),
        temp_dir: data.to_owned(),
        version_override: Some((2, 3000, 0)),
        dial_jitter: Duration::ZERO,
        ..WaSettings::default()
    };
    let driver = WaDriver::new(settings, clock.clone()).unwrap();
    let phones = wagate_sandbox::phones::routes(&format!("http://{sim_authority}"), clock.clone()).unwrap();
    let app = App::build_with(config, Network::Simulated, Arc::new(driver), clock, phones)
        .await
        .unwrap();
    let api = Client::new(app.address());
    let core = app.gateway();
    let (stop, stopped) = oneshot::channel::<()>();
    let task = tokio::spawn(app.run(async {
        let _ = stopped.await;
    }));
    (api, core, Running { stop, task })
}

/// Reads the pairing string out of the PNG, as a phone's camera would.
pub fn read_qr(data_uri: &str) -> String {
    use base64::Engine as _;
    let png = data_uri
        .strip_prefix("data:image/png;base64,")
        .expect("a PNG as data URI");
    let png = base64::prelude::BASE64_STANDARD.decode(png).unwrap();
    let image = image::load_from_memory(&png).unwrap().to_luma8();
    let mut prepared = rqrr::PreparedImage::prepare(image);
    let grids = prepared.detect_grids();
    let (_, text) = grids.first().expect("a QR code in the picture").decode().unwrap();
    text
}
