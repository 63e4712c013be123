//! The jobs that are known: those that run, and the last ones that ended. They are kept in memory alone: what they do
//! is begun again with the same request, and does not outlive the process.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use crate::model::{
    CheckedNumber, CursorPage, CursorQuery, DeviceId, Job, JobFilter, JobId, JobState, Line, NumberFound,
    Timestamp,
};
use crate::{Error, Needs, Result};

/// Most jobs that run at a time.
const MAX_RUNNING: usize = 32;
/// Most jobs that are kept after their end.
const KEPT: usize = 100;
/// Most lines that are kept of jobs that ended; the last one's are kept anyway.
const KEPT_LINES: usize = 100_000;
/// When to come back once too many jobs run.
const BUSY_FOR: Duration = Duration::from_secs(10);

/// A job, and what only its owner looks at.
struct Entry {
    job: Job,
    /// Somebody wants it to stop.
    cancelled: bool,
    /// The change of the board that touched it last.
    touched: u64,
    lines: Vec<CheckedNumber>,
}

#[derive(Default)]
struct Entries {
    all: BTreeMap<JobId, Entry>,
    changes: u64,
}

/// All jobs that are known.
pub(super) struct JobBoard {
    entries: Mutex<Entries>,
    /// How many changes there were.
    changed: watch::Sender<u64>,
}

impl Default for JobBoard {
    fn default() -> Self {
        Self {
            entries: Mutex::default(),
            changed: watch::Sender::new(0),
        }
    }
}

impl JobBoard {
    fn entries(&self) -> MutexGuard<'_, Entries> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// `Throttled` while too many jobs run.
    pub(super) fn require_room(&self) -> Result<()> {
        let entries = self.entries();
        let running = entries.all.values().filter(|entry| entry.job.state.is_running());
        if running.count() < MAX_RUNNING {
            return Ok(());
        }
        Err(Error::Throttled {
            retry_after: BUSY_FOR,
        })
    }

    /// Adds a job; one with nothing left to do is done at once. `WrongState` when its device checks numbers already.
    pub(super) fn begin(&self, job: Job, lines: Vec<CheckedNumber>) -> Result<Job> {
        let mut entries = self.entries();
        let checks = |entry: &Entry| entry.job.state.is_running() && entry.job.kind.device().is_some();
        let same = |entry: &Entry| entry.job.kind.device() == job.kind.device();
        if entries.all.values().any(|entry| checks(entry) && same(entry)) {
            return Err(Error::WrongState {
                needs: Needs::PreviousCheckEnded,
                is: job.state.as_str().into(),
            });
        }
        let mut entry = Entry {
            job,
            cancelled: false,
            touched: 0,
            lines,
        };
        if entry.job.done >= entry.job.total {
            entry.job.state = JobState::Done;
            entry.job.ended_at = Some(entry.job.started_at);
        }
        let (id, begun) = (entry.job.id, entry.job.clone());
        entries.all.insert(id, entry);
        entries.prune();
        self.touch(entries, id);
        Ok(begun)
    }

    pub(super) fn get(&self, id: JobId) -> Option<Job> {
        self.entries().all.get(&id).map(|entry| entry.job.clone())
    }

    /// Jobs, newest first.
    pub(super) fn list(&self, filter: &JobFilter, query: CursorQuery<JobId>) -> CursorPage<Job, JobId> {
        let entries = self.entries();
        let newest_first = entries.all.values().rev().map(|entry| &entry.job);
        let mut items: Vec<Job> = newest_first
            .filter(|job| query.after.is_none_or(|after| job.id < after) && filter.fits(&job.kind))
            .take(query.limit() as usize + 1)
            .cloned()
            .collect();
        let more = items.len() > query.limit() as usize;
        items.truncate(query.limit() as usize);
        CursorPage {
            next: items.last().filter(|_| more).map(|job| job.id),
            items,
        }
    }

    /// The lines of a job, in their order; `None` when there is no such job.
    pub(super) fn lines(
        &self,
        id: JobId,
        query: CursorQuery<Line>,
    ) -> Option<CursorPage<CheckedNumber, Line>> {
        let entries = self.entries();
        let lines = &entries.all.get(&id)?.lines;
        let from = query.after.map_or(0, |after| after.0).min(lines.len());
        let to = lines.len().min(from + query.limit() as usize);
        Some(CursorPage {
            items: lines[from..to].to_vec(),
            next: (to < lines.len()).then_some(Line(to)),
        })
    }

    /// Writes down what is known of some lines, each by its place from 0.
    pub(super) fn tell(&self, id: JobId, known: Vec<(usize, NumberFound)>) {
        self.change(id, |entry| {
            entry.job.done += known.len() as u64;
            for (place, found) in known {
                if let Some(line) = entry.lines.get_mut(place) {
                    line.found = found;
                }
            }
        });
    }

    /// How many are dealt with by now.
    pub(super) fn reach(&self, id: JobId, done: u64) {
        if self.get(id).is_some_and(|job| job.done != done) {
            self.change(id, |entry| entry.job.done = done);
        }
    }

    /// The job is over. Of those that were over before, the oldest are forgotten.
    pub(super) fn end(&self, id: JobId, state: JobState, now: Timestamp) {
        self.change(id, |entry| {
            entry.job.state = state;
            entry.job.ended_at = Some(now);
        });
        self.entries().prune();
    }

    /// Wants a job to stop; what runs it hears of that.
    pub(super) fn cancel(&self, id: JobId) {
        self.change(id, |entry| entry.cancelled = true);
    }

    /// Forgets what a device found out: it is gone.
    pub(super) fn forget(&self, device: DeviceId) {
        let mut entries = self.entries();
        entries
            .all
            .retain(|_, entry| entry.job.kind.device() != Some(device));
        entries.changes += 1;
        self.changed.send_replace(entries.changes);
    }

    /// Returns once somebody wants the job to stop, or it is forgotten.
    pub(super) async fn cancelled(&self, id: JobId) {
        self.wait(|entries| entries.all.get(&id).is_none_or(|entry| entry.cancelled))
            .await;
    }

    /// Returns once the job is over, or forgotten.
    pub(super) async fn over(&self, id: JobId) {
        let over = |entry: &Entry| !entry.job.state.is_running();
        self.wait(|entries| entries.all.get(&id).is_none_or(over)).await;
    }

    async fn wait(&self, holds: impl Fn(&Entries) -> bool) {
        let mut changes = self.changes();
        loop {
            // The board is not held while waiting.
            let held = holds(&self.entries());
            if held || changes.changed().await.is_err() {
                return;
            }
        }
    }

    /// How many changes there were, as it grows.
    pub(super) fn changes(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    /// The jobs that were touched after that many changes, as they are now and in that order; and how many changes
    /// there were by now.
    pub(super) fn touched_after(&self, known: u64) -> (u64, Vec<Job>) {
        let entries = self.entries();
        let mut touched: Vec<&Entry> = entries
            .all
            .values()
            .filter(|entry| entry.touched > known)
            .collect();
        touched.sort_by_key(|entry| entry.touched);
        let jobs = touched.into_iter().map(|entry| entry.job.clone()).collect();
        (entries.changes, jobs)
    }

    /// Changes a job that runs; others stay as they are.
    fn change(&self, id: JobId, change: impl FnOnce(&mut Entry)) {
        let mut entries = self.entries();
        let Some(entry) = entries.all.get_mut(&id) else {
            return;
        };
        if entry.job.state.is_running() {
            change(entry);
            self.touch(entries, id);
        }
    }

    fn touch(&self, mut entries: MutexGuard<'_, Entries>, id: JobId) {
        entries.changes += 1;
        let changes = entries.changes;
        if let Some(entry) = entries.all.get_mut(&id) {
            entry.touched = changes;
        }
        self.changed.send_replace(changes);
    }
}

impl Entries {
    fn prune(&mut self) {
        let (mut kept, mut lines) = (0, 0);
        let mut ended: Vec<&Entry> = self
            .all
            .values()
            .filter(|entry| !entry.job.state.is_running())
            .collect();
        ended.sort_by_key(|entry| Reverse((entry.job.ended_at, entry.job.id)));
        let mut old = Vec::new();
        for entry in ended {
            kept += 1;
            lines += entry.lines.len();
            if kept > KEPT || (kept > 1 && lines > KEPT_LINES) {
                old.push(entry.job.id);
            }
        }
        for id in old {
            self.all.remove(&id);
        }
    }
}
