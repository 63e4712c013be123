//! One of our binaries as a process of its own, so that what it says and what it needs can be looked at from outside.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use wagate_tests::production::build_server;

/// Longest wait for a start or a stop.
const PATIENCE: Duration = Duration::from_secs(30);

/// A binary of the workspace.
#[derive(Debug, Clone, Copy)]
pub enum Binary {
    /// The production server, built alone, as its features are.
    Server,
    /// Gateway and simulator, as built with the tests: a build without them has other features, and takes minutes.
    Sandbox,
}

impl Binary {
    /// Where it is; the server is built at the first call.
    fn path(self) -> &'static Path {
        static SERVER: OnceLock<PathBuf> = OnceLock::new();
        static SANDBOX: OnceLock<PathBuf> = OnceLock::new();
        match self {
            Self::Server => SERVER.get_or_init(|| keep("server", &build_server())),
            Self::Sandbox => {
                SANDBOX.get_or_init(|| keep("sandbox", Path::new(env!("CARGO_BIN_EXE_wagate-under-test"))))
            }
        }
    }
}

/// A copy that stays as it is: other builds write to the same place.
fn keep(name: &str, built: &Path) -> PathBuf {
    let copies = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let fresh = tempfile::tempdir_in(copies).unwrap();
    std::fs::copy(built, fresh.path().join("copy")).unwrap();
    // Whoever runs the copy before keeps it.
    let place = copies.join(format!("{name}-of-{}", env!("CARGO_CRATE_NAME")));
    std::fs::rename(fresh.path().join("copy"), &place).unwrap();
    place
}

/// What a stream of the process has said so far.
#[derive(Debug, Clone, Default)]
pub struct Said(Arc<Mutex<String>>);

impl Said {
    /// All of it.
    pub fn text(&self) -> String {
        self.0.lock().unwrap().clone()
    }
}

/// A process that listens. It is killed when this is dropped.
#[derive(Debug)]
pub struct Process {
    child: Child,
    readers: [JoinHandle<()>; 2],
    heard: watch::Receiver<()>,
    /// Where its API is.
    pub address: SocketAddr,
    /// Standard output.
    pub stdout: Said,
    /// Standard error: the log.
    pub stderr: Said,
}

impl Process {
    /// Starts it in a folder on a free port and waits until it says where it listens.
    pub async fn start(binary: Binary, folder: &Path, arguments: &[&str], env: &[(&str, &str)]) -> Self {
        let mut child = Command::new(binary.path())
            .args(arguments)
            .current_dir(folder)
            .env_clear()
            .env("WAGATE_BIND", "127.0.0.1:0")
            .envs(env.iter().copied())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let (stdout, stderr) = (Said::default(), Said::default());
        let (heard, mut hearing) = watch::channel(());
        let readers = [
            read(child.stdout.take().unwrap(), stdout.clone(), heard.clone()),
            read(child.stderr.take().unwrap(), stderr.clone(), heard),
        ];
        let listening = async {
            loop {
                if let Some(address) = address(&stdout.text()) {
                    return Some(address);
                }
                hearing.changed().await.ok()?;
            }
        };
        let address = tokio::time::timeout(PATIENCE, listening).await.ok().flatten();
        let address = address.unwrap_or_else(|| panic!("{binary:?} did not start: {}", stderr.text()));
        Self {
            child,
            readers,
            heard: hearing,
            address,
            stdout,
            stderr,
        }
    }

    /// The first line of standard output with this in it, waiting for it.
    pub async fn wait_for_line(&self, part: &str) -> String {
        let mut heard = self.heard.clone();
        let found = async {
            loop {
                heard.mark_unchanged();
                let said = self.stdout.text();
                if let Some(line) = said.lines().find(|line| line.contains(part)) {
                    return line.to_owned();
                }
                heard.changed().await.unwrap();
            }
        };
        tokio::time::timeout(PATIENCE, found).await.unwrap()
    }

    /// Its number.
    pub fn id(&self) -> u32 {
        self.child.id().unwrap()
    }

    /// Where a path of its API is.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Stops it by SIGTERM, which must work, and returns what it said: standard output and standard error.
    pub async fn stop(mut self) -> (String, String) {
        let id = self.id().to_string();
        let told = Command::new("kill").args(["-TERM", &id]).status().await.unwrap();
        assert!(told.success());
        let ended = tokio::time::timeout(PATIENCE, self.child.wait()).await;
        assert!(ended.unwrap().unwrap().success(), "{}", self.stderr.text());
        for reader in self.readers {
            reader.await.unwrap();
        }
        (self.stdout.text(), self.stderr.text())
    }
}

/// The address in the line that the server or the sandbox's gateway says it with.
fn address(said: &str) -> Option<SocketAddr> {
    let (whole, _) = said.rsplit_once('\n')?;
    let told = whole.lines().find_map(|line| {
        let line = line.trim_start();
        line.strip_prefix("wagate listens on ")
            .or(line.strip_prefix("gateway "))
    })?;
    told.trim().strip_prefix("http://")?.parse().ok()
}

fn read(
    stream: impl AsyncRead + Unpin + Send + 'static,
    said: Said,
    heard: watch::Sender<()>,
) -> JoinHandle<()> {
    tokio::spawn(async move {
        let mut lines = BufReader::new(stream).lines();
        while let Ok(Some(line)) = lines.next_line().await {
            let mut text = said.0.lock().unwrap();
            text.push_str(&line);
            text.push('\n');
            drop(text);
            heard.send_replace(());
        }
    })
}
