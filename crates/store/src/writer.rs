//! The one writer. A durable commit costs an fsync, some 2 ms, whatever it holds; so the writer takes
//! what is queued, runs it in one transaction, and answers everybody after the commit. While it waits
//! for the disk the next batch queues up by itself; when nothing is queued nothing is waited for.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use tokio::sync::{oneshot, watch};
use wagate_domain::ports::Recorded;
use wagate_domain::{Error, Result};

use crate::checkpoint::Checkpointer;
use crate::connection::Connection;
use crate::dialect::Conn;
use crate::error::{Failure, from_diesel, is_disk_failure, repeat, unavailable};
use crate::memo::Memo;
use crate::recording::{Answer, Recording};

/// Most jobs in one commit; one that records may hold as many batches.
const MAX_BATCH: usize = 100;
/// Longest time that a batch grows before it is committed.
const MAX_WAIT: Duration = Duration::from_millis(2);

/// Where writes are handed in. The thread ends when every handle is gone or one of them closes it.
///
/// A commit that fails because the disk failed leaves pages in the system's cache that look written and are
/// not: no later sync tells. The writer refuses everything from then on; only a new process, which reads the
/// file anew, may go on.
#[derive(Clone)]
pub(crate) struct Writer {
    commands: Sender<Command>,
    broken: watch::Receiver<bool>,
}

enum Command {
    Run(Box<dyn Job>),
    Close(oneshot::Sender<()>),
}

/// A piece of work and whoever waits for it.
pub(crate) trait Job: Send {
    fn run(&mut self, conn: &mut Conn<'_>) -> Result<(), Failure>;
    fn answer(self: Box<Self>, end: Result<()>);

    /// Itself, when it can take over what others of its kind were to do.
    fn recording(&mut self) -> Option<&mut Recording> {
        None
    }

    /// Its parts, when it failed as a whole and one of them may be to blame; otherwise itself.
    fn split(self: Box<Self>) -> Result<Vec<Box<dyn Job>>, Box<dyn Job>>;
}

struct Write<W, T> {
    work: Option<W>,
    value: Option<T>,
    /// To be forgotten before anybody is told.
    memo: Option<Memo>,
    reply: oneshot::Sender<Result<T>>,
}

impl<W, T> Job for Write<W, T>
where
    W: FnOnce(&mut Conn<'_>) -> Result<T, Failure> + Send + 'static,
    T: Send + 'static,
{
    fn run(&mut self, conn: &mut Conn<'_>) -> Result<(), Failure> {
        if let Some(work) = self.work.take() {
            self.value = Some(work(conn)?);
        }
        Ok(())
    }

    fn answer(self: Box<Self>, end: Result<()>) {
        let value = self
            .value
            .ok_or_else(|| Error::internal("a write was answered before it ran"));
        if let Some(memo) = &self.memo {
            memo.forget();
        }
        // Whoever asked may have gone away; the write stands all the same.
        let _ = self.reply.send(end.and(value));
    }

    fn split(self: Box<Self>) -> Result<Vec<Box<dyn Job>>, Box<dyn Job>> {
        Err(self)
    }
}

impl Writer {
    /// Starts the thread on its first connection; `open` makes a new one when that breaks. On `beside` the log of what
    /// is committed is moved into the file.
    pub(crate) fn start(
        first: Connection,
        beside: Option<Connection>,
        open: impl Fn() -> Result<Connection> + Send + 'static,
    ) -> Result<Self> {
        let (commands, receiver) = channel();
        let (break_down, broken) = watch::channel(false);
        let checkpoints = beside
            .map(|connection| Checkpointer::start(connection, break_down.clone()))
            .transpose()?;
        let mut thread = WriterThread {
            open,
            checkpoints,
            connection: Some(first),
            queue: receiver,
            ahead: VecDeque::new(),
            closing: None,
            broken: break_down,
        };
        std::thread::Builder::new()
            .name("wagate-writer".into())
            .spawn(move || thread.run())
            .map_err(Error::internal)?;
        Ok(Self { commands, broken })
    }

    /// Runs the work in the writer's transaction and returns once it is committed, and what it makes void is
    /// forgotten.
    pub(crate) async fn write<T, W>(&self, work: W, memo: Option<Memo>) -> Result<T>
    where
        T: Send + 'static,
        W: FnOnce(&mut Conn<'_>) -> Result<T, Failure> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let job = Write {
            work: Some(work),
            value: None,
            memo,
            reply,
        };
        self.submit(Box::new(job))?;
        answer.await.map_err(|_| closed())?
    }

    /// Records the batch, together with others that wait, and returns once it is committed.
    pub(crate) async fn record(&self, (job, answer): (Recording, Answer)) -> Result<Recorded> {
        self.submit(Box::new(job))?;
        answer.await.map_err(|_| closed())?
    }

    fn submit(&self, job: Box<dyn Job>) -> Result<()> {
        self.commands.send(Command::Run(job)).map_err(|_| closed())
    }

    /// Turns true when the disk failed.
    pub(crate) fn broken(&self) -> watch::Receiver<bool> {
        self.broken.clone()
    }

    /// Commits what is queued and ends the thread. Later writes fail.
    pub(crate) async fn close(&self) {
        let (reply, closed) = oneshot::channel();
        if self.commands.send(Command::Close(reply)).is_ok() {
            // An error means that the thread is gone already.
            let _ = closed.await;
        }
    }
}

pub(crate) fn closed() -> Error {
    unavailable("it is closed")
}

struct WriterThread<O> {
    open: O,
    checkpoints: Option<Checkpointer>,
    connection: Option<Connection>,
    queue: Receiver<Command>,
    /// Taken from the queue and not run yet.
    ahead: VecDeque<Box<dyn Job>>,
    closing: Option<oneshot::Sender<()>>,
    broken: watch::Sender<bool>,
}

impl<O: Fn() -> Result<Connection>> WriterThread<O> {
    fn run(&mut self) {
        loop {
            if let Some(job) = self.ahead.pop_front() {
                self.batch(job);
            } else if self.closing.is_some() {
                break;
            } else {
                match self.queue.recv() {
                    Ok(Command::Run(first)) => self.batch(first),
                    Ok(Command::Close(reply)) => self.closing = Some(reply),
                    Err(_) => break,
                }
            }
        }
        self.checkpoints = None;
        if let Some(connection) = &mut self.connection {
            connection.finish();
        }
        self.connection = None;
        if let Some(reply) = self.closing.take() {
            let _ = reply.send(());
        }
    }

    /// Runs the job and those that queue up behind it, commits them together, and answers.
    fn batch(&mut self, first: Box<dyn Job>) {
        if let Err(error) = self.begin() {
            return first.answer(Err(error));
        }
        let started = Instant::now();
        let mut done = Vec::new();
        let mut next = Some(first);
        while let Some(mut job) = next.take() {
            self.gather(job.as_mut());
            let end = self.run_one(job.as_mut());
            let whole = match end {
                // One of them may be to blame: each is run for itself. Not when the database is away: that is
                // told to all of them.
                Err(ref error) if !matches!(error, Error::Unavailable { .. }) => job.split(),
                _ => Err(job),
            };
            match whole {
                Ok(parts) => parts
                    .into_iter()
                    .rev()
                    .for_each(|part| self.ahead.push_front(part)),
                Err(job) => done.push((job, end)),
            }
            let full = done.len() >= MAX_BATCH || started.elapsed() >= MAX_WAIT;
            if !full
                && self
                    .connection
                    .as_mut()
                    .is_some_and(|connection| connection.conn().in_write())
            {
                next = self.queued();
            }
        }
        let committed = self.commit();
        for (job, end) in done {
            job.answer(end.and_then(|()| committed.as_ref().map_err(repeat).copied()));
        }
    }

    /// Lets the job take over what is queued of its kind.
    fn gather(&mut self, job: &mut dyn Job) {
        let Some(recording) = job.recording() else { return };
        // First those that wait longest: nobody is passed by others of its kind.
        let mut others = std::mem::take(&mut self.ahead);
        while let Some(mut other) = others.pop_front().or_else(|| self.received()) {
            let absorbed = other.recording().is_some_and(|other| recording.absorb(other));
            if !absorbed {
                self.ahead.push_back(other);
            }
            if recording.is_full() || self.ahead.len() >= MAX_BATCH {
                break;
            }
        }
        self.ahead.append(&mut others);
    }

    fn queued(&mut self) -> Option<Box<dyn Job>> {
        self.ahead.pop_front().or_else(|| self.received())
    }

    fn received(&mut self) -> Option<Box<dyn Job>> {
        if self.closing.is_some() {
            return None;
        }
        match self.queue.try_recv().ok()? {
            Command::Run(job) => Some(job),
            Command::Close(reply) => {
                self.closing = Some(reply);
                None
            }
        }
    }

    fn begin(&mut self) -> Result<()> {
        if *self.broken.borrow() {
            return Err(unavailable("the disk failed: the process must be started again"));
        }
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => (self.open)()?,
        };
        connection.conn().begin_write().map_err(from_diesel)?;
        self.connection = Some(connection);
        Ok(())
    }

    /// One job in its own savepoint, so that its failure leaves the others alone.
    fn run_one(&mut self, job: &mut dyn Job) -> Result<()> {
        let Some(connection) = &mut self.connection else {
            return Err(closed());
        };
        // Kept aside, because undoing a failure can fail as well, and would hide it.
        let mut own = None;
        let guarded = |conn: &mut Conn<'_>| {
            let ran = catch_unwind(AssertUnwindSafe(|| job.run(conn)))
                .unwrap_or_else(|_| Err(Error::internal("a write panicked").into()));
            ran.map_err(|failure| {
                own = Some(Error::from(failure));
                diesel::result::Error::RollbackTransaction.into()
            })
        };
        let end = connection.conn().atomically(guarded);
        end.map_err(|failure| own.unwrap_or_else(|| failure.into()))
    }

    /// A connection that failed to commit is not used again: what it holds is anybody's guess.
    fn commit(&mut self) -> Result<()> {
        let Some(mut connection) = self.connection.take() else {
            return Err(closed());
        };
        if !connection.conn().in_write() {
            return Err(unavailable("the transaction was rolled back"));
        }
        if let Err(error) = connection.conn().commit() {
            if is_disk_failure(&error) {
                tracing::error!(%error, "the disk failed under a commit");
                self.broken.send_replace(true);
                // Closing it could move what is in doubt from the log into the file.
                std::mem::forget(connection);
            }
            return Err(from_diesel(error));
        }
        // One for each time that somebody waited for the disk.
        metrics::counter!("wagate_database_commits_total").increment(1);
        if let Some(checkpoints) = &self.checkpoints {
            checkpoints.committed();
        }
        self.connection = Some(connection);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
