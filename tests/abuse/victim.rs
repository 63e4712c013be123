//! The server that is attacked, with eyes on its memory and on how it serves the others.

use std::time::{Duration, Instant};

use reqwest::Client;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::process::{Binary, Process};

/// The sandbox's key.
pub const KEY: &str = "sandbox-key-0123456789";
/// Longest wait for an answer to an attack.
const PATIENCE: Duration = Duration::from_mins(1);
/// Bytes that an attack may cost. The allocator gives back after ten seconds what is free.
pub const RSS_GROWTH: u64 = 64 << 20;
/// Requests of somebody else, in one look at how they are served.
const LOOKS: usize = 200;

/// A server under attack.
pub struct Victim {
    pub process: Process,
    http: Client,
    _folder: TempDir,
}

impl Victim {
    pub async fn start() -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let folder = tempfile::tempdir().unwrap();
        let process = Process::start(Binary::Sandbox, folder.path(), &["gateway"], &[]).await;
        let victim = Self {
            process,
            http: Client::builder().build().unwrap(),
            _folder: folder,
        };
        // The first requests pay for what all later ones share.
        victim.p99_of_others().await;
        victim
    }

    /// How long the slowest but one in a hundred of other people's requests takes; each must be answered.
    pub async fn p99_of_others(&self) -> Duration {
        let mut times = Vec::new();
        for _ in 0..LOOKS {
            let started = Instant::now();
            let request = self
                .http
                .get(self.process.url("/api/devices"))
                .header("apikey", KEY);
            let answer = request.send().await.unwrap();
            assert_eq!(answer.status(), 200);
            answer.bytes().await.unwrap();
            times.push(started.elapsed());
        }
        times.sort();
        times[LOOKS * 99 / 100]
    }

    /// Sends the head and then pieces of the body until the body or the connection ends: an answer alone does not
    /// make it stop. Returns the status.
    pub async fn raw(&self, head: &str, body: impl Iterator<Item = Vec<u8>> + Send + 'static) -> u16 {
        let stream = TcpStream::connect(self.process.address).await.unwrap();
        let (mut from, mut to) = stream.into_split();
        let head = head.to_owned();
        let writer = tokio::spawn(async move {
            let mut sent = to.write_all(head.as_bytes()).await;
            for piece in body {
                if sent.is_err() {
                    break;
                }
                sent = to.write_all(&piece).await;
            }
            // An end of what is sent would be an end of the request.
            to
        });
        let status = tokio::time::timeout(PATIENCE, read_status(&mut from))
            .await
            .unwrap();
        let _to = tokio::time::timeout(PATIENCE, writer).await.unwrap().unwrap();
        status
    }

    /// Bytes of memory that the process has now, and at most had since [`Victim::forget_peak`].
    pub fn memory(&self) -> (u64, u64) {
        let path = format!("/proc/{}/status", self.process.id());
        let status = std::fs::read_to_string(path).unwrap();
        let kib = |name: &str| -> u64 {
            let line = status.lines().find(|line| line.starts_with(name)).unwrap();
            line.split_whitespace().nth(1).unwrap().parse().unwrap()
        };
        (kib("VmRSS:") << 10, kib("VmHWM:") << 10)
    }

    /// Lets the peak start again at what is used now.
    pub fn forget_peak(&self) {
        std::fs::write(format!("/proc/{}/clear_refs", self.process.id()), "5").unwrap();
    }
}

/// The status of an answer; 0 when the connection ended without one.
pub async fn read_status(from: &mut (impl AsyncReadExt + Unpin)) -> u16 {
    let mut start = Vec::new();
    while start.len() < 12 {
        match from.read_u8().await {
            Ok(byte) => start.push(byte),
            Err(_) => return 0,
        }
    }
    String::from_utf8_lossy(&start[9..12]).parse().unwrap_or(0)
}
