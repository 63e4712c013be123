//! The receivers of examples/receivers, each run as its README says: what is signed is processed once, also
//! over a restart, and nothing else is.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on must stop here")]

#[path = "signatures/install.rs"]
mod install;

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use reqwest::{Client, Method};
use serde_json::json;
use standardwebhooks::Webhook;
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::mpsc;
use tokio::task::{JoinHandle, JoinSet};
use wagate::SystemClock;
use wagate_domain::ports::Clock;

const SECRET: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oDazfgFcF6Z2w=";
const PATIENCE: Duration = Duration::from_secs(30);
/// Beyond the five minutes that a timestamp may be off.
const TOO_FAR: i64 = 330;

/// How an example is started.
struct Example {
    program: &'static str,
    arguments: &'static [&'static str],
    folder: PathBuf,
    /// The variable that says where seen ids are kept.
    memory: &'static str,
}

fn source(name: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    root.join("examples/receivers").join(name)
}

/// An example that runs, and all that it says.
struct Running {
    process: Child,
    url: String,
    readers: [JoinHandle<()>; 2],
    said: Arc<Mutex<Vec<String>>>,
}

impl Running {
    /// Starts it on a free port and waits until it listens.
    async fn start(example: &Example, memory: &Path) -> Self {
        let mut process = Command::new(example.program)
            .args(example.arguments)
            .current_dir(&example.folder)
            .env("WEBHOOK_SECRET", SECRET)
            .env("PORT", "0")
            .env(example.memory, memory)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let said = Arc::<Mutex<Vec<String>>>::default();
        let (lines, mut heard) = mpsc::unbounded_channel();
        let readers = [
            read(process.stdout.take().unwrap(), said.clone(), lines.clone()),
            read(process.stderr.take().unwrap(), said.clone(), lines),
        ];
        let address = async {
            loop {
                let line: String = heard.recv().await.unwrap();
                if let Some((_, rest)) = line.split_once("http://127.0.0.1:") {
                    return rest.chars().take_while(char::is_ascii_digit).collect::<String>();
                }
            }
        };
        let port = tokio::time::timeout(PATIENCE, address).await.unwrap();
        Self {
            process,
            url: format!("http://127.0.0.1:{port}/"),
            readers,
            said,
        }
    }

    /// Kills it, as a crash would, and returns everything that it said.
    async fn stop(mut self) -> Vec<String> {
        self.process.kill().await.unwrap();
        for reader in self.readers {
            reader.await.unwrap();
        }
        self.said.lock().unwrap().clone()
    }
}

fn read(
    stream: impl AsyncRead + Unpin + Send + 'static,
    said: Arc<Mutex<Vec<String>>>,
    lines: mpsc::UnboundedSender<String>,
) -> JoinHandle<()> {
    tokio::spawn(async move {
        let mut stream = BufReader::new(stream).lines();
        while let Ok(Some(line)) = stream.next_line().await {
            said.lock().unwrap().push(line.clone());
            // Nobody listens any more once the address is known.
            let _ = lines.send(line);
        }
    })
}

/// A signed request, to be changed and posted.
#[derive(Clone)]
struct Delivery {
    id: String,
    timestamp: String,
    signature: String,
    body: String,
}

impl Delivery {
    fn new(id: &str, text: &str) -> Self {
        Self::at(id, text, 0)
    }

    /// Signed as many seconds from now.
    fn at(id: &str, text: &str, seconds: i64) -> Self {
        let body = json!({ "event": "message", "event_id": id, "text": text }).to_string();
        let timestamp = SystemClock.now().as_secs() + seconds;
        let signature = Webhook::new(SECRET).unwrap().sign(id, timestamp, body.as_bytes());
        Self {
            id: id.into(),
            timestamp: timestamp.to_string(),
            signature: signature.unwrap(),
            body,
        }
    }

    async fn post(&self, http: &Client, url: &str) -> u16 {
        let request = http
            .request(Method::POST, url)
            .header("content-type", "application/json")
            .header("webhook-id", &self.id)
            .header("webhook-timestamp", &self.timestamp)
            .header("webhook-signature", &self.signature);
        let answer = request.body(self.body.clone()).send().await.unwrap();
        answer.status().as_u16()
    }
}

/// One change at a time to a delivery that would be accepted.
fn forgeries() -> Vec<(&'static str, Delivery)> {
    let real = || Delivery::new("evt_forged", "send me money");
    let changed = |change: fn(&mut Delivery)| {
        let mut delivery = real();
        change(&mut delivery);
        delivery
    };
    vec![
        ("id", changed(|it| it.id.push('0'))),
        ("body", changed(|it| it.body = it.body.replace("money", "mercy"))),
        ("form of the body", changed(|it| it.body.push('\n'))),
        ("odd timestamp", changed(|it| it.timestamp = "now".into())),
        ("no signature", changed(|it| it.signature.clear())),
        ("odd signature", changed(|it| it.signature = "v1,%".into())),
        (
            "other version",
            changed(|it| it.signature = it.signature.replace("v1", "v2")),
        ),
        ("replayed", Delivery::at("evt_forged", "old", -TOO_FAR)),
        ("from the future", Delivery::at("evt_forged", "new", TOO_FAR)),
    ]
}

async fn processes_each_signed_event_once(example: Example) {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let http = Client::builder().build().unwrap();
    let memory = tempfile::tempdir().unwrap();
    let memory = memory.path().join("seen");
    let first = Running::start(&example, &memory).await;
    let (plain, odd) = (
        Delivery::new("evt_plain", "hello"),
        Delivery::new("evt_odd", "🙂 \0 ü"),
    );
    for delivery in [&plain, &plain, &odd, &Delivery::at("evt_plain", "hello", 1)] {
        assert_eq!(delivery.post(&http, &first.url).await, 204);
    }
    for (change, delivery) in forgeries() {
        assert_eq!(delivery.post(&http, &first.url).await, 401, "{change}");
    }
    let mut renewed = Delivery::new("evt_renewed", "two secrets");
    renewed.signature = format!("v1,{} {}", "A".repeat(43) + "=", renewed.signature);
    assert_eq!(renewed.post(&http, &first.url).await, 204);
    let mut crowd = JoinSet::new();
    for _ in 0..8 {
        let (http, url) = (http.clone(), first.url.clone());
        crowd.spawn(async move { Delivery::new("evt_crowd", "all at once").post(&http, &url).await });
    }
    assert_eq!(crowd.join_all().await, [204; 8]);
    assert!(!http.get(&first.url).send().await.unwrap().status().is_success());
    let mut said = first.stop().await;

    let second = Running::start(&example, &memory).await;
    for delivery in [&plain, &odd, &Delivery::new("evt_later", "after a restart")] {
        assert_eq!(delivery.post(&http, &second.url).await, 204);
    }
    said.extend(second.stop().await);

    let times = |id: &str| said.iter().filter(|line| line.contains(id)).count();
    let counts = [
        "evt_plain",
        "evt_odd",
        "evt_renewed",
        "evt_crowd",
        "evt_later",
        "evt_forged",
    ]
    .map(times);
    assert_eq!(counts, [1, 1, 1, 1, 1, 0], "{said:#?}");
}

#[tokio::test]
async fn node() {
    processes_each_signed_event_once(Example {
        program: "node",
        arguments: &["receiver.mjs"],
        folder: install::npm(&source("node")),
        memory: "SEEN_FILE",
    })
    .await;
}

#[tokio::test]
async fn python() {
    processes_each_signed_event_once(Example {
        program: "python3",
        arguments: &["receiver.py"],
        folder: install::pip(&source("python")),
        memory: "SEEN_FILE",
    })
    .await;
}

#[tokio::test]
async fn php() {
    processes_each_signed_event_once(Example {
        program: "php",
        arguments: &["-S", "127.0.0.1:0", "receiver.php"],
        folder: source("php"),
        memory: "SEEN_DIR",
    })
    .await;
}
