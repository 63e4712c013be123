//! Connections: one that writes, a few that read, and the file under them. Everything that is true of
//! SQLite's connections and of no other database's stands here.

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use diesel::connection::{Connection as _, SimpleConnection};
use diesel::r2d2::{ConnectionManager, CustomizeConnection, Pool};
use diesel::sqlite::SqliteConnection;
use tokio::sync::Semaphore;
use wagate_domain::{Error, Result};

use crate::dialect::Conn;
use crate::error::{Failure, unavailable};
use crate::writer::{Writer, closed};

/// Other processes (a backup, a shell) may hold the lock for a moment.
const BUSY_TIMEOUT_MS: u32 = 5_000;
/// The write-ahead log is cut back to this after a checkpoint, in bytes.
const WAL_LIMIT: u32 = 64 << 20;

/// A connection of our own.
pub(crate) enum Connection {
    Sqlite(SqliteConnection),
}

impl Connection {
    pub(crate) fn conn(&mut self) -> Conn<'_> {
        match self {
            Self::Sqlite(c) => Conn::Sqlite(c),
        }
    }

    /// Moves the write-ahead log into the file. A reader may be in the way; then the next start does it.
    pub(crate) fn checkpoint(&mut self) {
        match self {
            Self::Sqlite(c) => {
                if let Err(error) = c.batch_execute("PRAGMA wal_checkpoint(TRUNCATE)") {
                    tracing::warn!(%error, "the write-ahead log was not checkpointed");
                }
            }
        }
    }
}

/// Opens the connection that writes, and the file when there is none yet.
pub(crate) fn connect(path: &Path) -> Result<Connection> {
    create_private(path).map_err(|error| unavailable(format!("{}: {error}", path.display())))?;
    let text = path
        .to_str()
        .ok_or_else(|| Error::invalid("database_url", "the path must be UTF-8"))?;
    let mut c = SqliteConnection::establish(text).map_err(unavailable)?;
    c.batch_execute(&format!(
        "PRAGMA busy_timeout = {BUSY_TIMEOUT_MS};
         PRAGMA journal_mode = WAL;
         PRAGMA synchronous = FULL;
         PRAGMA foreign_keys = ON;
         PRAGMA temp_store = MEMORY;
         PRAGMA journal_size_limit = {WAL_LIMIT};"
    ))
    .map_err(crate::error::from_diesel)?;
    Ok(Connection::Sqlite(c))
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

/// Readers cannot write, not even by mistake.
#[derive(Debug)]
struct ReadOnly;

impl CustomizeConnection<SqliteConnection, diesel::r2d2::Error> for ReadOnly {
    fn on_acquire(&self, c: &mut SqliteConnection) -> Result<(), diesel::r2d2::Error> {
        c.batch_execute(&format!(
            "PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}; PRAGMA query_only = ON;"
        ))
        .map_err(diesel::r2d2::Error::QueryError)
    }
}

type Readers = Pool<ConnectionManager<SqliteConnection>>;

/// The database as the ports' implementations see it: a way to read and a way to write.
#[derive(Clone)]
pub(crate) struct Database {
    writer: Writer,
    readers: Arc<RwLock<Option<Readers>>>,
    /// One permit per reader: waiting is done here, not by a thread.
    turns: Arc<Semaphore>,
}

impl Database {
    /// Opens and migrates the file.
    pub(crate) fn open(path: PathBuf, readers: u32) -> Result<Self> {
        let mut first = connect(&path)?;
        crate::migrate::migrate(&mut first.conn())?;
        drop(first);
        let manager = ConnectionManager::new(path.to_string_lossy());
        let writer = Writer::start(move || connect(&path))?;
        let pool = Pool::builder()
            .max_size(readers)
            .min_idle(Some(1))
            .max_lifetime(None)
            .connection_timeout(Duration::from_millis(BUSY_TIMEOUT_MS.into()))
            .test_on_check_out(false)
            .connection_customizer(Box::new(ReadOnly))
            .build(manager)
            .map_err(unavailable)?;
        let turns = Arc::new(Semaphore::new(readers as usize));
        Ok(Self {
            writer,
            readers: Arc::new(RwLock::new(Some(pool))),
            turns,
        })
    }

    /// Runs a read on the blocking pool. It sees every write that has returned.
    pub(crate) async fn run<T, W>(&self, work: W) -> Result<T>
    where
        T: Send + 'static,
        W: FnOnce(&mut Conn<'_>) -> Result<T, Failure> + Send + 'static,
    {
        let _turn = self.turns.acquire().await.map_err(|_| closed())?;
        let pool = self
            .readers
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
            .ok_or_else(closed)?;
        let read = move || {
            let mut c = pool.get().map_err(unavailable)?;
            work(&mut Conn::Sqlite(&mut c)).map_err(Error::from)
        };
        tokio::task::spawn_blocking(read).await.map_err(Error::internal)?
    }

    /// Runs a write in the writer's transaction; durable on return.
    pub(crate) async fn write<T, W>(&self, work: W) -> Result<T>
    where
        T: Send + 'static,
        W: FnOnce(&mut Conn<'_>) -> Result<T, Failure> + Send + 'static,
    {
        self.writer.write(work).await
    }

    /// Ends the reads, then commits what is queued and leaves one file without a log beside it.
    pub(crate) async fn close(&self) {
        self.turns.close();
        drop(
            self.readers
                .write()
                .unwrap_or_else(PoisonError::into_inner)
                .take(),
        );
        self.writer.close().await;
    }
}
