//! One delivery's way: sign the stored bytes, post them, judge the answer, settle.

use std::sync::Arc;
use std::time::Duration;

use http::HeaderValue;
use tracing::{debug, error, warn};
use wagate_domain::model::{Delivery, DeliveryId, DeliveryOutcome};
use wagate_domain::ports::{Clock, DeliveryQueue};

use crate::backoff::Schedule;
use crate::post::{Post, PostError, Response};
use crate::request::{Request, sign};
use crate::verdict::{History, Verdict};

/// How often an outcome is offered to the queue before the lease has to bring the delivery back.
const SETTLE_TRIES: u32 = 5;
/// Between two of these offers.
const SETTLE_PAUSE: Duration = Duration::from_secs(1);

/// What every attempt needs.
pub(crate) struct Courier {
    pub queue: Arc<dyn DeliveryQueue>,
    pub client: Arc<dyn Post>,
    pub clock: Arc<dyn Clock>,
    pub schedule: Schedule,
    pub timeout: Duration,
    pub user_agent: HeaderValue,
}

impl Courier {
    /// Makes the attempt. `chance` spreads a retry.
    pub(crate) async fn deliver(&self, delivery: Delivery, chance: f64) {
        let started = self.clock.now();
        let verdict = match sign(&delivery, &self.user_agent, started) {
            Ok(request) => Verdict::of_answer(self.post(request).await, self.clock.now()),
            Err(unsigned) => Verdict::of_unsigned(unsigned),
        };
        let now = self.clock.now();
        let history = History {
            attempts: delivery.attempts,
            created_at: delivery.created_at,
        };
        let outcome = verdict.outcome(history, &self.schedule, chance, now);
        report(&delivery, &outcome, now.since(started));
        self.settle(delivery.id, outcome).await;
    }

    async fn post(&self, request: Request) -> Result<Response, PostError> {
        tokio::select! {
            biased;
            answer = self.client.post(request) => answer,
            () = self.clock.sleep(self.timeout) => Err(PostError::TimedOut),
        }
    }

    async fn settle(&self, id: DeliveryId, outcome: DeliveryOutcome) {
        for _ in 1..SETTLE_TRIES {
            match self.queue.settle(id, outcome.clone(), self.clock.now()).await {
                Ok(()) => return,
                Err(error) => warn!(delivery = %id, %error, "outcome not stored yet"),
            }
            self.clock.sleep(SETTLE_PAUSE).await;
        }
        if let Err(error) = self.queue.settle(id, outcome, self.clock.now()).await {
            error!(delivery = %id, %error, "outcome not stored: the delivery will be made again");
        }
    }
}

/// Counts and logs. Bodies, addresses and secrets stay out of both.
fn report(delivery: &Delivery, outcome: &DeliveryOutcome, took: Duration) {
    let Delivery {
        id, event, device, ..
    } = delivery;
    let attempt = delivery.attempts.saturating_add(1);
    let label = match outcome {
        DeliveryOutcome::Delivered { status } => {
            debug!(delivery = %id, %event, %device, attempt, status, "webhook delivered");
            "delivered"
        }
        DeliveryOutcome::Retry { error, .. } => {
            debug!(delivery = %id, %event, %device, attempt, error, "webhook failed, to be tried again");
            "retry"
        }
        DeliveryOutcome::Dead { error } => {
            warn!(delivery = %id, %event, %device, attempt, error, "webhook given up");
            "dead"
        }
    };
    metrics::counter!("wagate_webhook_deliveries_total", "outcome" => label).increment(1);
    metrics::histogram!("wagate_webhook_attempt_seconds", "outcome" => label).record(took.as_secs_f64());
}
