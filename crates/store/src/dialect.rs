//! The seam between databases. Every query is written once and compiled for each database that is built
//! in, because it runs inside [`on!`]; what only one database can say stands in this file.

use diesel::connection::{AnsiTransactionManager, Connection, TransactionManager};
use diesel::sqlite::SqliteConnection;

use crate::error::Failure;

/// A borrowed connection to one of the databases.
pub(crate) enum Conn<'c> {
    Sqlite(&'c mut SqliteConnection),
}

/// Compiles the body once per database and runs the one that the connection belongs to.
macro_rules! on {
    ($conn:expr, $c:ident => $body:expr) => {
        match $conn {
            $crate::dialect::Conn::Sqlite(connection) => {
                let $c: &mut ::diesel::sqlite::SqliteConnection = connection;
                $body
            }
        }
    };
}

/// Most values that one statement can carry: SQLite's limit, which is the lower one.
pub(crate) const MAX_BINDS: usize = 32_766;

impl Conn<'_> {
    /// Opens the writer's transaction. It takes the write lock at once: a transaction that begins by
    /// reading cannot wait for the lock later.
    pub(crate) fn begin_write(&mut self) -> Result<(), diesel::result::Error> {
        match self {
            Self::Sqlite(c) => AnsiTransactionManager::begin_transaction_sql(&mut **c, "BEGIN IMMEDIATE"),
        }
    }

    /// Makes the writer's transaction durable.
    pub(crate) fn commit(&mut self) -> Result<(), diesel::result::Error> {
        on!(self, c => AnsiTransactionManager::commit_transaction(c))
    }

    /// Whether the connection is exactly inside the writer's transaction: after some failures SQLite
    /// has rolled all of it back, savepoints and all.
    pub(crate) fn in_write(&mut self) -> bool {
        let status = on!(self, c => {
            <AnsiTransactionManager as TransactionManager<_>>::transaction_manager_status_mut(c).transaction_depth()
        });
        matches!(status, Ok(Some(depth)) if depth.get() == 1)
    }

    /// Runs the work all or nothing: a transaction of its own, or a savepoint inside one.
    pub(crate) fn atomically<T>(
        &mut self,
        work: impl FnOnce(&mut Conn<'_>) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        match self {
            Self::Sqlite(c) => c.transaction(|c| work(&mut Conn::Sqlite(c))),
        }
    }
}
