//! Long work that goes on after the request that began it: how far it has come, and what it found.

use std::fmt;
use std::str::FromStr;

use super::{DeviceId, Jid, JobId, PhoneNumber, Timestamp, Token, WebhookId};
use crate::{Error, Result};

/// What is done, and to what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JobKind {
    /// WhatsApp is asked which numbers have an account.
    NumberCheck {
        /// The device that asks.
        device: DeviceId,
        /// Its token.
        token: Token,
    },
    /// Deliveries of an endpoint are made once more.
    WebhookReplay {
        /// The endpoint.
        webhook: WebhookId,
    },
}

impl JobKind {
    /// Stable name.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::NumberCheck { .. } => "number_check",
            Self::WebhookReplay { .. } => "webhook_replay",
        }
    }

    /// The device that it is about, when it is about one.
    pub fn device(&self) -> Option<DeviceId> {
        match self {
            Self::NumberCheck { device, .. } => Some(*device),
            Self::WebhookReplay { .. } => None,
        }
    }
}

/// How it stands.
#[derive(Debug, Clone)]
pub enum JobState {
    /// It goes on.
    Running,
    /// It came to its end.
    Done,
    /// Somebody stopped it.
    Cancelled,
    /// It could not go on.
    Failed(Error),
}

impl JobState {
    /// Stable name.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Done => "done",
            Self::Cancelled => "cancelled",
            Self::Failed(_) => "failed",
        }
    }

    /// Whether it goes on.
    pub fn is_running(&self) -> bool {
        matches!(self, Self::Running)
    }
}

/// A piece of long work. It is known to the process that does it, and to nobody after that.
#[derive(Debug, Clone)]
pub struct Job {
    /// Our id.
    pub id: JobId,
    /// What is done.
    pub kind: JobKind,
    /// How it stands.
    pub state: JobState,
    /// How many of `total` are dealt with.
    pub done: u64,
    /// How many there are.
    pub total: u64,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
}

/// Which jobs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct JobFilter {
    /// Only those about this device.
    pub device: Option<DeviceId>,
    /// Only those about this endpoint.
    pub webhook: Option<WebhookId>,
}

impl JobFilter {
    /// Whether a job is one of these.
    pub fn fits(&self, kind: &JobKind) -> bool {
        let webhook = match kind {
            JobKind::WebhookReplay { webhook } => Some(*webhook),
            JobKind::NumberCheck { .. } => None,
        };
        self.device.is_none_or(|device| kind.device() == Some(device))
            && self.webhook.is_none_or(|wanted| webhook == Some(wanted))
    }
}

/// One line of a number check.
#[derive(Debug, Clone)]
pub struct CheckedNumber {
    /// As it was given; the beginning of it when that is long.
    pub number: String,
    /// What came of it.
    pub found: NumberFound,
}

/// What came of one number.
#[derive(Debug, Clone)]
pub enum NumberFound {
    /// It is no number.
    Unreadable(Error),
    /// WhatsApp was not asked, or has not answered yet.
    Unknown(PhoneNumber),
    /// WhatsApp said whether it has an account, and which.
    Known(PhoneNumber, Option<Jid>),
}

/// The place of a line in a list, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line(pub usize);

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Line {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let number = text
            .bytes()
            .all(|b| b.is_ascii_digit())
            .then(|| text.parse().ok());
        number
            .flatten()
            .map(Self)
            .ok_or_else(|| Error::invalid("line", "not the number of a line"))
    }
}
