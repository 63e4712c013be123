//! The simulated world: all accounts, groups and connections behind one lock.
//!
//! Everything that happens is one short, synchronous step under the lock, so stanzas have one order and Signal
//! sessions one writer; I/O happens outside, at the ends of the connections' channels.

pub(crate) mod account;
pub(crate) mod address;
pub(crate) mod collection;
pub(crate) mod group;
pub(crate) mod link;
pub(crate) mod queue;
pub(crate) mod state;
pub mod view;

use crate::fault::Faults;
use crate::ledger::Ledger;
use crate::media::MediaStore;
use crate::phone::receive;
use crate::wire::cert::ServerIdentity;
use crate::world::account::Phone;
use crate::world::group::Group;
use crate::world::state::State;
use crate::world::view::SimError;
use serde::{Deserialize, Serialize};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;

pub type SharedWorld = Arc<World>;

/// Scripted phones that answer each other would never stop; after so many steps the rest waits.
const MAX_PHONE_STEPS: usize = 10_000;

#[derive(Debug, Clone)]
pub struct WorldSettings {
    /// `host:port` that clients are told to use for media.
    pub media_host: String,
    /// How long a typing state waits for a recipient who is away.
    pub chatstate_ttl: Duration,
}

#[derive(Debug)]
pub struct World {
    state: Mutex<State>,
    server: ServerIdentity,
    pub(crate) faults: Arc<Faults>,
    pub(crate) ledger: Arc<Ledger>,
    changes: watch::Sender<u64>,
}

/// Everything that outlives a restart.
#[derive(Debug, Serialize, Deserialize)]
pub struct Snapshot {
    server: ServerIdentity,
    phones: Vec<Phone>,
    groups: Vec<Group>,
    ids: u64,
}

impl World {
    /// An empty world with a fresh server identity.
    pub fn new(
        settings: WorldSettings,
        ledger: Arc<Ledger>,
        faults: Arc<Faults>,
        media: Arc<MediaStore>,
    ) -> SharedWorld {
        let server = ServerIdentity::generate();
        let state = State::new(settings, ledger.clone(), media);
        Self::build(server, state, ledger, faults)
    }

    /// The world as it was when `snapshot` was taken; nobody is connected.
    pub fn restore(
        settings: WorldSettings,
        snapshot: Snapshot,
        ledger: Arc<Ledger>,
        faults: Arc<Faults>,
        media: Arc<MediaStore>,
    ) -> Result<SharedWorld, SimError> {
        let mut state = State::new(settings, ledger.clone(), media);
        state.restore(snapshot.phones, snapshot.groups, snapshot.ids)?;
        Ok(Self::build(snapshot.server, state, ledger, faults))
    }

    fn build(server: ServerIdentity, state: State, ledger: Arc<Ledger>, faults: Arc<Faults>) -> SharedWorld {
        Arc::new(Self {
            state: Mutex::new(state),
            server,
            faults,
            ledger,
            changes: watch::channel(0).0,
        })
    }

    pub fn snapshot(&self) -> Snapshot {
        let state = self.lock();
        let (phones, groups, ids) = state.saved();
        Snapshot {
            server: self.server.clone(),
            phones,
            groups,
            ids,
        }
    }

    /// Changes whenever something worth saving changed.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// The key that signs the certificate chain.
    pub fn root_key(&self) -> [u8; 32] {
        self.server.root_key()
    }

    pub(crate) fn server(&self) -> &ServerIdentity {
        &self.server
    }

    /// One step of the world: `step`, then whatever the phones do about it.
    pub(crate) fn step<T>(&self, step: impl FnOnce(&mut State) -> T) -> T {
        let mut state = self.lock();
        let outcome = step(&mut state);
        for _ in 0..MAX_PHONE_STEPS {
            let Some((phone, stanza)) = state.inbox.pop_front() else {
                break;
            };
            receive::receive(&mut state, &phone, &stanza);
        }
        drop(state);
        self.changes.send_modify(|count| *count += 1);
        outcome
    }

    /// A look without a change.
    pub(crate) fn look<T>(&self, look: impl FnOnce(&State) -> T) -> T {
        look(&self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
