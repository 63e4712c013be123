//! A simulated WhatsApp in the test's own process: its ledger is the oracle, whatever becomes of the gateway.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use wa_sim::fault::Faults;
use wa_sim::ledger::{Direction, Ledger, Line};
use wa_sim::world::SharedWorld;
use wa_sim::{Error, Settings, Sim};

/// How the ledger begins to say that a stanza was never answered.
const UNANSWERED: &str = "never acknowledged";

/// Whether the line to the simulator swallowed anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Silence {
    /// It did: what was not acknowledged may never have arrived.
    Happened,
    /// It did not.
    Never,
}

/// A simulator that serves until it is stopped or dropped.
pub struct Simulator {
    /// Where it listens.
    pub address: SocketAddr,
    /// The simulated world.
    pub world: SharedWorld,
    /// What went over the wire.
    pub ledger: Arc<Ledger>,
    /// What can go wrong.
    pub faults: Arc<Faults>,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<Result<(), Error>>,
}

impl std::fmt::Debug for Simulator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Simulator")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

impl Simulator {
    /// Starts one with nobody in it.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let sim = Sim::bind(listener, Settings::default()).unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        Self {
            address: sim.address(),
            world: sim.world(),
            ledger: sim.ledger(),
            faults: sim.faults(),
            stop,
            serving: tokio::spawn(sim.run(async { stopped.await.unwrap_or_default() })),
        }
    }

    /// Retry receipts of linked devices: what they were given and could not decrypt.
    pub fn undecryptable(&self) -> Vec<Line> {
        let mut lines = self.ledger.after(0, usize::MAX);
        lines.retain(|line| {
            line.entry.direction == Direction::FromClient
                && line.entry.tag == "receipt"
                && line.entry.kind.as_deref() == Some("retry")
        });
        lines
    }

    /// Fails when a client broke a rule. A line that swallowed what was written to it is not the client's fault, when
    /// `silence` says that there was one.
    #[track_caller]
    pub fn assert_no_violations(&self, silence: Silence) {
        let mut violations = self.ledger.violations();
        if silence == Silence::Happened {
            violations.retain(|line| {
                !line
                    .entry
                    .violation
                    .as_deref()
                    .unwrap_or("")
                    .starts_with(UNANSWERED)
            });
        }
        assert!(
            violations.is_empty(),
            "the gateway broke WhatsApp's rules: {violations:#?}"
        );
    }

    /// Ends every connection and the server.
    pub async fn stop(self) {
        drop(self.stop);
        self.serving.await.unwrap().unwrap();
    }
}
