//! A server on loopback that answers what a test says, byte for byte, and remembers who came.
#![allow(
    dead_code,
    clippy::allow_attributes,
    reason = "each test binary uses its part"
)]

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use wagate_outbound::{ClientSettings, GuardedClient, Lookup, TargetPolicy};

pub struct Server {
    pub address: SocketAddr,
    connections: Arc<AtomicUsize>,
}

impl Server {
    /// Answers each request by its path with the pieces that `answer` returns; `None` ends the
    /// connection only when the client does.
    pub async fn start(answer: impl Fn(&str) -> Vec<Option<Vec<u8>>> + Send + Sync + 'static) -> Self {
        Self::on("127.0.0.1:0", answer).await.unwrap()
    }

    pub async fn on(
        address: &str,
        answer: impl Fn(&str) -> Vec<Option<Vec<u8>>> + Send + Sync + 'static,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let connections = Arc::new(AtomicUsize::new(0));
        let (count, answer) = (connections.clone(), Arc::new(answer));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(serve(stream, answer.clone()));
            }
        });
        Ok(Self { address, connections })
    }

    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
}

async fn serve(mut stream: TcpStream, answer: Arc<impl Fn(&str) -> Vec<Option<Vec<u8>>>>) {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => request.push(byte),
            Err(_) => return,
        }
    }
    let request = String::from_utf8(request).unwrap();
    let path = request.split(' ').nth(1).unwrap_or_default();
    for piece in answer(path) {
        match piece {
            Some(bytes) => {
                if stream.write_all(&bytes).await.is_err() {
                    return;
                }
            }
            None => {
                let _gone = stream.read_u8().await;
            }
        }
    }
}

/// A whole answer with a `Content-Length`.
pub fn answer(status: u16, headers: &str, body: &[u8]) -> Vec<Option<Vec<u8>>> {
    let mut bytes = head(status, &format!("{headers}Content-Length: {}\r\n", body.len()));
    bytes.extend_from_slice(body);
    vec![Some(bytes)]
}

pub fn head(status: u16, headers: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status} X\r\nConnection: close\r\n{headers}\r\n").into_bytes()
}

pub fn settings() -> ClientSettings {
    ClientSettings {
        connect_timeout: Duration::from_secs(5),
        timeout: Duration::from_secs(20),
        user_agent: "wagate/test".into(),
    }
}

pub fn loopback_allowed() -> TargetPolicy {
    TargetPolicy {
        allow_loopback: true,
        ..TargetPolicy::default()
    }
}

pub fn client(policy: TargetPolicy) -> GuardedClient {
    GuardedClient::new(policy, &settings()).unwrap()
}

/// Answers every question with the next of its addresses, and the last one for ever.
pub struct Rebinding {
    answers: Vec<Vec<IpAddr>>,
    asked: AtomicUsize,
}

impl Rebinding {
    pub fn new(answers: &[&[&str]]) -> Arc<Self> {
        let parse = |all: &&[&str]| all.iter().map(|address| address.parse().unwrap()).collect();
        Arc::new(Self {
            answers: answers.iter().map(parse).collect(),
            asked: AtomicUsize::new(0),
        })
    }
}

#[async_trait]
impl Lookup for Rebinding {
    async fn lookup(&self, _host: &str) -> io::Result<Vec<IpAddr>> {
        let turn = self
            .asked
            .fetch_add(1, Ordering::SeqCst)
            .min(self.answers.len() - 1);
        Ok(self.answers[turn].clone())
    }
}
