//! The seam between databases. Every query is written once and compiled for each database that is built
//! in, because it runs inside [`on!`]; what only one database can say stands in this file and in
//! `connection.rs`.

use diesel::connection::{AnsiTransactionManager, Connection, TransactionManager};
use diesel::pg::PgConnection;
use diesel::sqlite::SqliteConnection;

use crate::error::Failure;

/// A borrowed connection to one of the databases.
pub(crate) enum Conn<'c> {
    Sqlite(&'c mut SqliteConnection),
    Postgres(&'c mut PgConnection),
}

/// Compiles the body once per database and runs the one that the connection belongs to.
macro_rules! on {
    ($conn:expr, $c:ident => $body:expr) => {
        match $conn {
            $crate::dialect::Conn::Sqlite(connection) => {
                let $c: &mut ::diesel::sqlite::SqliteConnection = connection;
                $body
            }
            $crate::dialect::Conn::Postgres(connection) => {
                let $c: &mut ::diesel::pg::PgConnection = connection;
                $body
            }
        }
    };
}

/// Most values that one statement can carry: SQLite's limit, which is the lower one.
pub(crate) const MAX_BINDS: usize = 32_766;

impl Conn<'_> {
    /// Opens the writer's transaction. On SQLite it takes the write lock at once: a transaction that begins by
    /// reading cannot wait for the lock later.
    pub(crate) fn begin_write(&mut self) -> Result<(), diesel::result::Error> {
        match self {
            Self::Sqlite(c) => AnsiTransactionManager::begin_transaction_sql(&mut **c, "BEGIN IMMEDIATE"),
            Self::Postgres(c) => AnsiTransactionManager::begin_transaction(&mut **c),
        }
    }

    /// Makes the writer's transaction durable.
    pub(crate) fn commit(&mut self) -> Result<(), diesel::result::Error> {
        on!(self, c => AnsiTransactionManager::commit_transaction(c))
    }

    /// Whether the connection is exactly inside the writer's transaction: after some failures the database
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
            Self::Postgres(c) => c.transaction(|c| work(&mut Conn::Postgres(c))),
        }
    }
}

/// The text without NUL characters, which PostgreSQL takes in no text and people put in their names.
pub(crate) fn without_nul(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}
