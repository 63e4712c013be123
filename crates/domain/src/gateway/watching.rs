//! Hearing what happens while it happens: what sessions are doing, and what is recorded. Neither keeps
//! anything for those who are slow: of a session they hear the latest state, and events wait in the log.

use std::collections::VecDeque;
use std::sync::Arc;

use futures_util::future::{BoxFuture, FutureExt};
use futures_util::stream::{self, BoxStream, FuturesUnordered, StreamExt};
use tokio::sync::watch;

use super::Gateway;
use super::open_sessions::{OpenSessions, Sight};
use crate::Result;
use crate::model::{CursorQuery, DeviceId, EventId, EventKind, SessionState, Token};
use crate::ports::{EventQuery, EventStore, StoredEvent};

/// Events that are read from the log at once, and held for a reader.
const PAGE: u32 = 50;

/// What a session is doing now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionChange {
    /// Whose session.
    pub device: Token,
    /// What it does.
    pub state: SessionState,
}

impl Gateway {
    /// What sessions are doing, from now on, as it changes. With a device, that one's alone, and first of all
    /// what it is doing now; `NotFound` when there is none. Ends with the gateway.
    pub async fn watch_sessions(&self, device: Option<&Token>) -> Result<BoxStream<'static, SessionChange>> {
        let mut watching = Watching::new(self.sessions.clone());
        match device {
            None => watching.join(Joining::Silent),
            Some(token) => {
                let status = self.session_status(token).await?;
                watching.only = Some(status.device.id);
                watching.join(Joining::Telling);
                if watching.told.is_empty() {
                    watching.told.push_back(SessionChange {
                        device: token.clone(),
                        state: status.state,
                    });
                }
            }
        }
        Ok(stream::unfold(watching, |mut watching| async move {
            let change = watching.next().await?;
            Some((change, watching))
        })
        .boxed())
    }

    /// Events in the order in which they are recorded, from the one after `after`, or from now on; of one device
    /// or of all, of some kinds or of all. None is missed and none comes twice. Ends after an error: whoever
    /// wants to go on follows again, after the last event that came.
    pub async fn follow_events(
        &self,
        device: Option<&Token>,
        kinds: Vec<EventKind>,
        after: Option<EventId>,
    ) -> Result<BoxStream<'static, Result<StoredEvent>>> {
        let recorded = self.intake.recorded();
        let device = match device {
            Some(token) => Some(self.device(token).await?.id),
            None => None,
        };
        let after = match after {
            Some(after) => Some(after),
            None => self.parts.events.last().await?,
        };
        let following = Following {
            events: self.parts.events.clone(),
            recorded,
            device,
            kinds,
            after,
            page: VecDeque::new(),
            more: true,
        };
        Ok(stream::try_unfold(following, |mut following| async move {
            let event = following.next().await?;
            Ok(event.map(|event| (event, following)))
        })
        .boxed())
    }
}

/// Whether the state that a session is found in is told, or only what comes after it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Joining {
    Telling,
    Silent,
}

/// Watches every session that is open, and those that will be.
struct Watching {
    sessions: Arc<OpenSessions>,
    openings: watch::Receiver<u64>,
    /// How many openings are known here.
    known: u64,
    only: Option<DeviceId>,
    told: VecDeque<SessionChange>,
    changes: FuturesUnordered<BoxFuture<'static, Option<Sight>>>,
}

impl Watching {
    fn new(sessions: Arc<OpenSessions>) -> Self {
        Self {
            openings: sessions.openings(),
            sessions,
            known: 0,
            only: None,
            told: VecDeque::new(),
            changes: FuturesUnordered::new(),
        }
    }

    /// Looks for sessions that are not watched yet.
    fn join(&mut self, joining: Joining) {
        let (known, opened) = self.sessions.opened_after(self.known);
        self.known = known;
        for mut sight in opened {
            if self.only.is_some_and(|only| only != sight.device) {
                continue;
            }
            if joining == Joining::Telling {
                self.tell(&mut sight);
            }
            self.changes.push(changed(sight).boxed());
        }
    }

    fn tell(&mut self, sight: &mut Sight) {
        self.told.push_back(SessionChange {
            device: sight.token.clone(),
            state: sight.state.borrow_and_update().clone(),
        });
    }

    async fn next(&mut self) -> Option<SessionChange> {
        loop {
            if let Some(change) = self.told.pop_front() {
                return Some(change);
            }
            tokio::select! {
                opened = self.openings.changed() => {
                    opened.ok()?;
                    self.join(Joining::Telling);
                }
                Some(sight) = self.changes.next(), if !self.changes.is_empty() => {
                    // A session that is gone says nothing more; its last state was told.
                    if let Some(mut sight) = sight {
                        self.tell(&mut sight);
                        self.changes.push(changed(sight).boxed());
                    }
                }
            }
        }
    }
}

/// The session once its state has changed; `None` when there is none any more.
async fn changed(mut sight: Sight) -> Option<Sight> {
    sight.state.changed().await.ok()?;
    Some(sight)
}

/// Reads the log, and on whenever something was recorded.
struct Following {
    events: Arc<dyn EventStore>,
    recorded: watch::Receiver<()>,
    device: Option<DeviceId>,
    kinds: Vec<EventKind>,
    after: Option<EventId>,
    page: VecDeque<StoredEvent>,
    /// Whether there may be more in the log than was read.
    more: bool,
}

impl Following {
    async fn next(&mut self) -> Result<Option<StoredEvent>> {
        loop {
            while let Some(event) = self.page.pop_front() {
                if self.kinds.is_empty() || self.kinds.contains(&event.kind) {
                    return Ok(Some(event));
                }
            }
            if !self.more && self.recorded.changed().await.is_err() {
                return Ok(None);
            }
            self.read().await?;
        }
    }

    /// Kinds are chosen here and not by the database: it would search everything since the last one that fitted
    /// again each time.
    async fn read(&mut self) -> Result<()> {
        // Before reading: what is recorded meanwhile is read next time.
        self.recorded.mark_unchanged();
        let filter = EventQuery {
            device: self.device,
            kinds: Vec::new(),
        };
        let page = self
            .events
            .list(&filter, CursorQuery::new(self.after, PAGE))
            .await?;
        self.more = page.next.is_some();
        self.after = page.items.last().map(|event| event.id).or(self.after);
        self.page = page.items.into();
        Ok(())
    }
}
