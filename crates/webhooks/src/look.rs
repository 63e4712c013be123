//! One look into the queue: takes what is due, and when nothing is, finds out when something will be.

use std::sync::Arc;
use std::time::Duration;

use wagate_domain::Result;
use wagate_domain::model::{Timestamp, WebhookId};
use wagate_domain::ports::{DeliveryQueue, Reservation};

use crate::reserved::{Lease, Reserved};

/// With more endpoints than this that get one at a time, all endpoints get one at a time from a look.
const MOST_WARY: usize = 100;

/// What to ask for.
pub(crate) struct Look {
    pub queue: Arc<dyn DeliveryQueue>,
    pub now: Timestamp,
    pub lease: Duration,
    /// Most deliveries.
    pub limit: usize,
    /// Most for one endpoint.
    pub lanes: usize,
    /// Endpoints that get nothing.
    pub full: Vec<WebhookId>,
    /// Endpoints that get one.
    pub wary: Vec<WebhookId>,
}

/// What there was.
#[derive(Debug)]
pub(crate) struct Found {
    pub deliveries: Vec<Reserved>,
    /// When something is due; only known when nothing is now.
    pub next_due: Option<Timestamp>,
}

impl Look {
    pub(crate) async fn run(self) -> Result<Found> {
        let deliveries = if self.wary.len() > MOST_WARY {
            self.reserve(self.limit, 1, self.full.clone()).await?
        } else {
            self.share_out().await?
        };
        let next_due = if deliveries.is_empty() {
            self.queue.next_due(&self.full).await?
        } else {
            None
        };
        Ok(Found { deliveries, next_due })
    }

    async fn share_out(&self) -> Result<Vec<Reserved>> {
        let mut busy = [&self.full[..], &self.wary[..]].concat();
        let mut deliveries = self.reserve(self.limit, self.lanes, busy).await?;
        let left = self.limit.saturating_sub(deliveries.len());
        if left > 0 && !self.wary.is_empty() {
            busy = self.full.clone();
            busy.extend(deliveries.iter().map(|reserved| reserved.delivery.webhook));
            busy.sort_unstable();
            busy.dedup();
            match self.reserve(left, 1, busy).await {
                Ok(more) => deliveries.extend(more),
                // What is ours already is to be made.
                Err(error) if deliveries.is_empty() => return Err(error),
                Err(_) => {}
            }
        }
        Ok(deliveries)
    }

    async fn reserve(&self, limit: usize, lanes: usize, busy: Vec<WebhookId>) -> Result<Vec<Reserved>> {
        let most = |number| u32::try_from(number).unwrap_or(u32::MAX);
        let reservation = Reservation {
            now: self.now,
            lease: self.lease,
            limit: most(limit),
            per_webhook: most(lanes),
            busy,
        };
        let until = self.now + self.lease;
        let ours = |delivery| Reserved {
            delivery,
            lease: Lease { until, slot: None },
        };
        let found = self.queue.reserve(reservation).await?;
        Ok(found.into_iter().map(ours).collect())
    }
}
