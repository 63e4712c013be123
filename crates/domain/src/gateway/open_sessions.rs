//! The sessions that are open, and telling those who watch them that one more is.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use crate::model::{DeviceId, SessionState, Token};
use crate::ports::Session;

/// Sessions by device.
pub(super) struct OpenSessions {
    open: Mutex<HashMap<DeviceId, Opened>>,
    /// How many were opened so far.
    openings: watch::Sender<u64>,
}

struct Opened {
    token: Token,
    /// Which of all openings it was, from 1.
    number: u64,
    session: Arc<dyn Session>,
}

/// A session as those see it who watch it: they do not keep it open.
pub(super) struct Sight {
    pub(super) device: DeviceId,
    pub(super) token: Token,
    pub(super) state: watch::Receiver<SessionState>,
}

impl Default for OpenSessions {
    fn default() -> Self {
        Self {
            open: Mutex::default(),
            openings: watch::Sender::new(0),
        }
    }
}

impl OpenSessions {
    pub(super) fn get(&self, id: DeviceId) -> Option<Arc<dyn Session>> {
        self.open().get(&id).map(|opened| opened.session.clone())
    }

    /// What the device of an open session is called.
    pub(super) fn token(&self, id: DeviceId) -> Option<Token> {
        self.open().get(&id).map(|opened| opened.token.clone())
    }

    /// Keeps a session in place of the device's former one.
    pub(super) fn insert(&self, id: DeviceId, token: Token, session: Arc<dyn Session>) {
        let mut open = self.open();
        let number = *self.openings.borrow() + 1;
        let opened = Opened {
            token,
            number,
            session,
        };
        open.insert(id, opened);
        self.openings.send_replace(number);
    }

    pub(super) fn remove(&self, id: DeviceId) -> Option<Arc<dyn Session>> {
        self.open().remove(&id).map(|opened| opened.session)
    }

    pub(super) fn drain(&self) -> Vec<Arc<dyn Session>> {
        self.open().drain().map(|(_, opened)| opened.session).collect()
    }

    /// How many were opened so far, as it goes up.
    pub(super) fn openings(&self) -> watch::Receiver<u64> {
        self.openings.subscribe()
    }

    /// The sessions that were opened after this many, with how many there were in all.
    pub(super) fn opened_after(&self, number: u64) -> (u64, Vec<Sight>) {
        let open = self.open();
        let later = open.iter().filter(|(_, opened)| opened.number > number);
        let sights = later.map(|(device, opened)| Sight {
            device: *device,
            token: opened.token.clone(),
            state: opened.session.state(),
        });
        (*self.openings.borrow(), sights.collect())
    }

    fn open(&self) -> MutexGuard<'_, HashMap<DeviceId, Opened>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
