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
mod tests {
    use std::time::Duration;

    use wagate_domain::model::{Jid, Secret};

    use super::*;

    const NOW: Timestamp = Timestamp(1_000_000);
    const LATER: Timestamp = Timestamp(1_005_000);

    fn qr(machine: &mut Machine) -> Vec<Effect> {
        machine.on(Signal::Qr(Secret::new("2@abc"), Duration::from_secs(20)), NOW)
    }

    fn connected() -> Machine {
        let mut machine = Machine::new();
        let effects = machine.on(Signal::Connected, NOW);
        assert_eq!(effects, [Effect::Report(EventBody::Connected), Effect::Welcome]);
        machine
    }

    #[test]
    fn only_the_first_code_of_a_round_is_news() {
        let mut machine = Machine::new();
        let expires_at = NOW + Duration::from_secs(20);
        assert_eq!(
            qr(&mut machine),
            [Effect::Report(EventBody::QrIssued { expires_at })]
        );
        assert_eq!(qr(&mut machine), []);
        assert!(matches!(machine.state(), SessionState::AwaitingScan { qr, .. } if qr.reveal() == "2@abc"));
        machine.starting();
        assert_eq!(qr(&mut machine).len(), 1);
    }

    #[test]
    fn codes_that_nobody_scans_end_at_rest() {
        let mut machine = Machine::new();
        qr(&mut machine);
        assert_eq!(
            machine.on(Signal::QrExhausted { disconnected: true }, NOW),
            [Effect::TakeDown]
        );
        assert_eq!(*machine.state(), SessionState::PairingTimedOut);
        assert_eq!(
            machine.on(Signal::Finished, NOW),
            [],
            "the end of the client is no news"
        );
    }

    #[test]
    fn a_typed_code_outlives_the_codes_to_scan() {
        let mut machine = Machine::new();
        qr(&mut machine);
        assert_eq!(
            machine.on(Signal::QrExhausted { disconnected: false }, NOW),
            [Effect::AwaitTypedCode]
        );
        let jid: Jid = "628111:7@s.whatsapp.net".parse().unwrap();
        let paired = machine.on(
            Signal::Paired {
                jid: jid.clone(),
                lid: None,
            },
            NOW,
        );
        assert_eq!(
            paired,
            [Effect::Save, Effect::Report(EventBody::Paired { jid, lid: None })]
        );
        assert_eq!(machine.typed_code_expired(), [], "paired in time");
        let mut machine = Machine::new();
        qr(&mut machine);
        assert_eq!(machine.typed_code_expired(), [Effect::TakeDown]);
    }

    #[test]
    fn a_lost_connection_is_told_once_and_its_return_too() {
        let mut machine = connected();
        assert_eq!(
            machine.on(Signal::Lost, NOW),
            [Effect::Report(EventBody::Disconnected)]
        );
        assert_eq!(
            *machine.state(),
            SessionState::Unreachable {
                since: NOW,
                attempts: 0
            }
        );
        assert_eq!(machine.on(Signal::Dialled(Dialled::Failed), LATER), []);
        assert_eq!(machine.on(Signal::Dialled(Dialled::Failed), LATER), []);
        assert_eq!(
            *machine.state(),
            SessionState::Unreachable {
                since: NOW,
                attempts: 2
            }
        );
        assert_eq!(machine.on(Signal::Dialled(Dialled::Reached), LATER), []);
        let back = machine.on(Signal::Connected, LATER);
        assert_eq!(back, [Effect::Report(EventBody::Connected), Effect::Welcome]);
        assert_eq!(*machine.state(), SessionState::Connected { since: LATER });
    }

    #[test]
    fn connecting_anew_on_purpose_is_not_told_when_it_works() {
        let mut machine = connected();
        machine.starting();
        assert_eq!(*machine.state(), SessionState::Connecting);
        assert_eq!(machine.on(Signal::Connected, LATER), [Effect::Welcome]);
        machine.starting();
        let failed = machine.on(Signal::Dialled(Dialled::Failed), LATER);
        assert_eq!(failed, [Effect::Report(EventBody::Disconnected)]);
    }

    #[test]
    fn a_verdict_is_told_once_and_nothing_follows_it() {
        let mut machine = connected();
        let verdict = machine.on(Signal::Ended(EndReason::Replaced), NOW);
        assert_eq!(
            verdict,
            [
                Effect::Report(EventBody::Ended(EndReason::Replaced)),
                Effect::TakeDown
            ]
        );
        for late in [
            Signal::Ended(EndReason::LoggedOut),
            Signal::Lost,
            Signal::Connected,
            Signal::Finished,
        ] {
            assert_eq!(machine.on(late, LATER), []);
        }
        assert_eq!(*machine.state(), SessionState::Ended(EndReason::Replaced));
        machine.starting();
        let back = machine.on(Signal::Connected, LATER);
        assert_eq!(
            back,
            [Effect::Report(EventBody::Connected), Effect::Welcome],
            "started again from rest"
        );
    }

    #[test]
    fn logging_out_is_told_once_and_only_by_linked_devices() {
        let report = Effect::Report(EventBody::Ended(EndReason::LoggedOut));
        let mut machine = connected();
        assert_eq!(machine.logged_out(true), [report]);
        assert_eq!(machine.logged_out(true), []);
        assert_eq!(Machine::new().logged_out(false), []);
    }

    #[test]
    fn failures_without_a_signal_are_seen() {
        let mut machine = Machine::new();
        assert_eq!(machine.look(false, 0, NOW), []);
        assert_eq!(*machine.state(), SessionState::Connecting);
        machine.look(false, 1, NOW);
        assert_eq!(
            *machine.state(),
            SessionState::Unreachable {
                since: NOW,
                attempts: 1
            }
        );
        machine.look(false, 1, LATER);
        assert_eq!(
            *machine.state(),
            SessionState::Unreachable {
                since: NOW,
                attempts: 1
            }
        );
        machine.look(false, 2, LATER);
        assert_eq!(
            *machine.state(),
            SessionState::Unreachable {
                since: NOW,
                attempts: 2
            }
        );
    }

    #[test]
    fn a_failed_dial_is_not_counted_twice() {
        let mut machine = Machine::new();
        machine.on(Signal::Dialled(Dialled::Failed), NOW);
        machine.look(false, 1, LATER);
        assert_eq!(
            *machine.state(),
            SessionState::Unreachable {
                since: NOW,
                attempts: 1
            }
        );
    }

    #[test]
    fn a_connection_that_vanished_silently_is_noticed() {
        let mut machine = connected();
        assert_eq!(machine.look(false, 0, NOW), []);
        assert_eq!(machine.look(true, 0, NOW), []);
        assert_eq!(machine.look(false, 0, NOW), []);
        assert_eq!(
            machine.look(false, 0, LATER),
            [Effect::Report(EventBody::Disconnected)]
        );
    }

    #[test]
    fn a_client_that_ends_by_itself_is_replaced() {
        let mut machine = connected();
        let effects = machine.on(Signal::Finished, NOW);
        assert_eq!(
            effects,
            [Effect::Report(EventBody::Disconnected), Effect::Restart]
        );
    }
}
