//! Connections of our own. Everything that is true of one database's connections and of no other's stands
//! here: how they are opened, what they promise, and how they end.

use std::path::{Path, PathBuf};

use diesel::connection::{Connection as _, SimpleConnection};
use diesel::pg::PgConnection;
use diesel::sql_types::Bool;
use diesel::sqlite::SqliteConnection;
use diesel::{QueryableByName, RunQueryDsl};
use wagate_domain::{Error, Result};

use crate::dialect::Conn;
use crate::error::{from_diesel, unavailable};

/// Other processes (a backup, a shell) may hold SQLite's lock for a moment.
const BUSY_TIMEOUT_MS: u32 = 5_000;
/// The write-ahead log is cut back to this after a checkpoint, in bytes.
const WAL_LIMIT: u32 = 64 << 20;
/// What the writer keeps of the file in memory, in KiB: the indexes' inner pages, and those that change all the time.
const WRITER_CACHE_KIB: u32 = 16 << 10;
/// Pages of 4 KiB in the write-ahead log at which the writer itself moves it into the file. Most of it is there already by
/// then: see `checkpoint`.
const WAL_PAGES: u32 = 8_000;

/// What no statement of ours takes: it hangs, and the connection is better given up.
const STATEMENT_TIMEOUT: &str = "30s";
/// What a statement may wait for somebody else's lock.
const LOCK_TIMEOUT: &str = "10s";
/// Added to PostgreSQL's address where it says nothing of these: a dead server is noticed in seconds.
const KEEPALIVE: [(&str, &str); 5] = [
    ("connect_timeout", "3"),
    ("keepalives_idle", "10"),
    ("keepalives_interval", "5"),
    ("keepalives_count", "3"),
    ("tcp_user_timeout", "15000"),
];
/// What whoever comes second is told.
const HELD: &str = "another wagate works on it";
/// Marks the advisory lock that keeps a database to one gateway.
const GATEWAY_LOCK: i32 = 0x7761_6761;

/// Which database.
#[derive(Clone)]
pub(crate) enum Target {
    /// A file.
    Sqlite(PathBuf),
    /// A server, by address.
    Postgres(String),
}

impl Target {
    /// Reads `sqlite://PATH` and `postgres://…`.
    pub(crate) fn parse(url: &str) -> Result<Self> {
        let bad = |reason: &str| Error::invalid("database_url", reason);
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            return Ok(Self::Postgres(with_keepalive(url)));
        }
        let path = url.strip_prefix("sqlite://").ok_or_else(|| {
            bad("the database must be sqlite:// and the path of a file, or postgres:// and an address")
        })?;
        if path.is_empty() || path.contains(['?', '#']) {
            return Err(bad(
                "sqlite:// is followed by the path of a file, and nothing else",
            ));
        }
        Ok(Self::Sqlite(path.into()))
    }

    /// Opens a connection that writes; on PostgreSQL it holds the lock of the one gateway.
    pub(crate) fn connect_writer(&self) -> Result<Connection> {
        match self {
            Self::Sqlite(path) => open_file(path).map(Connection::Sqlite),
            Self::Postgres(url) => {
                let mut c = open_server(url)?;
                // Everything that the writer looks for has an index. A server that knows nothing yet of a table that
                // fills up would rather read all of it for a hundred lanes.
                c.batch_execute("SET synchronous_commit = on; SET enable_seqscan = off")
                    .map_err(from_diesel)?;
                lock(&mut c)?;
                Ok(Connection::Postgres(c))
            }
        }
    }

    /// Opens the connection that moves the write-ahead log into the file beside the writer; PostgreSQL does that itself.
    pub(crate) fn connect_checkpointer(&self) -> Result<Option<Connection>> {
        let Self::Sqlite(path) = self else {
            return Ok(None);
        };
        let mut c = SqliteConnection::establish(utf8(path)?).map_err(unavailable)?;
        c.batch_execute(&format!(
            "PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}; PRAGMA synchronous = FULL;"
        ))
        .map_err(from_diesel)?;
        Ok(Some(Connection::Sqlite(c)))
    }

    /// Opens a connection that cannot write, not even by mistake.
    pub(crate) fn connect_reader(&self) -> Result<Connection> {
        match self {
            Self::Sqlite(path) => {
                let mut c = SqliteConnection::establish(utf8(path)?).map_err(unavailable)?;
                c.batch_execute(&format!(
                    "PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}; PRAGMA query_only = ON;"
                ))
                .map_err(from_diesel)?;
                Ok(Connection::Sqlite(c))
            }
            Self::Postgres(url) => {
                let mut c = open_server(url)?;
                c.batch_execute("SET default_transaction_read_only = on")
                    .map_err(from_diesel)?;
                Ok(Connection::Postgres(c))
            }
        }
    }
}

/// A connection of our own.
pub(crate) enum Connection {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

impl Connection {
    pub(crate) fn conn(&mut self) -> Conn<'_> {
        match self {
            Self::Sqlite(c) => Conn::Sqlite(c),
            Self::Postgres(c) => Conn::Postgres(c),
        }
    }

    /// Leaves the database tidy: SQLite's write-ahead log goes into the file. A reader may be in the way; then
    /// the next start does it.
    pub(crate) fn finish(&mut self) {
        if let Self::Sqlite(c) = self
            && let Err(error) = c.batch_execute("PRAGMA wal_checkpoint(TRUNCATE)")
        {
            tracing::warn!(%error, "the write-ahead log was not checkpointed");
        }
    }
}

fn open_file(path: &Path) -> Result<SqliteConnection> {
    create_private(path).map_err(|error| unavailable(format!("{}: {error}", path.display())))?;
    let mut c = SqliteConnection::establish(utf8(path)?).map_err(unavailable)?;
    c.batch_execute(&format!(
        "PRAGMA busy_timeout = {BUSY_TIMEOUT_MS};
         PRAGMA journal_mode = WAL;
         PRAGMA synchronous = FULL;
         PRAGMA foreign_keys = ON;
         PRAGMA temp_store = MEMORY;
         PRAGMA cache_size = -{WRITER_CACHE_KIB};
         PRAGMA wal_autocheckpoint = {WAL_PAGES};
         PRAGMA journal_size_limit = {WAL_LIMIT};"
    ))
    .map_err(from_diesel)?;
    Ok(c)
}

fn utf8(path: &Path) -> Result<&str> {
    path.to_str()
        .ok_or_else(|| Error::invalid("database_url", "the path must be UTF-8"))
}

/// Protocol keys live in the file: nobody but its owner may read it. SQLite gives the same mode to the
/// files that it puts beside it.
fn create_private(path: &Path) -> std::io::Result<()> {
    if let Some(directory) = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty() && !parent.exists())
    {
        let mut builder = std::fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(directory)?;
    }
    let mut options = std::fs::OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path)?;
    #[cfg(unix)]
    file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
    drop(file);
    Ok(())
}

fn with_keepalive(url: &str) -> String {
    let mut url = url.to_owned();
    for (name, value) in KEEPALIVE {
        if !url.contains(&format!("{name}=")) {
            let joint = if url.contains('?') { "&" } else { "?" };
            url.extend([joint, name, "=", value]);
        }
    }
    url
}

fn open_server(url: &str) -> Result<PgConnection> {
    // The reason names the address, which may hold a password only in forms that libpq itself hides.
    let mut c = PgConnection::establish(url).map_err(unavailable)?;
    c.batch_execute(&format!(
        "SET application_name = 'wagate';
         SET client_min_messages = warning;
         SET statement_timeout = '{STATEMENT_TIMEOUT}';
         SET lock_timeout = '{LOCK_TIMEOUT}';
         SET idle_in_transaction_session_timeout = '60s';"
    ))
    .map_err(from_diesel)?;
    Ok(c)
}

#[derive(QueryableByName)]
struct Locked {
    #[diesel(sql_type = Bool)]
    locked: bool,
}

/// Two gateways on the same keys would destroy the sessions of both. The lock goes with the connection.
fn lock(c: &mut PgConnection) -> Result<()> {
    let asked = format!("SELECT pg_try_advisory_lock({GATEWAY_LOCK}, hashtext(current_schema())) AS locked");
    let row: Locked = diesel::sql_query(asked).get_result(c).map_err(from_diesel)?;
    if row.locked {
        Ok(())
    } else {
        Err(unavailable(HELD))
    }
}

/// Whether a connection failed because another gateway, or what is left of it, holds the lock.
pub(crate) fn is_held(error: &Error) -> bool {
    matches!(error, Error::Unavailable { reason, .. } if reason == HELD)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_name_a_file_or_a_server() {
        let path = |url: &str| match Target::parse(url) {
            Ok(Target::Sqlite(path)) => path,
            _ => PathBuf::new(),
        };
        assert_eq!(path("sqlite://data/wagate.db"), PathBuf::from("data/wagate.db"));
        assert_eq!(path("sqlite:///var/wagate.db"), PathBuf::from("/var/wagate.db"));
        for bad in [
            "",
            "wagate.db",
            "sqlite://",
            "sqlite://a?mode=ro",
            "mysql://user:secret@host/db",
        ] {
            let error = Target::parse(bad)
                .err()
                .map(|error| (error.code(), error.to_string()));
            let (code, text) = error.unwrap_or_default();
            assert_eq!(code, "invalid_database_url", "{bad}");
            assert!(!text.contains("secret"));
        }
    }

    #[test]
    fn what_an_address_says_of_timeouts_counts() {
        let url = with_keepalive("postgres://h/db?connect_timeout=9&sslmode=require");
        assert!(url.contains("connect_timeout=9&") && !url.contains("connect_timeout=3"));
        assert!(url.ends_with("tcp_user_timeout=15000"));
    }
}
