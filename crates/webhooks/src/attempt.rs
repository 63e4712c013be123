//! One attempt: sign the stored bytes, post them, keep what came back, judge it.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::HeaderValue;
use http::header::RETRY_AFTER;
use tracing::{debug, warn};
use wagate_domain::model::{Attempt, Delivery, DeliveryOutcome, Settlement};
use wagate_domain::ports::Clock;

use crate::backoff::Schedule;
use crate::post::{Post, PostError};
use crate::record::{read_body, request_head, response_head, unsent};
use crate::request::{Request, sign};
use crate::verdict::{History, Verdict};

/// How long the body of an answer is waited for once its head is there: the status is known.
const BODY_PATIENCE: Duration = Duration::from_secs(2);

/// What every attempt needs.
pub(crate) struct Courier {
    pub client: Arc<dyn Post>,
    pub clock: Arc<dyn Clock>,
    pub timeout: Duration,
    pub user_agent: HeaderValue,
}

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    pub status: u16,
    /// The `Retry-After` header as it came: seconds or a date.
    pub retry_after: Option<String>,
    pub head: String,
    pub body: Bytes,
    /// Until the head was there.
    pub took: Duration,
}

impl Courier {
    /// Makes an attempt and says what to tell the queue. `chance` spreads a retry.
    pub(crate) async fn deliver(&self, delivery: &Delivery, schedule: &Schedule, chance: f64) -> Settlement {
        let (verdict, attempt) = self.attempt(delivery).await;
        let history = History {
            attempts: delivery.attempts,
            queued_at: delivery.queued_at,
        };
        let outcome = verdict.outcome(history, schedule, chance, self.clock.now());
        report(delivery, &outcome, &attempt);
        Settlement {
            id: delivery.id,
            outcome,
            attempt: Some(attempt),
        }
    }

    /// Makes an attempt and says what it came to.
    pub(crate) async fn attempt(&self, delivery: &Delivery) -> (Verdict, Attempt) {
        let at = self.clock.now();
        let request = match sign(delivery, &self.user_agent, at) {
            Ok(request) => request,
            Err(unsigned) => return (Verdict::of_unsigned(unsigned), unsent(at, unsigned.to_string())),
        };
        let request_head = request_head(&request);
        let answer = self.post(request).await;
        let now = self.clock.now();
        let verdict = Verdict::of_answer(&answer, now);
        let error = verdict.error().map(Into::into);
        let attempt = match answer {
            Ok(answer) => Attempt {
                at,
                took: answer.took,
                status: Some(answer.status),
                error,
                request_head,
                response_head: answer.head,
                response_body: answer.body,
            },
            Err(_) => Attempt {
                took: now.since(at),
                request_head,
                ..unsent(at, error.unwrap_or_default())
            },
        };
        (verdict, attempt)
    }

    async fn post(&self, request: Request) -> Result<Answer, PostError> {
        let began = self.clock.now();
        let mut too_late = pin!(self.clock.sleep(self.timeout));
        let mut response = tokio::select! {
            biased;
            response = self.client.post(request) => response?,
            () = &mut too_late => return Err(PostError::TimedOut),
        };
        let took = self.clock.now().since(began);
        let head = response_head(&response);
        let mut body = BytesMut::new();
        tokio::select! {
            biased;
            () = read_body(response.body.as_mut(), &mut body) => {}
            () = &mut too_late => {}
            () = self.clock.sleep(BODY_PATIENCE) => {}
        }
        let retry_after = response.headers.get(RETRY_AFTER);
        Ok(Answer {
            status: response.status.as_u16(),
            retry_after: retry_after.and_then(|value| Some(value.to_str().ok()?.into())),
            head,
            body: body.freeze(),
            took,
        })
    }
}

/// Counts and logs. Bodies, addresses and secrets stay out of both.
fn report(delivery: &Delivery, outcome: &DeliveryOutcome, made: &Attempt) {
    let Delivery {
        id, event, device, ..
    } = delivery;
    let attempt = delivery.attempts.saturating_add(1);
    let status = made.status;
    let label = match outcome {
        DeliveryOutcome::Delivered => {
            debug!(delivery = %id, %event, %device, attempt, status, "webhook delivered");
            "delivered"
        }
        DeliveryOutcome::Retry { error, .. } => {
            debug!(delivery = %id, %event, %device, attempt, error, "webhook failed, to be tried again");
            "retry"
        }
        DeliveryOutcome::Dead { error, .. } => {
            warn!(delivery = %id, %event, %device, attempt, error, "webhook given up");
            "dead"
        }
        DeliveryOutcome::Returned => return,
    };
    metrics::counter!("wagate_webhook_deliveries_total", "outcome" => label).increment(1);
    metrics::histogram!("wagate_webhook_attempt_seconds", "outcome" => label).record(made.took.as_secs_f64());
}
