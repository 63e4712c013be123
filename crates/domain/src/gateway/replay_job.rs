//! Asking for an endpoint's deliveries again, and following what becomes of them.

use std::time::Duration;

use super::Gateway;
use super::jobs::Work;
use crate::Result;
use crate::model::{Job, JobId, JobKind, JobState, Replay, Replayed, WebhookId};

/// After a delivery has changed, how long until they are counted: thousands may change in a second.
const GATHER: Duration = Duration::from_millis(500);
/// How often they are counted although none is known to have changed: they may be pruned, or made by another process.
const LOOK_AGAIN: Duration = Duration::from_secs(15);

/// A replay that is followed.
pub(super) struct Replaying {
    pub(super) id: JobId,
    replayed: Replayed,
    total: u64,
}

impl Gateway {
    /// Makes an endpoint's deliveries of a stretch of time once more; the job tells how many, and follows them until
    /// all are delivered or given up again. `Throttled` when too many jobs run: then none is asked for.
    #[tracing::instrument(skip_all, fields(%webhook))]
    pub async fn replay_deliveries(&self, webhook: WebhookId, which: Replay) -> Result<Job> {
        self.get_webhook(webhook).await?;
        self.jobs.require_room()?;
        let now = self.parts.clock.now();
        let total = self.parts.delivery_log.replay_many(webhook, which, now).await?;
        self.parts.dispatch.announce();
        let replayed = Replayed {
            webhook,
            standing: which.standing,
            at: now,
        };
        let count = usize::try_from(total).unwrap_or(usize::MAX);
        self.begin(JobKind::WebhookReplay { webhook }, (0, count), Vec::new(), |id| {
            Work::Replay(Replaying { id, replayed, total })
        })
    }

    /// Counts what is still to be made whenever deliveries have changed. Errors of the database are not the end: the
    /// deliveries are made all the same.
    pub(super) async fn follow_replay(&self, replaying: &Replaying) -> JobState {
        loop {
            // Before counting: what changes meanwhile is counted next time.
            let mut changes = self.intake.changes.subscribe();
            match self.count_replay(replaying).await {
                Ok(0) => return JobState::Done,
                Ok(_) => {}
                Err(error) => tracing::debug!(job = %replaying.id, %error, "a replay is not counted"),
            }
            let waited = async {
                tokio::select! {
                    _ = changes.recv() => self.parts.clock.sleep(GATHER).await,
                    () = self.parts.clock.sleep(LOOK_AGAIN) => {}
                }
            };
            tokio::select! {
                () = self.jobs.cancelled(replaying.id) => return self.stop_replay(replaying).await,
                () = waited => {}
            }
        }
    }

    async fn count_replay(&self, replaying: &Replaying) -> Result<u64> {
        let log = &self.parts.delivery_log;
        let pending = log.replays_pending(replaying.replayed).await?;
        self.jobs
            .reach(replaying.id, replaying.total.saturating_sub(pending));
        Ok(pending)
    }

    /// Lets what nobody has tried stand as it did before. The job counts what was settled until then.
    async fn stop_replay(&self, replaying: &Replaying) -> JobState {
        let log = &self.parts.delivery_log;
        let mut undone = 0;
        loop {
            let now = self.parts.clock.now();
            let stopped = async {
                undone += log.undo_replay(replaying.replayed, now).await?;
                log.replays_pending(replaying.replayed).await
            };
            match stopped.await {
                Ok(pending) => {
                    let done = replaying.total.saturating_sub(undone).saturating_sub(pending);
                    self.jobs.reach(replaying.id, done);
                    return JobState::Cancelled;
                }
                Err(error) => tracing::warn!(job = %replaying.id, %error, "a replay is not stopped yet"),
            }
            self.parts.clock.sleep(LOOK_AGAIN).await;
        }
    }
}
