//! What a session is doing. The state carries its data, is pushed through a watch channel, and is the
//! only thing that status, QR and dashboard read.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{PhoneNumber, Secret, Timestamp};
use crate::{Error, Result};

/// Why a link or a connection ended for good. Nothing reconnects by itself after one of these.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum EndReason {
    /// The link is gone: the phone unlinked us, or we logged out. Needs pairing.
    LoggedOut,
    /// Another connection took this device's place.
    Replaced,
    /// WhatsApp banned the account for a while.
    Banned {
        /// WhatsApp's code.
        code: u32,
        /// When it ends, if WhatsApp said so.
        until: Option<Timestamp>,
    },
    /// WhatsApp no longer talks to this version of the client.
    Outdated,
    /// WhatsApp refused the connection with a code that is none of the above.
    Rejected {
        /// WhatsApp's code.
        code: u32,
    },
}

impl EndReason {
    /// Stable name.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::LoggedOut => "logged_out",
            Self::Replaced => "replaced",
            Self::Banned { .. } => "banned",
            Self::Outdated => "outdated",
            Self::Rejected { .. } => "rejected",
        }
    }
}

/// State of a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SessionState {
    /// Not running: never started, or closed.
    Stopped,
    /// Dialling or logging in; nothing has gone wrong yet.
    Connecting,
    /// Unpaired and connected: this code can be scanned.
    AwaitingScan {
        /// The pairing string. Never log it.
        qr: Secret,
        /// When it stops being valid.
        expires_at: Timestamp,
    },
    /// Nobody scanned in time; start again for a new round of codes.
    PairingTimedOut,
    /// Logged in and usable.
    Connected {
        /// Since when.
        since: Timestamp,
    },
    /// Lost the connection, or never got one; trying again.
    Unreachable {
        /// Since when.
        since: Timestamp,
        /// Attempts that failed since then.
        attempts: u32,
    },
    /// Over, until somebody acts.
    Ended(EndReason),
}

impl SessionState {
    /// Stable name, as clients see it.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Stopped => "stopped",
            Self::Connecting => "connecting",
            Self::AwaitingScan { .. } => "awaiting_scan",
            Self::PairingTimedOut => "pairing_timed_out",
            Self::Connected { .. } => "connected",
            Self::Unreachable { .. } => "unreachable",
            Self::Ended(reason) => reason.as_str(),
        }
    }

    /// The same as something to count and to ask for.
    pub fn name(&self) -> StateName {
        StateName(self.as_str())
    }

    /// Whether messages can be sent now.
    pub fn is_connected(&self) -> bool {
        matches!(self, Self::Connected { .. })
    }

    /// Whether the session makes no attempt to connect by itself any more.
    pub fn is_at_rest(&self) -> bool {
        matches!(self, Self::Stopped | Self::PairingTimedOut | Self::Ended(_))
    }
}

/// The stable name of a state of sessions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StateName(&'static str);

impl StateName {
    /// Every state, in the order of the documentation.
    pub const ALL: [Self; 11] = [
        Self("stopped"),
        Self("connecting"),
        Self("awaiting_scan"),
        Self("pairing_timed_out"),
        Self("connected"),
        Self("unreachable"),
        Self("logged_out"),
        Self("replaced"),
        Self("banned"),
        Self("outdated"),
        Self("rejected"),
    ];

    /// The name.
    pub fn as_str(self) -> &'static str {
        self.0
    }
}

impl FromStr for StateName {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Self::ALL
            .into_iter()
            .find(|state| state.0 == text)
            .ok_or_else(|| Error::invalid("state", format!("there is no state {text:?}")))
    }
}

/// The code a person types into their phone instead of scanning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PairCode {
    code: Secret,
    /// When it stops being valid.
    pub expires_at: Timestamp,
}

impl PairCode {
    /// Wraps the eight characters as WhatsApp made them.
    pub fn new(code: Secret, expires_at: Timestamp) -> Self {
        Self { code, expires_at }
    }

    /// `ABCD-1234`, as phones show it.
    pub fn display(&self) -> String {
        let raw: String = self.code.reveal().chars().filter(|c| *c != '-').collect();
        match raw.split_at_checked(4) {
            Some((left, right)) if !right.is_empty() => format!("{left}-{right}"),
            _ => raw,
        }
    }
}

/// A code and the number that it is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pairing {
    /// The number as it was understood.
    pub phone: PhoneNumber,
    /// What to type there.
    pub code: PairCode,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_is_found_by_its_name() {
        let at = Timestamp::default();
        let states = [
            SessionState::Stopped,
            SessionState::Connecting,
            SessionState::AwaitingScan {
                qr: Secret::new("2@"),
                expires_at: at,
            },
            SessionState::PairingTimedOut,
            SessionState::Connected { since: at },
            SessionState::Unreachable {
                since: at,
                attempts: 1,
            },
            SessionState::Ended(EndReason::LoggedOut),
            SessionState::Ended(EndReason::Replaced),
            SessionState::Ended(EndReason::Banned { code: 1, until: None }),
            SessionState::Ended(EndReason::Outdated),
            SessionState::Ended(EndReason::Rejected { code: 1 }),
        ];
        assert_eq!(states.each_ref().map(SessionState::name), StateName::ALL);
        for state in states {
            assert_eq!(state.as_str().parse::<StateName>().unwrap(), state.name());
        }
        for bad in ["", "Connected", "ended"] {
            assert_eq!(bad.parse::<StateName>().unwrap_err().code(), "invalid_state");
        }
    }
}
