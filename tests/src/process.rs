//! A gateway as a process of its own, so that it can be killed, frozen and watched dying.

use std::fs::{File, OpenOptions};
use std::net::SocketAddr;
use std::os::fd::AsRawFd as _;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, ChildStdout, Command};
use tokio::sync::watch;

use crate::client::{Client, Reply};

/// Longest time from a start to readiness, and from SIGTERM to the end.
const PATIENCE: Duration = Duration::from_secs(30);
/// Between two looks at something that does not tell by itself.
const LOOK: Duration = Duration::from_millis(20);
/// Lines of the log that a failed test shows.
const SHOWN_LINES: usize = 40;

/// The program, opened once: a build that replaces the file meanwhile changes nothing.
#[derive(Debug)]
pub struct Program(File);

impl Program {
    /// Opens the executable.
    pub fn open(path: &str) -> Self {
        Self(File::open(path).unwrap_or_else(|error| panic!("{path}: {error}")))
    }

    /// Where this process, and those that it starts, find what was opened.
    pub fn path(&self) -> PathBuf {
        PathBuf::from(format!("/proc/{}/fd/{}", std::process::id(), self.0.as_raw_fd()))
    }
}

/// A gateway that is started, killed and started again on the same data.
#[derive(Debug)]
pub struct GatewayProcess {
    program: &'static Program,
    env: Vec<(String, String)>,
    log: PathBuf,
    child: Option<Child>,
    api: watch::Sender<Option<Client>>,
}

impl GatewayProcess {
    /// One that has yet to be started; its log goes to a file in `folder`.
    pub fn new(program: &'static Program, folder: &Path, env: Vec<(String, String)>) -> Self {
        Self {
            program,
            env,
            log: folder.join("gateway.log"),
            child: None,
            api: watch::channel(None).0,
        }
    }

    /// Starts it and waits until it says that it is ready.
    pub async fn start(&mut self) {
        self.spawn().await;
        self.wait_ready(PATIENCE).await;
    }

    /// Starts it and waits until it says where it listens.
    pub async fn spawn(&mut self) {
        let log = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&self.log)
            .unwrap();
        let mut child = Command::new(self.program.path())
            .arg("gateway")
            .env_clear()
            .env("WAGATE_BIND", "127.0.0.1:0")
            .env("NO_COLOR", "1")
            .envs(self.env.iter().cloned())
            .stdout(Stdio::piped())
            .stderr(log)
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let said = child.stdout.take().unwrap();
        self.child = Some(child);
        let guide = tokio::time::timeout(PATIENCE, read_guide(said)).await;
        let (address, key) = guide
            .ok()
            .flatten()
            .unwrap_or_else(|| panic!("the gateway did not say where it listens"));
        self.api.send_replace(Some(Client::with_key(address, &key)));
    }

    /// Waits until `/readyz` is green.
    pub async fn wait_ready(&mut self, limit: Duration) {
        let ready = self.becomes_ready(200, limit).await;
        assert!(ready, "the gateway was not ready within {limit:?}");
    }

    /// Whether `/readyz` came to answer this status within the limit.
    pub async fn becomes_ready(&self, status: u16, limit: Duration) -> bool {
        let api = self.api();
        let asking = async {
            while self.ready_status(&api).await != Some(status) {
                tokio::time::sleep(LOOK).await;
            }
        };
        tokio::time::timeout(limit, asking).await.is_ok()
    }

    async fn ready_status(&self, api: &Client) -> Option<u16> {
        let asked = api.try_call(reqwest::Method::GET, "/readyz", Value::Null, &[]);
        asked.await.ok().map(|reply: Reply| reply.status.as_u16())
    }

    /// Its API, as of the last start.
    pub fn api(&self) -> Client {
        self.api.borrow().clone().expect("the gateway was started")
    }

    /// Its API as of every start, for whoever goes on while it is killed.
    pub fn apis(&self) -> watch::Receiver<Option<Client>> {
        self.api.subscribe()
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        let child = self.child.as_ref().expect("the gateway was started");
        child.id().expect("the gateway runs")
    }

    /// SIGKILL. Returns once the process is gone.
    pub async fn kill(&mut self) {
        let mut child = self.child.take().expect("the gateway was started");
        child.kill().await.unwrap();
    }

    /// SIGTERM. Returns how the process ended.
    pub async fn terminate(&mut self) -> ExitStatus {
        self.signal(Signal::SIGTERM);
        let ended = self.wait_exit(PATIENCE).await;
        ended.expect("the gateway stops on SIGTERM")
    }

    /// SIGSTOP: the process holds everything and does nothing.
    pub fn freeze(&self) {
        self.signal(Signal::SIGSTOP);
    }

    /// SIGCONT.
    pub fn thaw(&self) {
        self.signal(Signal::SIGCONT);
    }

    /// How the process ended by itself; `None` when it still runs after `limit`.
    pub async fn wait_exit(&mut self, limit: Duration) -> Option<ExitStatus> {
        let child = self.child.as_mut().expect("the gateway was started");
        let status = tokio::time::timeout(limit, child.wait()).await.ok()?.unwrap();
        self.child = None;
        Some(status)
    }

    /// Everything that it logged, over all starts.
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(&self.log).unwrap_or_default()).into_owned()
    }

    fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.id().cast_signed()), signal).unwrap();
    }
}

impl Drop for GatewayProcess {
    #[expect(clippy::print_stderr, reason = "the test harness shows it with the failure")]
    fn drop(&mut self) {
        if std::thread::panicking() {
            let log = self.log();
            let lines: Vec<_> = log.lines().collect();
            let shown = &lines[lines.len().saturating_sub(SHOWN_LINES)..];
            eprintln!("the gateway's log ends with:\n{}", shown.join("\n"));
        }
    }
}

/// Finds the address and the key in what the sandbox prints first, and lets it print the rest.
async fn read_guide(said: ChildStdout) -> Option<(SocketAddr, String)> {
    let mut lines = BufReader::new(said).lines();
    let (mut address, mut key) = (None, None);
    while address.is_none() || key.is_none() {
        let line = lines.next_line().await.ok()??;
        let line = line.trim();
        if let Some(url) = line.strip_prefix("gateway  ") {
            address = url.trim().strip_prefix("http://")?.parse().ok();
        } else if let Some(text) = line.strip_prefix("API key  ") {
            key = Some(text.trim().to_owned());
        }
    }
    tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
    Some((address?, key?))
}
