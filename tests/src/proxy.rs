//! A TCP line on loopback that fails on demand, between the gateway and the simulator or a database.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

const BUFFER: usize = 16 << 10;

/// How the line is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Line {
    /// It passes everything.
    Good,
    /// This share of connections breaks, old ones now and new ones when they are made.
    Drops(f64),
    /// Sockets stay open and bytes vanish. A connection that lost some is never whole again.
    HalfOpen,
    /// Nothing passes until the line is good again; nothing is lost.
    Stalls,
    /// A new connection waits this long before it passes anything.
    Slow(Duration),
}

struct Shared {
    upstream: SocketAddr,
    line: watch::Sender<Line>,
    /// Raised to end every connection there is.
    cuts: watch::Sender<u64>,
    dials: Mutex<Vec<Instant>>,
    open: watch::Sender<usize>,
    chance: Mutex<StdRng>,
}

/// A line that is up until it is dropped.
pub struct Proxy {
    /// Where it listens.
    pub address: SocketAddr,
    shared: Arc<Shared>,
    serving: JoinHandle<()>,
}

impl std::fmt::Debug for Proxy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Proxy")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

impl Proxy {
    /// A good line to `upstream`; the seed decides which connections will break.
    pub async fn start(upstream: SocketAddr, seed: u64) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            upstream,
            line: watch::channel(Line::Good).0,
            cuts: watch::channel(0).0,
            dials: Mutex::default(),
            open: watch::channel(0).0,
            chance: Mutex::new(StdRng::seed_from_u64(seed)),
        });
        let serving = tokio::spawn(serve(listener, shared.clone()));
        Self {
            address,
            shared,
            serving,
        }
    }

    /// Changes the line for what is there and what comes.
    pub fn set(&self, line: Line) {
        self.shared.line.send_replace(line);
    }

    /// Ends every connection at once; new ones are as the line is.
    pub fn cut_all(&self) {
        self.shared.cuts.send_modify(|cuts| *cuts += 1);
    }

    /// When connections were made.
    pub fn dials(&self) -> Vec<Instant> {
        self.shared.dials.lock().unwrap().clone()
    }

    /// The most connections made within any one second since `start`.
    pub fn busiest_second(&self, start: Instant) -> usize {
        let dials: Vec<_> = self.dials().into_iter().filter(|at| *at >= start).collect();
        let within = |first: &Instant| {
            let end = *first + Duration::from_secs(1);
            dials.iter().filter(|at| *at >= first && **at < end).count()
        };
        dials.iter().map(within).max().unwrap_or(0)
    }

    /// How many connections are open, now and as that changes.
    pub fn open(&self) -> watch::Receiver<usize> {
        self.shared.open.subscribe()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    // Aborting this task ends its connections with it.
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let Ok((client, _)) = accepted else { continue };
                shared.dials.lock().unwrap().push(Instant::now());
                connections.spawn(connection(client, shared.clone()));
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn connection(client: TcpStream, shared: Arc<Shared>) {
    let broken = broken(&shared);
    shared.open.send_modify(|open| *open += 1);
    tokio::select! {
        () = broken => {}
        () = carry(client, &shared) => {}
    }
    shared.open.send_modify(|open| *open -= 1);
}

/// Completes when this connection has to end.
fn broken(shared: &Arc<Shared>) -> impl Future<Output = ()> + use<> {
    let (mut line, mut cuts, shared) = (shared.line.subscribe(), shared.cuts.subscribe(), shared.clone());
    async move {
        loop {
            let now = *line.borrow_and_update();
            if let Line::Drops(share) = now
                && shared.chance.lock().unwrap().random_bool(share)
            {
                return;
            }
            tokio::select! {
                _ = cuts.changed() => return,
                _ = line.changed() => {}
            }
        }
    }
}

async fn carry(client: TcpStream, shared: &Shared) {
    let now = *shared.line.borrow();
    if let Line::Slow(pause) = now {
        tokio::time::sleep(pause).await;
    }
    let Ok(server) = TcpStream::connect(shared.upstream).await else {
        return;
    };
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    let ((from_client, to_client), (from_server, to_server)) = (client.into_split(), server.into_split());
    tokio::select! {
        () = pump(from_client, to_server, shared.line.subscribe()) => {}
        () = pump(from_server, to_client, shared.line.subscribe()) => {}
    }
}

/// One direction, until its source ends.
async fn pump(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut line: watch::Receiver<Line>) {
    let mut buffer = vec![0; BUFFER];
    let mut whole = *line.borrow() != Line::HalfOpen;
    loop {
        let Ok(read @ 1..) = from.read(&mut buffer).await else {
            return;
        };
        if line.wait_for(|line| *line != Line::Stalls).await.is_err() {
            return;
        }
        whole &= *line.borrow() != Line::HalfOpen;
        if whole && to.write_all(&buffer[..read]).await.is_err() {
            return;
        }
    }
}
