//! The one error enum. Lower layers convert into it in one file each; the HTTP layer maps it in one
//! exhaustive table, which is why it is not `#[non_exhaustive]`: a new variant must not compile until
//! somebody has chosen its status.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// Result of every use case and port.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What a use case needed and did not find; the subject of [`Error::WrongState`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needs {
    /// The session has a live, logged-in connection.
    Connected,
    /// The device is linked to a WhatsApp account.
    Paired,
    /// The device is not linked yet.
    Unpaired,
    /// An earlier request with the same idempotency key has ended.
    PreviousRequestEnded,
    /// There is no admin yet.
    NoAdmin,
    /// The device's earlier check of numbers has ended.
    PreviousCheckEnded,
}

impl Needs {
    /// Stable code for clients.
    pub fn code(self) -> &'static str {
        match self {
            Self::Connected => "session_not_connected",
            Self::Paired => "session_not_paired",
            Self::Unpaired => "session_already_paired",
            Self::PreviousRequestEnded => "request_in_progress",
            Self::NoAdmin => "setup_done",
            Self::PreviousCheckEnded => "number_check_in_progress",
        }
    }
}

impl fmt::Display for Needs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Connected => "the session is not connected",
            Self::Paired => "the device is not paired",
            Self::Unpaired => "the device is already paired",
            Self::PreviousRequestEnded => "a request with this idempotency key is still running",
            Self::NoAdmin => "there is an admin already: sign in instead",
            Self::PreviousCheckEnded => "the device checks other numbers already",
        })
    }
}

/// Everything that can go wrong, by what a caller can do about it.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// No such thing; `what` is the resource ("device"), `id` what was asked for.
    #[error("{what} {id:?} not found")]
    NotFound { what: &'static str, id: String },
    /// There is one already; `what` is the resource, `id` what it was to be called.
    #[error("{what} {id:?} exists already")]
    AlreadyExists { what: &'static str, id: String },
    /// The input is wrong; `field` names it as the caller wrote it.
    #[error("{reason}")]
    Invalid { field: &'static str, reason: String },
    /// The input is larger than a configured limit, in bytes.
    #[error("{what} is larger than {limit} bytes")]
    TooLarge { what: &'static str, limit: u64 },
    /// Right request, wrong moment; `is` is the state's name.
    #[error("{needs} (state: {is})")]
    WrongState { needs: Needs, is: String },
    /// The idempotency key was used before with another request.
    #[error("this idempotency key was used with a different request")]
    KeyReused,
    /// No credentials, or wrong ones.
    #[error("unauthorized")]
    Unauthenticated,
    /// Signing in with a name, password, key or code that is not right; not said which.
    #[error("these credentials are wrong")]
    WrongCredentials,
    /// Too many requests, or failures to sign in; try again after the given time.
    #[error("too many attempts")]
    Throttled { retry_after: Duration },
    /// WhatsApp said no; `wa_code` is its own code when it gave one.
    #[error("WhatsApp refused: {text}")]
    Refused { wa_code: Option<u16>, text: String },
    /// Something we need is out of reach: "whatsapp", "database", "media".
    #[error("{what} is unavailable: {reason}")]
    Unavailable { what: &'static str, reason: String },
    /// Something did not happen in time.
    #[error("{what} timed out")]
    TimedOut { what: &'static str },
    /// A defect or a broken machine. Opaque to clients, logged once where it is handled.
    #[error("internal error")]
    Internal(#[source] Arc<dyn std::error::Error + Send + Sync>),
}

impl Error {
    /// Stable code for clients and for the problem pages.
    pub fn code(&self) -> String {
        match self {
            Self::NotFound { what, .. } => format!("{what}_not_found"),
            Self::AlreadyExists { what, .. } => format!("{what}_exists"),
            Self::Invalid { field, .. } => format!("invalid_{field}"),
            Self::TooLarge { what, .. } => format!("{what}_too_large"),
            Self::WrongState { needs, .. } => needs.code().into(),
            Self::KeyReused => "idempotency_key_reused".into(),
            Self::Unauthenticated => "unauthenticated".into(),
            Self::WrongCredentials => "wrong_credentials".into(),
            Self::Throttled { .. } => "throttled".into(),
            Self::Refused { .. } => "whatsapp_refused".into(),
            Self::Unavailable { what, .. } => format!("{what}_unavailable"),
            Self::TimedOut { what } => format!("{what}_timeout"),
            Self::Internal(_) => "internal".into(),
        }
    }

    /// Whether the same request may succeed later without being changed.
    pub fn retryable(&self) -> bool {
        match self {
            Self::Throttled { .. }
            | Self::Unavailable { .. }
            | Self::TimedOut { .. }
            | Self::WrongState { .. } => true,
            Self::NotFound { .. }
            | Self::AlreadyExists { .. }
            | Self::Invalid { .. }
            | Self::TooLarge { .. }
            | Self::KeyReused
            | Self::Unauthenticated
            | Self::WrongCredentials
            | Self::Refused { .. }
            | Self::Internal(_) => false,
        }
    }

    /// A defect, with its cause kept for the log.
    pub fn internal(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Internal(source.into().into())
    }

    /// Wrong input in `field`.
    pub fn invalid(field: &'static str, reason: impl Into<String>) -> Self {
        Self::Invalid {
            field,
            reason: reason.into(),
        }
    }

    /// Something out of reach for now.
    pub fn unavailable(what: &'static str, reason: impl fmt::Display) -> Self {
        Self::Unavailable {
            what,
            reason: reason.to_string(),
        }
    }
}
