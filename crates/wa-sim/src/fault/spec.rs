//! A fault as the control API states it, and what it says where it strikes.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{LoginRefusal, MediaFault, Mischief, Verdict};
use crate::ledger::Direction;

/// Reason of `<failure>` when a `refuse` fault names none: the service is unavailable, try again.
const DEFAULT_REFUSAL: u16 = 503;
/// Reason of `<failure>` for a temporary ban.
const BAN_REASON: u16 = 402;
/// Ban code "sent to too many people", used when a `ban` fault names none.
const DEFAULT_BAN_CODE: u32 = 101;
const DEFAULT_BAN_SECS: u64 = 3600;
/// Code of `<stream:error>` when the fault names none.
const DEFAULT_STREAM_ERROR: u16 = 503;
const DEFAULT_DELAY_MS: u64 = 1000;
/// Status of a failing media host when the fault names none.
const DEFAULT_MEDIA_STATUS: u16 = 503;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// The socket is cut without a word, at once and again at every stanza.
    Drop,
    /// Every stanza waits `delay_ms`.
    Delay,
    /// The socket stays open and stanzas vanish.
    HalfOpen,
    /// `<stream:error>` with `code` or `<conflict type>`, at once and again at every stanza.
    StreamError,
    /// Logins end in `<failure reason="{code}"/>`.
    Refuse,
    /// A temporary ban: running connections are cut, logins end in `<failure reason="402" code expire/>`.
    Ban,
    /// Media hosts answer `code`, or `cut` the body half way.
    Media,
    /// A message comes twice.
    Duplicate,
    /// A message comes damaged: the client cannot decrypt it and has to ask again.
    Garble,
    /// Stanzas that no client knows come before a message.
    Unknown,
}

/// What goes wrong, as the control API states it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultSpec {
    /// Whose devices; all of them when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    pub kind: FaultKind,
    /// Stream error code, failure reason, ban code or HTTP status, as the kind has it.
    #[serde(default, alias = "status", skip_serializing_if = "Option::is_none")]
    pub code: Option<u32>,
    /// Type of the `<conflict>` in a stream error: `replaced`, `device_removed`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conflict: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delay_ms: Option<u64>,
    /// How long a ban lasts, as told to the client.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expire_secs: Option<u64>,
    /// How often it strikes; until cleared when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
    /// Only this way: for media, `from_client` is an upload and `to_client` a download.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub direction: Option<Direction>,
    /// Media only: the body breaks off half way instead of an error status.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cut: bool,
}

impl FaultSpec {
    /// A fault of this kind for everyone until it is cleared.
    pub fn new(kind: FaultKind) -> Self {
        Self {
            phone: None,
            kind,
            code: None,
            conflict: None,
            delay_ms: None,
            expire_secs: None,
            count: None,
            direction: None,
            cut: false,
        }
    }

    pub(super) fn hits(&self, phone: &str) -> bool {
        self.phone.as_deref().is_none_or(|only| only == phone)
    }

    pub(super) fn goes(&self, direction: Direction) -> bool {
        self.direction.is_none_or(|only| only == direction)
    }

    fn short_code(&self, default: u16) -> u16 {
        self.code
            .and_then(|code| u16::try_from(code).ok())
            .unwrap_or(default)
    }

    pub(super) fn stanza_verdict(&self) -> Option<Verdict> {
        match self.kind {
            FaultKind::Drop => Some(Verdict::Drop),
            FaultKind::Delay => Some(Verdict::Delay(Duration::from_millis(
                self.delay_ms.unwrap_or(DEFAULT_DELAY_MS),
            ))),
            FaultKind::HalfOpen => Some(Verdict::HalfOpen),
            FaultKind::StreamError => Some(Verdict::StreamError {
                code: self.short_code(DEFAULT_STREAM_ERROR),
                conflict: self.conflict.clone(),
            }),
            FaultKind::Refuse
            | FaultKind::Ban
            | FaultKind::Media
            | FaultKind::Duplicate
            | FaultKind::Garble
            | FaultKind::Unknown => None,
        }
    }

    pub(super) fn mischief(&self) -> Option<Mischief> {
        match self.kind {
            FaultKind::Duplicate => Some(Mischief::Duplicate),
            FaultKind::Garble => Some(Mischief::Garble),
            FaultKind::Unknown => Some(Mischief::Unknown),
            _ => None,
        }
    }

    pub(super) fn login_refusal(&self) -> Option<LoginRefusal> {
        match self.kind {
            FaultKind::Refuse => Some(LoginRefusal {
                reason: self.short_code(DEFAULT_REFUSAL),
                code: None,
                expire_secs: None,
            }),
            FaultKind::Ban => Some(LoginRefusal {
                reason: BAN_REASON,
                code: Some(self.code.unwrap_or(DEFAULT_BAN_CODE)),
                expire_secs: Some(self.expire_secs.unwrap_or(DEFAULT_BAN_SECS)),
            }),
            _ => None,
        }
    }

    pub(super) fn media_fault(&self) -> Option<MediaFault> {
        match self.kind {
            FaultKind::Media if self.cut => Some(MediaFault::Cut),
            FaultKind::Media => Some(MediaFault::Status(self.short_code(DEFAULT_MEDIA_STATUS))),
            _ => None,
        }
    }
}
