//! Misbehaviour on demand: what goes wrong, for whom and how often, so that a client's recovery can be tested.

pub(crate) mod mischief;
mod spec;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::Serialize;
use tokio::sync::watch;

use crate::ledger::Direction;

pub use mischief::Mischief;
pub use spec::{FaultKind, FaultSpec};

/// What becomes of a stanza or of a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    Pass,
    /// Cut the socket without a close frame.
    Drop,
    /// Go on after this long, in order.
    Delay(Duration),
    /// Swallow the stanza and keep the socket open.
    HalfOpen,
    /// Send `<stream:error>` and close.
    StreamError {
        code: u16,
        conflict: Option<String>,
    },
}

/// The attributes of a `<failure>` that ends a login.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoginRefusal {
    pub reason: u16,
    pub code: Option<u32>,
    pub expire_secs: Option<u64>,
}

/// How a media host fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MediaFault {
    Status(u16),
    Cut,
}

/// A fault with its id, as listed.
#[derive(Clone, Debug, Serialize)]
pub struct ActiveFault {
    pub id: String,
    #[serde(flatten)]
    pub spec: FaultSpec,
}

/// All faults now in force.
#[derive(Debug)]
pub struct Faults {
    active: Mutex<Vec<ActiveFault>>,
    next: AtomicU64,
    changed: watch::Sender<u64>,
}

impl Default for Faults {
    fn default() -> Self {
        Self {
            active: Mutex::default(),
            next: AtomicU64::new(1),
            changed: watch::channel(0).0,
        }
    }
}

impl Faults {
    /// Puts a fault in force and returns its id.
    pub fn add(&self, spec: FaultSpec) -> String {
        let id = format!("fault_{}", self.next.fetch_add(1, Ordering::Relaxed));
        self.active().push(ActiveFault { id: id.clone(), spec });
        self.bump();
        id
    }

    /// Ends one fault; false when there is none of this id.
    pub fn remove(&self, id: &str) -> bool {
        let mut active = self.active();
        let before = active.len();
        active.retain(|fault| fault.id != id);
        let removed = active.len() < before;
        drop(active);
        if removed {
            self.bump();
        }
        removed
    }

    /// Ends every fault.
    pub fn clear(&self) {
        self.active().clear();
        self.bump();
    }

    pub fn list(&self) -> Vec<ActiveFault> {
        self.active().clone()
    }

    /// Changes whenever a fault comes or is taken away; a connection then asks [`Faults::on_connection`].
    pub fn changed(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    /// What to do with a running connection now: `drop`, `stream_error` and `ban` strike without awaiting a stanza.
    pub fn on_connection(&self, phone: &str) -> Verdict {
        let verdict = self.strike(|spec| match spec.kind {
            FaultKind::Drop | FaultKind::StreamError if spec.hits(phone) => spec.stanza_verdict(),
            _ => None,
        });
        let banned = || {
            self.active()
                .iter()
                .any(|fault| fault.spec.kind == FaultKind::Ban && fault.spec.hits(phone))
        };
        // Not counted: a ban is spent by the logins that it refuses.
        verdict.unwrap_or_else(|| if banned() { Verdict::Drop } else { Verdict::Pass })
    }

    /// What becomes of one stanza; counts as a strike unless it passes.
    pub fn on_stanza(&self, phone: &str, direction: Direction) -> Verdict {
        self.strike(|spec| {
            if spec.hits(phone) && spec.goes(direction) {
                spec.stanza_verdict()
            } else {
                None
            }
        })
        .unwrap_or(Verdict::Pass)
    }

    /// What is done to one message on its way to a device of this phone, if anything.
    pub fn on_message(&self, phone: &str) -> Option<Mischief> {
        self.strike(|spec| if spec.hits(phone) { spec.mischief() } else { None })
    }

    /// Why this phone's device may not log in, if so.
    pub fn on_login(&self, phone: &str) -> Option<LoginRefusal> {
        self.strike(|spec| {
            if spec.hits(phone) {
                spec.login_refusal()
            } else {
                None
            }
        })
    }

    /// How this media request fails, if so; `phone` is empty when the request does not tell whose it is.
    pub fn on_media(&self, phone: &str, direction: Direction) -> Option<MediaFault> {
        self.strike(|spec| {
            if spec.hits(phone) && spec.goes(direction) {
                spec.media_fault()
            } else {
                None
            }
        })
    }

    /// The first fault that has something to say strikes, and goes when its count is spent.
    fn strike<T>(&self, says: impl Fn(&FaultSpec) -> Option<T>) -> Option<T> {
        let mut active = self.active();
        let (at, said) = active
            .iter()
            .enumerate()
            .find_map(|(at, fault)| says(&fault.spec).map(|said| (at, said)))?;
        if let Some(left) = &mut active[at].spec.count {
            *left = left.saturating_sub(1);
            if *left == 0 {
                active.remove(at);
            }
        }
        Some(said)
    }

    fn bump(&self) {
        self.changed.send_modify(|version| *version += 1);
    }

    fn active(&self) -> MutexGuard<'_, Vec<ActiveFault>> {
        self.active.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANNA: &str = "4915550001";
    const BEN: &str = "4915550002";

    #[test]
    fn a_counted_fault_strikes_that_often_and_only_its_phone() {
        let faults = Faults::default();
        faults.add(FaultSpec {
            phone: Some(ANNA.into()),
            count: Some(2),
            delay_ms: Some(40),
            ..FaultSpec::new(FaultKind::Delay)
        });
        let late = Verdict::Delay(Duration::from_millis(40));
        assert_eq!(faults.on_stanza(BEN, Direction::FromClient), Verdict::Pass);
        assert_eq!(faults.on_stanza(ANNA, Direction::FromClient), late);
        assert_eq!(faults.on_stanza(ANNA, Direction::ToClient), late);
        assert_eq!(faults.on_stanza(ANNA, Direction::ToClient), Verdict::Pass);
        assert!(faults.list().is_empty());
    }

    #[test]
    fn a_direction_spares_the_other_one() {
        let faults = Faults::default();
        faults.add(FaultSpec {
            direction: Some(Direction::ToClient),
            ..FaultSpec::new(FaultKind::HalfOpen)
        });
        assert_eq!(faults.on_stanza(ANNA, Direction::FromClient), Verdict::Pass);
        assert_eq!(faults.on_stanza(ANNA, Direction::ToClient), Verdict::HalfOpen);
    }

    #[test]
    fn a_ban_cuts_the_connection_and_refuses_the_login() {
        let faults = Faults::default();
        faults.add(FaultSpec {
            count: Some(1),
            expire_secs: Some(60),
            ..FaultSpec::new(FaultKind::Ban)
        });
        assert_eq!(faults.on_connection(ANNA), Verdict::Drop);
        let refusal = faults.on_login(ANNA).unwrap();
        assert_eq!(
            (refusal.reason, refusal.code, refusal.expire_secs),
            (402, Some(101), Some(60))
        );
        assert_eq!(faults.on_login(ANNA), None);
    }

    #[test]
    fn adding_and_clearing_wake_the_connections() {
        let faults = Faults::default();
        let mut changed = faults.changed();
        faults.add(FaultSpec::new(FaultKind::Drop));
        assert!(changed.has_changed().unwrap());
        changed.borrow_and_update();
        assert_eq!(faults.on_connection(ANNA), Verdict::Drop);
        faults.clear();
        assert!(changed.has_changed().unwrap());
        assert_eq!(faults.on_connection(ANNA), Verdict::Pass);
    }

    #[test]
    fn mischief_is_done_to_messages_alone() {
        let faults = Faults::default();
        faults.add(FaultSpec {
            phone: Some(ANNA.into()),
            count: Some(1),
            ..FaultSpec::new(FaultKind::Garble)
        });
        assert_eq!(faults.on_stanza(ANNA, Direction::ToClient), Verdict::Pass);
        assert_eq!(faults.on_message(BEN), None);
        assert_eq!(faults.on_message(ANNA), Some(Mischief::Garble));
        assert_eq!(faults.on_message(ANNA), None);
    }

    #[test]
    fn media_faults_leave_stanzas_alone() {
        let faults = Faults::default();
        faults.add(FaultSpec {
            code: Some(410),
            ..FaultSpec::new(FaultKind::Media)
        });
        assert_eq!(faults.on_stanza(ANNA, Direction::ToClient), Verdict::Pass);
        assert_eq!(
            faults.on_media("", Direction::ToClient),
            Some(MediaFault::Status(410))
        );
    }
}
