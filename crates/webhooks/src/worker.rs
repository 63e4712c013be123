//! Makes deliveries: those that were recorded a moment ago come by the inbox, reserved already; the queue is
//! asked for what is due, and only when something may be. Sleeps in between.

use std::collections::HashMap;
use std::fmt;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use rand::SeedableRng;
use rand::rngs::StdRng;
use tokio::sync::mpsc;
use tokio::task::{JoinError, JoinSet};
use tracing::{error, info, warn};
use wagate_domain::ports::{Clock, DeliveryQueue};
use wagate_domain::{Error, Inbox, Result};

use crate::arrival::{Arrival, arrival};
use crate::attempt::Courier;
use crate::endpoints::Endpoints;
use crate::look::{Found, Look};
use crate::pipeline::{Pipeline, State};
use crate::post::Post;
use crate::settings::{WorkerSettings, user_agent};
use crate::settling::{Report, Settler};

/// After the queue has failed.
const QUEUE_PAUSE: Duration = Duration::from_secs(1);
/// What of a lease is kept for storing an outcome.
const SETTLING: Duration = Duration::from_secs(10);
/// What is due but was not handed out must not make the worker spin.
const SHORTEST_PAUSE: Duration = Duration::from_millis(50);
/// How long a stopping worker waits for the last outcomes to be stored.
const LAST_SETTLING: Duration = Duration::from_secs(2);

/// Delivers until it is told to stop.
pub struct Worker {
    queue: Arc<dyn DeliveryQueue>,
    clock: Arc<dyn Clock>,
    inbox: Inbox,
    pipeline: Pipeline,
    /// At most one look into the queue at a time.
    looking: JoinSet<Result<Found>>,
    /// Holds the settler, which ends with the worker.
    settler: JoinSet<()>,
    settling: Option<Settler>,
    reports: mpsc::UnboundedReceiver<Report>,
    drain: Duration,
    poll: Duration,
}

impl Worker {
    /// A worker on this queue and this inbox. It does not take leases back: whoever starts the process has
    /// called [`DeliveryQueue::recover`].
    pub fn new(
        queue: Arc<dyn DeliveryQueue>,
        inbox: Inbox,
        client: Arc<dyn Post>,
        clock: Arc<dyn Clock>,
        settings: WorkerSettings,
    ) -> Self {
        let margin = settings.timeout + SETTLING;
        let lease = settings.lease.max(margin);
        let (landed, to_settle) = mpsc::unbounded_channel();
        let (report, reports) = mpsc::unbounded_channel();
        let settler = Settler {
            queue: queue.clone(),
            clock: clock.clone(),
            lease,
            landed: to_settle,
            reports: report,
        };
        let courier = Courier {
            client,
            clock: clock.clone(),
            timeout: settings.timeout,
            user_agent: user_agent(settings.user_agent),
        };
        let pipeline = Pipeline {
            courier: Arc::new(courier),
            schedule: Arc::new(settings.schedule),
            clock: clock.clone(),
            rng: rand::make_rng(),
            endpoints: Endpoints::new(settings.per_endpoint),
            concurrency: settings.concurrency.max(1),
            lease,
            margin,
            landed,
            flying: JoinSet::new(),
            flights: HashMap::new(),
            unsettled: 0,
            asked: 0,
            look_at: clock.now(),
            state: State::Running,
        };
        Self {
            queue,
            clock,
            inbox,
            pipeline,
            looking: JoinSet::new(),
            settler: JoinSet::new(),
            settling: Some(settler),
            reports,
            drain: settings.drain,
            poll: settings.poll.max(SHORTEST_PAUSE),
        }
    }

    /// Makes the spread of retries repeatable.
    #[must_use]
    pub fn with_seed(mut self, seed: u64) -> Self {
        self.pipeline.rng = StdRng::seed_from_u64(seed);
        self
    }

    /// Delivers until `shutdown`. Then begins no POST any more, gives back what was not begun, lets POSTs
    /// under way end and stores their outcomes. What does not end in time comes back with its lease.
    pub async fn run(mut self, shutdown: impl Future<Output = ()>) {
        let mut shutdown = pin!(shutdown);
        if let Some(settler) = self.settling.take() {
            self.settler.spawn(settler.run());
        }
        loop {
            self.look();
            let under_way = self.pipeline.flights.len();
            metrics::gauge!("wagate_webhook_deliveries_under_way")
                .set(u32::try_from(under_way).unwrap_or(u32::MAX));
            let open = self.pipeline.room() > 0;
            let idle = open && self.looking.is_empty();
            let pause = self.pipeline.look_at.since(self.clock.now());
            tokio::select! {
                biased;
                () = &mut shutdown => break,
                Some(report) = self.reports.recv() => self.pipeline.hear(report),
                Some(ended) = self.pipeline.flying.join_next_with_id() => {
                    self.pipeline.land(ended);
                    while let Some(ended) = self.pipeline.flying.try_join_next_with_id() {
                        self.pipeline.land(ended);
                    }
                }
                Some(found) = self.looking.join_next() => self.take_found(found),
                arrived = arrival(&mut self.inbox), if open => self.take_arrived(arrived),
                () = self.clock.sleep(pause), if idle => {}
            }
        }
        self.wind_down().await;
    }

    /// Asks the queue when it is time and there is room. Half of the room is left to what comes meanwhile by
    /// the inbox.
    fn look(&mut self) {
        let (now, room) = (self.clock.now(), self.pipeline.room());
        if room == 0 || now < self.pipeline.look_at || !self.looking.is_empty() {
            return;
        }
        let limit = room.div_ceil(2);
        let endpoints = &mut self.pipeline.endpoints;
        let look = Look {
            queue: self.queue.clone(),
            now,
            lease: self.pipeline.lease,
            limit,
            lanes: endpoints.lanes(),
            full: endpoints.leave_out_full(),
            wary: endpoints.wary(),
        };
        self.pipeline.asked = limit;
        self.pipeline.look_at = now + self.poll;
        self.looking.spawn(look.run());
    }

    fn take_found(&mut self, found: std::result::Result<Result<Found>, JoinError>) {
        let now = self.clock.now();
        self.pipeline.asked = 0;
        match found.map_err(Error::internal).flatten() {
            Ok(Found { deliveries, next_due }) if deliveries.is_empty() => {
                if let Some(due) = next_due {
                    self.pipeline
                        .look_by(if due > now { due } else { now + SHORTEST_PAUSE });
                }
            }
            Ok(Found { deliveries, .. }) => {
                self.pipeline.look_by(now);
                for reserved in deliveries {
                    self.pipeline.take(reserved);
                }
            }
            Err(error) => {
                warn!(%error, "webhook queue out of reach");
                self.pipeline.look_at = now + QUEUE_PAUSE;
            }
        }
    }

    fn take_arrived(&mut self, arrived: Arrival) {
        match arrived {
            Arrival::Queued => self.pipeline.look_by(self.clock.now()),
            Arrival::Parcel(parcel) => {
                self.pipeline.take_parcel(*parcel);
                while self.pipeline.room() > 0
                    && let Some(parcel) = self.inbox.try_receive()
                {
                    self.pipeline.take_parcel(parcel);
                }
            }
        }
    }

    async fn wind_down(mut self) {
        let clock = self.clock.clone();
        self.pipeline.stop();
        let mut too_long = pin!(clock.sleep(self.drain));
        while !(self.pipeline.flying.is_empty() && self.looking.is_empty()) {
            tokio::select! {
                biased;
                Some(report) = self.reports.recv() => self.pipeline.hear(report),
                Some(ended) = self.pipeline.flying.join_next_with_id() => self.pipeline.land(ended),
                Some(found) = self.looking.join_next() => self.take_found(found),
                parcel = self.inbox.receive() => self.pipeline.take_parcel(parcel),
                () = &mut too_long => break,
            }
        }
        let cut = self.pipeline.cut();
        while let Some(parcel) = self.inbox.try_receive() {
            self.pipeline.take_parcel(parcel);
        }
        self.settle_last().await;
        metrics::gauge!("wagate_webhook_deliveries_under_way").set(0);
        if cut > 0 {
            info!(cut, "stopped with webhooks under way: they will be made again");
        }
    }

    async fn settle_last(&mut self) {
        let mut too_long = pin!(self.clock.sleep(LAST_SETTLING));
        while self.pipeline.unsettled > 0 {
            tokio::select! {
                biased;
                Some(report) = self.reports.recv() => self.pipeline.hear(report),
                () = &mut too_long => {
                    let dropped = self.pipeline.unsettled;
                    error!(dropped, "webhook outcomes never stored: their deliveries will be made again");
                    return;
                }
            }
        }
    }
}

impl fmt::Debug for Worker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Worker")
            .field("concurrency", &self.pipeline.concurrency)
            .finish_non_exhaustive()
    }
}
