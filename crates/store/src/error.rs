//! The edge of the crate: what the database says becomes a domain error here and nowhere else.

use diesel::result::{DatabaseErrorKind, Error as DieselError};
use wagate_domain::Error;
use wagate_domain::model::DeviceId;

/// How the work on a connection fails: because the database said so, or because we did.
#[derive(Debug)]
pub(crate) enum Failure {
    Database(DieselError),
    Domain(Error),
}

impl From<DieselError> for Failure {
    fn from(error: DieselError) -> Self {
        Self::Database(error)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Domain(error)
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Database(error) => from_diesel(error),
            Failure::Domain(error) => error,
        }
    }
}

impl Failure {
    /// A row that hangs on a device could not be stored: the device is gone.
    pub(crate) fn or_no_device(error: DieselError, device: DeviceId) -> Self {
        match error {
            DieselError::DatabaseError(DatabaseErrorKind::ForeignKeyViolation, _) => no_device(device).into(),
            other => Self::Database(other),
        }
    }
}

/// The device is gone.
pub(crate) fn no_device(device: DeviceId) -> Error {
    Error::NotFound {
        what: "device",
        id: device.to_string(),
    }
}

/// The database cannot be reached or used for now.
pub(crate) fn unavailable(reason: impl std::fmt::Display) -> Error {
    Error::unavailable("database", reason)
}

/// What databases say when it is the machine or the server that fails, not the statement. Diesel keeps no
/// result codes.
const OUT_OF_REACH: [&str; 22] = [
    "database is locked",
    "database table is locked",
    "database or disk is full",
    "disk I/O error",
    "unable to open database file",
    "attempt to write a readonly database",
    "locking protocol",
    "out of memory",
    "server closed the connection",
    "terminating connection",
    "the database system is",
    "could not connect",
    "connection to server",
    "no connection to the server",
    "SSL connection has been closed",
    "SSL SYSCALL error",
    "could not receive data",
    "could not send data",
    "canceling statement due to",
    "deadlock detected",
    "could not extend file",
    "could not write",
];

/// What SQLite says when reading, writing or syncing the file failed.
pub(crate) fn is_disk_failure(error: &DieselError) -> bool {
    matches!(error, DieselError::DatabaseError(_, info) if info.message().starts_with("disk I/O error"))
}

pub(crate) fn from_diesel(error: DieselError) -> Error {
    let out_of_reach = match &error {
        DieselError::BrokenTransactionManager
        | DieselError::DatabaseError(
            DatabaseErrorKind::ClosedConnection | DatabaseErrorKind::UnableToSendCommand,
            _,
        ) => true,
        DieselError::DatabaseError(_, info) => {
            OUT_OF_REACH.iter().any(|text| info.message().starts_with(text))
        }
        _ => false,
    };
    if out_of_reach {
        unavailable(error)
    } else {
        Error::internal(error)
    }
}

/// The same error for every job of a batch that could not be committed.
pub(crate) fn repeat(error: &Error) -> Error {
    match error {
        Error::Unavailable { what, reason } => Error::unavailable(what, reason),
        Error::Internal(source) => Error::internal(source.to_string()),
        other => Error::internal(other.to_string()),
    }
}

/// Reads back what we wrote; what cannot be read is a damaged row, not wrong input.
pub(crate) fn stored<T: std::str::FromStr<Err = Error>>(text: &str) -> Result<T, Error> {
    text.parse()
        .map_err(|error: Error| Error::internal(format!("damaged row: {error}")))
}

/// [`stored`] for a column that may be empty.
pub(crate) fn stored_option<T: std::str::FromStr<Err = Error>>(
    text: Option<&str>,
) -> Result<Option<T>, Error> {
    text.map(stored).transpose()
}
