//! The database as the ports' implementations see it: one connection that writes, a few that read.

use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

use diesel::RunQueryDsl;
use diesel::r2d2::{ManageConnection, Pool};
use tokio::sync::{Semaphore, watch};
use wagate_domain::ports::{EventBatch, Recorded};
use wagate_domain::{Error, Result};

use crate::connection::{Connection, Target, is_held};
use crate::dialect::Conn;
use crate::error::{Failure, unavailable};
use crate::memo::Memo;
use crate::recording::Recording;
use crate::seal::Sealer;
use crate::writer::{Writer, closed};

/// How long a read waits for a connection. Whoever asks is told soon that the database is away.
const CHECKOUT_TIMEOUT: Duration = Duration::from_millis(900);
/// A connection that was used so recently is taken to be alive.
const FRESH: Duration = Duration::from_secs(1);
/// After a failed read the database is taken to be away for so long: those who come meanwhile are told at once
/// instead of queueing up for connections that do not come.
const AWAY: Duration = Duration::from_millis(250);
/// What no read takes, unless the database hangs.
const READ_DEADLINE: Duration = Duration::from_secs(15);

/// How long a start waits for a lock that may be a dead gateway's, and between two tries.
const HELD: Duration = Duration::from_secs(5);
const HELD_AGAIN: Duration = Duration::from_millis(100);

/// A connection that reads.
pub(crate) struct Reader {
    connection: Connection,
    used: Instant,
    /// Whether it failed in a way that it will not get over.
    broken: bool,
}

/// Opens connections that read.
struct Readers(Target);

impl ManageConnection for Readers {
    type Connection = Reader;
    type Error = Error;

    fn connect(&self) -> Result<Reader> {
        Ok(Reader {
            connection: self.0.connect_reader()?,
            used: Instant::now(),
            broken: false,
        })
    }

    fn is_valid(&self, reader: &mut Reader) -> Result<()> {
        if reader.used.elapsed() < FRESH {
            return Ok(());
        }
        if let Conn::Postgres(c) = reader.connection.conn() {
            diesel::sql_query("SELECT 1")
                .execute(c)
                .map_err(crate::error::from_diesel)?;
        }
        Ok(())
    }

    fn has_broken(&self, reader: &mut Reader) -> bool {
        reader.broken
    }
}

/// A way to read and a way to write.
#[derive(Clone)]
pub(crate) struct Database {
    writer: Writer,
    readers: Arc<RwLock<Option<Pool<Readers>>>>,
    /// One permit per reader: waiting is done here, not by a thread.
    turns: Arc<Semaphore>,
    /// When a read failed last because the database is away.
    failed: Arc<Mutex<Option<Instant>>>,
    sealer: Sealer,
    memo: Memo,
}

impl Database {
    /// Opens and migrates the database, and makes sure that the keys are those it was sealed with.
    pub(crate) fn open(target: Target, readers: u32, sealer: Sealer) -> Result<Self> {
        let mut first = patiently(|| target.connect_writer())?;
        crate::migrate::migrate(&mut first.conn())?;
        crate::sealing::check(&mut first.conn(), &sealer)?;
        let of_writer = target.clone();
        let writer = Writer::start(first, target.connect_checkpointer()?, move || {
            of_writer.connect_writer()
        })?;
        let pool = Pool::builder()
            .max_size(readers)
            .min_idle(Some(1))
            .max_lifetime(None)
            .connection_timeout(CHECKOUT_TIMEOUT)
            .test_on_check_out(matches!(target, Target::Postgres(_)))
            .error_handler(Box::new(Quiet))
            .build(Readers(target))
            .map_err(unavailable)?;
        let turns = Arc::new(Semaphore::new(readers as usize));
        Ok(Self {
            writer,
            readers: Arc::new(RwLock::new(Some(pool))),
            turns,
            failed: Arc::default(),
            sealer,
            memo: Memo::default(),
        })
    }

    /// What seals secrets.
    pub(crate) fn sealer(&self) -> &Sealer {
        &self.sealer
    }

    /// Runs a read on the blocking pool. It sees every write that has returned.
    pub(crate) async fn run<T, W>(&self, work: W) -> Result<T>
    where
        T: Send + 'static,
        W: FnOnce(&mut Conn<'_>) -> Result<T, Failure> + Send + 'static,
    {
        self.require_presence()?;
        let turn = self.turns.clone().acquire_owned().await.map_err(|_| closed())?;
        self.require_presence()?;
        let pool = self
            .readers
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
            .ok_or_else(closed)?;
        let failed = self.failed.clone();
        let note = move |away: bool| {
            *failed.lock().unwrap_or_else(PoisonError::into_inner) = away.then(Instant::now);
        };
        let read = move || {
            let mut reader = pool.get().map_err(|error| {
                note(true);
                unavailable(error)
            })?;
            let done = work(&mut reader.connection.conn()).map_err(Error::from);
            reader.used = Instant::now();
            reader.broken = matches!(done, Err(Error::Unavailable { .. }));
            note(reader.broken);
            // Kept by the thread, which may outlive whoever waits for it.
            drop(turn);
            done
        };
        match tokio::time::timeout(READ_DEADLINE, tokio::task::spawn_blocking(read)).await {
            Ok(done) => done.map_err(Error::internal)?,
            Err(_) => Err(unavailable("it does not answer")),
        }
    }

    fn require_presence(&self) -> Result<()> {
        let failed = *self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        match failed {
            Some(at) if at.elapsed() < AWAY => Err(unavailable("it cannot be reached")),
            _ => Ok(()),
        }
    }

    /// Runs a write in the writer's transaction; durable on return.
    pub(crate) async fn write<T, W>(&self, work: W) -> Result<T>
    where
        T: Send + 'static,
        W: FnOnce(&mut Conn<'_>) -> Result<T, Failure> + Send + 'static,
    {
        self.writer.write(work, Some(self.memo().clone())).await
    }

    /// [`Self::write`] for work that changes no device and no endpoint: what is remembered of those stays.
    pub(crate) async fn write_apart<T, W>(&self, work: W) -> Result<T>
    where
        T: Send + 'static,
        W: FnOnce(&mut Conn<'_>) -> Result<T, Failure> + Send + 'static,
    {
        self.writer.write(work, None).await
    }

    /// What is remembered.
    pub(crate) fn memo(&self) -> &Memo {
        &self.memo
    }

    /// Records the batch, with others that wait at the same time; durable on return.
    pub(crate) async fn record(&self, batch: EventBatch) -> Result<Recorded> {
        let job = Recording::new(batch, self.sealer.clone(), self.memo.clone());
        self.writer.record(job).await
    }

    /// Turns true when the disk failed under a commit: see [`Writer`].
    pub(crate) fn broken(&self) -> watch::Receiver<bool> {
        self.writer.broken()
    }

    /// Ends the reads, then commits what is queued and leaves the database tidy.
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

/// A server notices late that a gateway was killed: whoever starts at once finds its lock still held.
fn patiently(connect: impl Fn() -> Result<Connection>) -> Result<Connection> {
    let began = Instant::now();
    loop {
        match connect() {
            Err(error) if is_held(&error) && began.elapsed() < HELD => std::thread::sleep(HELD_AGAIN),
            done => return done,
        }
    }
}

/// What cannot be opened is told to whoever asks; the pool's own lines would only repeat it.
#[derive(Debug)]
struct Quiet;

impl<E: std::fmt::Display> diesel::r2d2::HandleError<E> for Quiet {
    fn handle_error(&self, error: E) {
        tracing::debug!(%error, "no connection to the database");
    }
}
