//! The session's state machine: what a signal does to the state, what is to be reported, and what the
//! session's task has to do. Nothing here waits or talks to anybody, so every path can be tested.

use wagate_domain::model::{EndReason, EventBody, SessionState, Timestamp};

use crate::signal::Signal;
use crate::transport::Dialled;

/// Looks at a connection that is gone without a word before it counts as lost.
const PATIENCE: u32 = 2;

/// What the session's task has to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Effect {
    /// Save the client's own row now.
    Save,
    /// Record this.
    Report(EventBody),
    /// Take the client down: it has come to rest.
    TakeDown,
    /// Take the client down and build another one after a pause.
    Restart,
    /// Just logged in: be quiet, and look at the own profile.
    Welcome,
    /// Do not show the account as online.
    BeQuiet,
    /// Look at the own picture.
    FetchPicture,
    /// A code that somebody types is still valid; after its time nobody paired.
    AwaitTypedCode,
    /// Connect anew after a pause, so that WhatsApp gives unrecorded messages again.
    Redeliver,
    /// Recording works again.
    Recovered,
}

/// The state and what led to it.
#[derive(Debug)]
pub(crate) struct Machine {
    state: SessionState,
    /// Whether clients have been told that the session is connected, and not yet that it is not.
    announced: bool,
    /// Whether the first code of this round has been told.
    qr_announced: bool,
    /// Since when and how often connecting has failed.
    failing: Option<(Timestamp, u32)>,
    /// Failures that upstream had counted when we looked last.
    counted: u32,
    /// Looks in a row that found the connection gone.
    missed: u32,
}

impl Machine {
    pub(crate) fn new() -> Self {
        Self {
            state: SessionState::Connecting,
            announced: false,
            qr_announced: false,
            failing: None,
            counted: 0,
            missed: 0,
        }
    }

    pub(crate) fn state(&self) -> &SessionState {
        &self.state
    }

    /// A new client starts.
    pub(crate) fn starting(&mut self) {
        let Self { announced, .. } = *self;
        *self = Self {
            announced,
            ..Self::new()
        };
    }

    /// The client connects anew on purpose; upstream's own count of failures jumps to `counted`.
    pub(crate) fn reconnecting(&mut self, counted: u32) {
        self.state = SessionState::Connecting;
        self.counted = counted;
        self.missed = 0;
    }

    /// The session ends because its owner says so.
    pub(crate) fn closed(&mut self) {
        self.state = SessionState::Stopped;
    }

    /// The device was unlinked because its owner says so. Reports nothing when it was not linked.
    pub(crate) fn logged_out(&mut self, was_paired: bool) -> Vec<Effect> {
        if self.state == SessionState::Ended(EndReason::LoggedOut) {
            return Vec::new();
        }
        self.announced = false;
        self.state = SessionState::Ended(EndReason::LoggedOut);
        let report = was_paired.then_some(Effect::Report(EventBody::Ended(EndReason::LoggedOut)));
        report.into_iter().collect()
    }

    /// Nobody typed the code in time.
    pub(crate) fn typed_code_expired(&mut self) -> Vec<Effect> {
        if !matches!(self.state, SessionState::AwaitingScan { .. }) {
            return Vec::new();
        }
        self.state = SessionState::PairingTimedOut;
        vec![Effect::TakeDown]
    }

    /// An attempt to connect failed.
    pub(crate) fn failed(&mut self, now: Timestamp) -> Vec<Effect> {
        let (since, attempts) = self.failing.unwrap_or((now, 0));
        self.out_of_reach(since, attempts.saturating_add(1))
    }

    /// What `signal` does.
    pub(crate) fn on(&mut self, signal: Signal, now: Timestamp) -> Vec<Effect> {
        if self.state.is_at_rest() {
            return Vec::new();
        }
        match signal {
            Signal::Qr(qr, lasts) => {
                let expires_at = now + lasts;
                self.failing = None;
                self.state = SessionState::AwaitingScan { qr, expires_at };
                let first = !std::mem::replace(&mut self.qr_announced, true);
                first
                    .then_some(Effect::Report(EventBody::QrIssued { expires_at }))
                    .into_iter()
                    .collect()
            }
            Signal::QrExhausted { disconnected: false } => vec![Effect::AwaitTypedCode],
            Signal::QrExhausted { disconnected: true } => {
                self.state = SessionState::PairingTimedOut;
                vec![Effect::TakeDown]
            }
            Signal::Paired { jid, lid } => {
                self.state = SessionState::Connecting;
                // Nobody may hear of a link that a crash would lose.
                vec![Effect::Save, Effect::Report(EventBody::Paired { jid, lid })]
            }
            Signal::Connected => self.connected(now),
            Signal::Lost => {
                // Upstream counts the loss itself as a failure.
                self.counted = self.counted.saturating_add(1);
                self.lost(now)
            }
            Signal::Dialled(Dialled::Reached) => Vec::new(),
            Signal::Dialled(Dialled::Failed) => {
                self.counted = self.counted.saturating_add(1);
                self.failed(now)
            }
            Signal::Ended(reason) => {
                self.announced = false;
                self.state = SessionState::Ended(reason.clone());
                vec![Effect::Report(EventBody::Ended(reason)), Effect::TakeDown]
            }
            Signal::OwnName(name) => {
                let changed = EventBody::ProfileChanged {
                    push_name: Some(name),
                    picture_url: None,
                };
                vec![Effect::Report(changed), Effect::BeQuiet]
            }
            Signal::OwnPicture => vec![Effect::FetchPicture],
            Signal::NotCommitted => vec![Effect::Redeliver],
            Signal::Committed => vec![Effect::Recovered],
            Signal::Finished => {
                let mut effects = self.lost(now);
                effects.push(Effect::Restart);
                effects
            }
        }
    }

    /// What the client looks like between signals: not every failure has one.
    pub(crate) fn look(&mut self, has_socket: bool, failures: u32, now: Timestamp) -> Vec<Effect> {
        let new_failures = failures.saturating_sub(self.counted);
        self.counted = failures.max(self.counted.min(failures));
        if self.state.is_at_rest() {
            return Vec::new();
        }
        if has_socket {
            self.missed = 0;
            return Vec::new();
        }
        if self.state.is_connected() {
            self.missed += 1;
            return if self.missed < PATIENCE {
                Vec::new()
            } else {
                self.lost(now)
            };
        }
        if new_failures == 0 {
            Vec::new()
        } else {
            self.failed(now)
        }
    }

    fn connected(&mut self, now: Timestamp) -> Vec<Effect> {
        self.failing = None;
        self.missed = 0;
        self.state = SessionState::Connected { since: now };
        let mut effects = Vec::new();
        if !std::mem::replace(&mut self.announced, true) {
            effects.push(Effect::Report(EventBody::Connected));
        }
        effects.push(Effect::Welcome);
        effects
    }

    fn lost(&mut self, now: Timestamp) -> Vec<Effect> {
        let (since, attempts) = self.failing.unwrap_or((now, 0));
        self.out_of_reach(since, attempts)
    }

    fn out_of_reach(&mut self, since: Timestamp, attempts: u32) -> Vec<Effect> {
        self.missed = 0;
        self.failing = Some((since, attempts));
        self.state = SessionState::Unreachable { since, attempts };
        let told = std::mem::replace(&mut self.announced, false);
        told.then_some(Effect::Report(EventBody::Disconnected))
            .into_iter()
            .collect()
    }
}

#[cfg(test)]
mod tests;
