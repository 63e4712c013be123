//! From an inbound event to the webhook of its receiver, stored before it is acknowledged: how many a second, how long
//! one takes, and how fast a backlog drains, on SQLite and on PostgreSQL. Everything but WhatsApp is real: the server's
//! own `App` with its store, its worker and its HTTP client, and a receiver on loopback. The floors are measured in the
//! same run: bare POSTs of the same bodies, and one fdatasync.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a benchmark prints, and stops when it cannot go on"
)]

use std::io::Write as _;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use actix_web::{App as HttpApp, HttpResponse, HttpServer, web};
use futures_util::StreamExt as _;
use serde_json::json;
use tokio::sync::{Notify, oneshot};
use wagate::{App, Config, Network, SystemClock};
use wagate_domain::Gateway;
use wagate_domain::gateway::{CallPatch, WebhookPatch};
use wagate_domain::model::{EventBody, Jid, MessageId, ReceivedMessage, Timestamp, Token};
use wagate_domain::testing::{FakeDriver, FakeSession};
use wagate_tests::postgres::{Cluster, ClusterSettings, Durability};

/// Devices, each with an endpoint of its own.
const DEVICES: usize = 100;
/// Events of a throughput run.
const EVENTS: usize = 20_000;
/// Events that are being recorded at the same time.
const IN_FLIGHT: usize = 256;
/// Conversations of each device.
const CHATS: usize = 20;
/// Events a second, and for how long, when the time of one is measured.
const RATE: u64 = 200;
const SECONDS: u64 = 20;

/// Counts what arrives, and when each first did.
#[derive(Default)]
struct Arrivals {
    count: AtomicUsize,
    arrived: Notify,
    at: Mutex<Vec<Option<Instant>>>,
}

impl Arrivals {
    fn expect(&self, events: usize) {
        *self.at.lock().unwrap() = vec![None; events];
        self.count.store(0, Ordering::SeqCst);
    }

    fn note(&self, body: &[u8]) {
        let now = Instant::now();
        // The number stands at the start of the text; parsing the whole body would measure the parser.
        let text = String::from_utf8_lossy(body);
        let number = text
            .split_once("no.")
            .and_then(|(_, rest)| rest.split_once(' ')?.0.parse::<usize>().ok());
        if let Some(number) = number
            && let Some(slot @ None) = self.at.lock().unwrap().get_mut(number)
        {
            *slot = Some(now);
            self.count.fetch_add(1, Ordering::SeqCst);
            self.arrived.notify_one();
        }
    }

    async fn all(&self, events: usize) {
        while self.count.load(Ordering::SeqCst) < events {
            self.arrived.notified().await;
        }
    }
}

async fn receive(body: web::Bytes, arrivals: web::Data<Arrivals>) -> HttpResponse {
    arrivals.note(&body);
    HttpResponse::NoContent().finish()
}

fn receiver(arrivals: &Arc<Arrivals>) -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    let data = web::Data::from(arrivals.clone());
    let server = HttpServer::new(move || {
        HttpApp::new()
            .app_data(data.clone())
            .default_service(web::to(receive))
    })
    .workers(1)
    .disable_signals()
    .listen(listener)
    .unwrap()
    .run();
    tokio::spawn(server);
    url
}

fn event(number: usize) -> EventBody {
    let chat = Jid::phone(format!("62811{:04}", number / DEVICES % CHATS));
    let text = format!("no.{number} {}", "x".repeat(300));
    EventBody::MessageReceived(Box::new(ReceivedMessage {
        id: MessageId(format!("M{number}-{}", std::process::id())),
        chat: chat.clone(),
        sender: chat,
        sender_lid: None,
        chat_lid: None,
        from_me: false,
        push_name: None,
        at: Timestamp(1_767_225_600_000),
        kind: "conversation".into(),
        raw: json!({ "conversation": "" }),
        text,
        media: None,
    }))
}

const KEY: &str = "benchmark-0123456789";

struct Bench {
    address: std::net::SocketAddr,
    gateway: Arc<Gateway>,
    sessions: Vec<Arc<FakeSession>>,
    arrivals: Arc<Arrivals>,
    url: String,
    stop: oneshot::Sender<()>,
    running: tokio::task::JoinHandle<anyhow::Result<()>>,
    _data: tempfile::TempDir,
}

impl Bench {
    async fn start(database: Option<&str>) -> Self {
        let data = tempfile::tempdir().unwrap();
        let mut env = vec![
            ("WAGATE_BIND", "127.0.0.1:0".to_owned()),
            ("WAGATE_DATA_DIR", data.path().join("data").display().to_string()),
            ("WAGATE_API_KEY", KEY.to_owned()),
        ];
        env.extend(database.map(|url| ("WAGATE_DATABASE_URL", url.to_owned())));
        let env = env
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect();
        let clock = Arc::new(SystemClock);
        let driver = Arc::new(FakeDriver::new(clock.clone()));
        let config = Config::load(None, env).unwrap();
        let app = App::build(config, Network::Simulated, driver.clone(), clock)
            .await
            .unwrap();
        let (address, gateway) = (app.address(), app.gateway());
        let (stop, stopped) = oneshot::channel::<()>();
        let running = tokio::spawn(app.run(async {
            let _ = stopped.await;
        }));
        let arrivals = Arc::new(Arrivals::default());
        let url = receiver(&arrivals);
        let mut sessions = Vec::new();
        for number in 0..DEVICES {
            let token: Token = format!("device-{number}").parse().unwrap();
            gateway.start_session(&token, CallPatch::default()).await.unwrap();
            gateway.set_webhook(&token, &url).await.unwrap();
            let session = driver.session(token.as_str());
            session
                .scan(&format!("6281{number:05}:1@s.whatsapp.net"), None)
                .await;
            sessions.push(session);
        }
        Self {
            address,
            gateway,
            sessions,
            arrivals,
            url,
            stop,
            running,
            _data: data,
        }
    }

    /// Records these events as fast as the store takes them.
    async fn record(&self, numbers: std::ops::Range<usize>, offset: usize) {
        futures_util::stream::iter(numbers)
            .for_each_concurrent(IN_FLIGHT, |number| {
                let session = self.sessions[number % DEVICES].clone();
                async move {
                    let mut body = event(number);
                    if let EventBody::MessageReceived(message) = &mut body {
                        message.id = MessageId(format!("M{}", number + offset));
                    }
                    session.receive(body).await.unwrap();
                }
            })
            .await;
    }

    async fn throughput(&self) -> f64 {
        self.arrivals.expect(EVENTS);
        let started = Instant::now();
        self.record(0..EVENTS, 0).await;
        self.arrivals.all(EVENTS).await;
        per_second(EVENTS, started)
    }

    async fn drain(&self) -> (f64, f64) {
        self.arrivals.expect(EVENTS);
        self.pause(true).await;
        let started = Instant::now();
        self.record(0..EVENTS, 1_000_000).await;
        let recorded = per_second(EVENTS, started);
        let started = Instant::now();
        self.pause(false).await;
        self.arrivals.all(EVENTS).await;
        (recorded, per_second(EVENTS, started))
    }

    async fn pause(&self, paused: bool) {
        for number in 0..DEVICES {
            let token: Token = format!("device-{number}").parse().unwrap();
            let webhook = self.gateway.webhook(&token).await.unwrap().unwrap();
            let patch = WebhookPatch {
                paused: Some(paused),
                ..WebhookPatch::default()
            };
            self.gateway.update_webhook(webhook.id, patch).await.unwrap();
        }
    }

    /// Milliseconds from the moment an event was due to be recorded until its receiver had it, sorted.
    async fn latencies(&self) -> Vec<f64> {
        let events = usize::try_from(RATE * SECONDS).unwrap();
        self.arrivals.expect(events);
        let began = Instant::now() + Duration::from_millis(100);
        let intended = |number: usize| began + Duration::from_micros(1_000_000 / RATE * number as u64);
        let mut running = tokio::task::JoinSet::new();
        for number in 0..events {
            tokio::time::sleep_until(intended(number).into()).await;
            let session = self.sessions[number % DEVICES].clone();
            running.spawn(async move {
                let mut body = event(number);
                if let EventBody::MessageReceived(message) = &mut body {
                    message.id = MessageId(format!("L{number}"));
                }
                session.receive(body).await.unwrap();
            });
        }
        while running.join_next().await.is_some() {}
        self.arrivals.all(events).await;
        let at = self.arrivals.at.lock().unwrap();
        let mut times: Vec<f64> = at
            .iter()
            .enumerate()
            .filter_map(|(number, at)| Some(((*at)? - intended(number)).as_secs_f64() * 1e3))
            .collect();
        times.sort_by(f64::total_cmp);
        times
    }

    /// Waits of the gateway for the disk so far: one for a commit, two for a checkpoint.
    async fn syncs(&self) -> f64 {
        let client = reqwest::Client::builder().build().unwrap();
        let asked = client
            .get(format!("http://{}/metrics", self.address))
            .header("apikey", KEY);
        let text = asked.send().await.unwrap().text().await.unwrap();
        let count = |name: &str| -> f64 {
            let line = text.lines().find_map(|line| line.strip_prefix(name));
            line.unwrap().trim().parse().unwrap()
        };
        count("wagate_database_commits_total ") + 2.0 * count("wagate_database_checkpoints_total ")
    }

    async fn stop(self) {
        let _ = self.stop.send(());
        self.running.await.unwrap().unwrap();
    }
}

fn per_second(events: usize, since: Instant) -> f64 {
    events as f64 / since.elapsed().as_secs_f64()
}

fn quantile(sorted: &[f64], q: f64) -> f64 {
    sorted[((sorted.len() - 1) as f64 * q) as usize]
}

/// Bare POSTs of bodies of the same size, as many at once as the worker makes.
async fn bare_posts(url: &str, arrivals: &Arrivals) -> f64 {
    let client = reqwest::Client::builder().build().unwrap();
    arrivals.expect(EVENTS);
    let started = Instant::now();
    futures_util::stream::iter(0..EVENTS)
        .for_each_concurrent(IN_FLIGHT, |number| {
            let post = client
                .post(url)
                .body(format!("no.{number} {}", "x".repeat(1_000)));
            async move {
                post.send().await.unwrap().bytes().await.unwrap();
            }
        })
        .await;
    per_second(EVENTS, started)
}

/// Milliseconds of one write of 8 KiB with fdatasync, the median of many.
fn fdatasync(folder: &std::path::Path) -> f64 {
    let mut file = std::fs::File::create(folder.join("floor")).unwrap();
    let mut times: Vec<f64> = (0..200)
        .map(|_| {
            let started = Instant::now();
            file.write_all(&[7; 8_192]).unwrap();
            file.sync_data().unwrap();
            started.elapsed().as_secs_f64() * 1e3
        })
        .collect();
    times.sort_by(f64::total_cmp);
    quantile(&times, 0.5)
}

async fn run(name: &str, database: Option<&str>, syncs: Option<impl Fn() -> f64>) {
    let bench = Bench::start(database).await;
    let syncs = async || match &syncs {
        Some(counted) => counted(),
        None => bench.syncs().await,
    };
    let before = syncs().await;
    let throughput = bench.throughput().await;
    let after = syncs().await;
    let (recorded, drained) = bench.drain().await;
    let floor = bare_posts(&bench.url, &bench.arrivals).await;
    let times = bench.latencies().await;
    println!("{name}");
    println!(
        "  inbound to receiver, stored before ack   {throughput:>7.0}/s   {:.2} of bare POSTs ({floor:.0}/s)",
        throughput / floor
    );
    println!("  backlog of {EVENTS} recorded              {recorded:>7.0}/s");
    println!(
        "  backlog drained                          {drained:>7.0}/s   {:.2} of bare POSTs",
        drained / floor
    );
    println!(
        "  one event at {RATE}/s: p50 {:.2} ms, p99 {:.2} ms, p99.9 {:.2} ms",
        quantile(&times, 0.5),
        quantile(&times, 0.99),
        quantile(&times, 0.999)
    );
    println!(
        "  fsyncs per delivery                      {:>7.3}",
        (after - before) / EVENTS as f64
    );
    bench.stop().await;
}

#[tokio::main]
async fn main() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let folder = tempfile::tempdir().unwrap();
    println!("one fdatasync of 8 KiB: {:.2} ms", fdatasync(folder.path()));
    run("SQLite", None, None::<fn() -> f64>).await;
    let settings = ClusterSettings {
        durability: Durability::Disk,
        ..ClusterSettings::default()
    };
    let cluster = Cluster::start_new(settings);
    let url = cluster.create_database("wagate");
    let syncs = || {
        cluster
            .sql("postgres", "SELECT wal_sync FROM pg_stat_wal")
            .trim()
            .parse()
            .unwrap()
    };
    run("PostgreSQL", Some(&url), Some(syncs)).await;
}
