//! Hands due deliveries to couriers: a bounded number at a time, at most one per endpoint (the queue
//! sees to that), none waiting for a slow one. Sleeps until something is recorded or due.

use std::fmt;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use http::HeaderValue;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tokio::sync::Notify;
use tokio::task::{JoinError, JoinSet};
use tracing::{error, info, warn};
use wagate_domain::Result;
use wagate_domain::ports::{Clock, DeliveryQueue};

use crate::attempt::Courier;
use crate::backoff::Schedule;
use crate::post::Post;

/// After the queue has failed.
const QUEUE_PAUSE: Duration = Duration::from_secs(1);
/// What of a lease is kept for storing an outcome.
const SETTLING: Duration = Duration::from_secs(30);
/// What is due but was not handed out must not make the worker spin.
const SHORTEST_PAUSE: Duration = Duration::from_millis(50);

/// How deliveries are made.
#[derive(Debug, Clone)]
pub struct WorkerSettings {
    /// For one POST.
    pub timeout: Duration,
    /// How long a reserved delivery is ours. Made longer when a POST and its settling may take as long.
    pub lease: Duration,
    /// POSTs under way at once.
    pub concurrency: usize,
    /// How long a stopping worker waits for POSTs under way.
    pub drain: Duration,
    /// The longest sleep: another node may have recorded something without waking us.
    pub poll: Duration,
    /// When to try again.
    pub schedule: Schedule,
    /// The `User-Agent` header.
    pub user_agent: String,
}

impl Default for WorkerSettings {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(15),
            lease: Duration::from_mins(1),
            concurrency: 64,
            drain: Duration::from_secs(10),
            poll: Duration::from_secs(30),
            schedule: Schedule::default(),
            user_agent: concat!("wagate/", env!("CARGO_PKG_VERSION")).into(),
        }
    }
}

/// Delivers until it is told to stop.
pub struct Worker {
    courier: Arc<Courier>,
    wake: Arc<Notify>,
    lease: Duration,
    concurrency: usize,
    drain: Duration,
    poll: Duration,
    rng: StdRng,
}

impl Worker {
    /// A worker on this queue. `wake` is notified when deliveries were recorded.
    pub fn new(
        queue: Arc<dyn DeliveryQueue>,
        client: Arc<dyn Post>,
        clock: Arc<dyn Clock>,
        wake: Arc<Notify>,
        settings: WorkerSettings,
    ) -> Self {
        let user_agent =
            HeaderValue::try_from(settings.user_agent).unwrap_or_else(|_| HeaderValue::from_static("wagate"));
        let WorkerSettings {
            timeout,
            lease,
            concurrency,
            drain,
            poll,
            schedule,
            ..
        } = settings;
        let courier = Courier {
            queue,
            client,
            clock,
            schedule,
            timeout,
            user_agent,
        };
        let concurrency = concurrency.max(1);
        let lease = lease.max(timeout + SETTLING);
        Self {
            courier: Arc::new(courier),
            wake,
            lease,
            concurrency,
            drain,
            poll,
            rng: rand::make_rng(),
        }
    }

    /// Makes the spread of retries repeatable.
    #[must_use]
    pub fn with_seed(mut self, seed: u64) -> Self {
        self.rng = StdRng::seed_from_u64(seed);
        self
    }

    /// Delivers until `shutdown`, then lets POSTs under way end. What does not end in time comes back
    /// when its lease runs out.
    pub async fn run(mut self, shutdown: impl Future<Output = ()>) {
        let mut shutdown = pin!(shutdown);
        let mut flying = JoinSet::new();
        loop {
            let pause = self.launch(&mut flying).await;
            let free = flying.len() < self.concurrency;
            tokio::select! {
                biased;
                () = &mut shutdown => break,
                Some(landed) = flying.join_next() => {
                    note(landed);
                    // The whole crowd at once: each round asks the database.
                    while let Some(landed) = flying.try_join_next() {
                        note(landed);
                    }
                }
                () = self.wake.notified(), if free => {}
                () = self.courier.clock.sleep(pause), if free => {}
            }
        }
        self.land(flying).await;
    }

    /// Starts what is due and says how long to sleep when nothing else happens.
    async fn launch(&mut self, flying: &mut JoinSet<()>) -> Duration {
        match self.try_launch(flying).await {
            Ok(pause) => pause,
            Err(error) => {
                warn!(%error, "webhook queue out of reach");
                QUEUE_PAUSE
            }
        }
    }

    async fn try_launch(&mut self, flying: &mut JoinSet<()>) -> Result<Duration> {
        let free = self.concurrency.saturating_sub(flying.len());
        let limit = u32::try_from(free).unwrap_or(u32::MAX);
        if limit == 0 {
            return Ok(self.poll);
        }
        let queue = self.courier.queue.clone();
        for delivery in queue.reserve(self.courier.clock.now(), self.lease, limit).await? {
            let courier = self.courier.clone();
            let chance = self.rng.random();
            flying.spawn(async move { courier.deliver(delivery, chance).await });
        }
        let next = queue.next_due().await?;
        let pause = next.map_or(self.poll, |next| next.since(self.courier.clock.now()));
        Ok(pause.clamp(SHORTEST_PAUSE.min(self.poll), self.poll))
    }

    async fn land(&self, mut flying: JoinSet<()>) {
        let all_landed = async {
            while let Some(landed) = flying.join_next().await {
                note(landed);
            }
        };
        tokio::select! {
            () = all_landed => {}
            () = self.courier.clock.sleep(self.drain) => {}
        }
        if !flying.is_empty() {
            info!(
                cut = flying.len(),
                "stopped with webhooks under way: they will be made again"
            );
        }
    }
}

impl fmt::Debug for Worker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Worker")
            .field("concurrency", &self.concurrency)
            .finish_non_exhaustive()
    }
}

fn note(landed: std::result::Result<(), JoinError>) {
    if let Err(error) = landed {
        error!(%error, "a webhook attempt crashed: its lease brings it back");
    }
}
