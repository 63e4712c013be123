//! Long work: who asks for it gets a job at once, and looks how far it has come. It goes on beside the requests until
//! it is done, cancelled, or cannot go on.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::{self, BoxStream, FuturesUnordered, StreamExt};
use tokio::sync::watch;

use super::Gateway;
use super::job_board::JobBoard;
use super::number_check::Checking;
use super::replay_job::Replaying;
use crate::model::{
    CheckedNumber, CursorPage, CursorQuery, DeviceId, Job, JobFilter, JobId, JobKind, JobState, Line, Token,
    WebhookId,
};
use crate::ports::Clock;
use crate::{Error, Result};

/// How long changes are gathered before they are told: a job is told of a few times in a second at most.
const GATHER: Duration = Duration::from_millis(300);

/// A job that has begun, with what is needed to do it.
pub(super) enum Work {
    Check(Checking),
    Replay(Replaying),
}

impl Gateway {
    /// Does what was asked for, until the future is dropped. Run it once beside the gateway.
    pub async fn run_jobs(&self) {
        let mut begun = self.begun.lock().await;
        let mut running = FuturesUnordered::new();
        loop {
            tokio::select! {
                work = begun.recv() => match work {
                    Some(work) => running.push(self.work(work)),
                    None => return,
                },
                Some(()) = running.next(), if !running.is_empty() => {}
            }
        }
    }

    async fn work(&self, work: Work) {
        let (id, state) = match work {
            Work::Check(checking) => (checking.id, self.check(&checking).await),
            Work::Replay(replaying) => (replaying.id, self.follow_replay(&replaying).await),
        };
        if let JobState::Failed(error) = &state {
            // Clients are told the code of a defect, and no more.
            let cause = std::error::Error::source(error).map(ToString::to_string);
            tracing::warn!(job = %id, %error, cause, "a job ended early");
        }
        self.jobs.end(id, state, self.parts.clock.now());
    }

    /// Begins a job of which `done` is dealt with already.
    pub(super) fn begin(
        &self,
        kind: JobKind,
        (done, total): (usize, usize),
        lines: Vec<CheckedNumber>,
        work: impl FnOnce(JobId) -> Work,
    ) -> Result<Job> {
        let job = Job {
            id: JobId::new(self.parts.ids.next()),
            kind,
            state: JobState::Running,
            done: done as u64,
            total: total as u64,
            started_at: self.parts.clock.now(),
            ended_at: None,
        };
        let job = self.jobs.begin(job, lines)?;
        if job.state.is_running() {
            // The receiver lives as long as the gateway.
            let _ = self.work.send(work(job.id));
        }
        Ok(job)
    }

    /// One job, or `NotFound`: also one that ended long ago, or before the process began.
    pub fn get_job(&self, id: JobId) -> Result<Job> {
        self.jobs.get(id).ok_or_else(|| no_job(id))
    }

    /// Jobs, newest first: of one device or endpoint, or all.
    pub async fn list_jobs(
        &self,
        device: Option<&Token>,
        webhook: Option<WebhookId>,
        query: CursorQuery<JobId>,
    ) -> Result<CursorPage<Job, JobId>> {
        let device = self.id_of(device).await?;
        Ok(self.jobs.list(&JobFilter { device, webhook }, query))
    }

    /// What a number check found so far, line by line in the order in which they were given; nothing of other jobs.
    pub fn list_job_results(
        &self,
        id: JobId,
        query: CursorQuery<Line>,
    ) -> Result<CursorPage<CheckedNumber, Line>> {
        self.jobs.lines(id, query).ok_or_else(|| no_job(id))
    }

    /// Stops a job, as far as it has not come, and gives it as it stands then. One that is over stays as it is. It goes
    /// on being `running` when stopping it takes longer than a request may wait; it ends as soon as that is possible.
    #[tracing::instrument(skip_all, fields(%id))]
    pub async fn cancel_job(&self, id: JobId) -> Result<Job> {
        self.jobs.cancel(id);
        tokio::select! {
            () = self.jobs.over(id) => {}
            () = self.parts.clock.sleep(self.settings.patience) => {}
        }
        self.get_job(id)
    }

    /// Jobs as they change, from now on: those of one device, or all. Each is told a few times in a second at most,
    /// and how it ended always. Ends with the gateway.
    pub async fn watch_jobs(&self, device: Option<&Token>) -> Result<BoxStream<'static, Job>> {
        let device = self.id_of(device).await?;
        let changes = self.jobs.changes();
        let known = *changes.borrow();
        let watching = Watching {
            board: self.jobs.clone(),
            clock: self.parts.clock.clone(),
            changes,
            known,
            device,
            told: VecDeque::new(),
        };
        Ok(stream::unfold(watching, |mut watching| async move {
            let job = watching.next().await?;
            Some((job, watching))
        })
        .boxed())
    }

    async fn id_of(&self, device: Option<&Token>) -> Result<Option<DeviceId>> {
        match device {
            Some(token) => Ok(Some(self.device(token).await?.id)),
            None => Ok(None),
        }
    }
}

fn no_job(id: JobId) -> Error {
    Error::NotFound {
        what: "job",
        id: id.to_string(),
    }
}

struct Watching {
    board: Arc<JobBoard>,
    clock: Arc<dyn Clock>,
    changes: watch::Receiver<u64>,
    /// How many changes of the board are told.
    known: u64,
    device: Option<DeviceId>,
    told: VecDeque<Job>,
}

impl Watching {
    async fn next(&mut self) -> Option<Job> {
        loop {
            if let Some(job) = self.told.pop_front() {
                return Some(job);
            }
            self.changes.changed().await.ok()?;
            self.clock.sleep(GATHER).await;
            // Before reading: what changes meanwhile is read next time.
            self.changes.mark_unchanged();
            let (known, jobs) = self.board.touched_after(self.known);
            self.known = known;
            let own = |job: &Job| self.device.is_none() || job.kind.device() == self.device;
            self.told = jobs.into_iter().filter(own).collect();
        }
    }
}
