//! Storing outcomes. All that has landed while one call was under way goes into the next one: the slower
//! the database, the larger the batch. While nothing can be stored outcomes are kept as long as their lease
//! allows.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tracing::{error, warn};
use wagate_domain::model::{DeliveryOutcome, Timestamp, WebhookId};
use wagate_domain::ports::{Clock, DeliveryQueue};
use wagate_domain::{Error, Result};

use crate::reserved::{Landed, Lease, Reserved};

/// Most outcomes in one call.
const MOST_AT_ONCE: usize = 200;
/// After a call that failed, doubling up to the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// Takes outcomes by channel until its other end is dropped, and says what came of them by another.
pub(crate) struct Settler {
    pub queue: Arc<dyn DeliveryQueue>,
    pub clock: Arc<dyn Clock>,
    /// For what is reserved by settling.
    pub lease: Duration,
    pub landed: mpsc::UnboundedReceiver<Landed>,
    pub reports: mpsc::UnboundedSender<Report>,
}

/// What the worker has to know.
#[derive(Debug)]
pub(crate) enum Report {
    /// Outcomes are stored.
    Settled(Round),
    /// They are not, and are kept.
    Failing,
    /// So many are kept no longer: their lease brings the deliveries back.
    Dropped(usize),
}

/// One call that went well.
#[derive(Debug)]
pub(crate) struct Round {
    /// How many outcomes.
    pub count: usize,
    /// What is ours now.
    pub next: Vec<Reserved>,
    /// When something is due, as far as the outcomes tell.
    pub due: Option<Timestamp>,
    /// Endpoints of deliveries that were given back.
    pub returned: Vec<WebhookId>,
    /// Endpoints that were switched off.
    pub disabled: Vec<WebhookId>,
}

impl Settler {
    pub(crate) async fn run(mut self) {
        let mut batch = Vec::new();
        while self.landed.recv_many(&mut batch, MOST_AT_ONCE).await > 0 {
            let mut pause = FIRST_PAUSE;
            while !batch.is_empty() {
                match self.settle(&mut batch).await {
                    Ok(round) => self.report(Report::Settled(round)),
                    Err(error) => {
                        warn!(%error, waiting = batch.len(), "webhook outcomes not stored yet");
                        self.report(Report::Failing);
                        self.clock.sleep(pause).await;
                        pause = (2 * pause).min(LONGEST_PAUSE);
                        self.drop_expired(&mut batch, error.retryable());
                    }
                }
            }
        }
    }

    /// Stores the outcomes and empties the batch.
    async fn settle(&self, batch: &mut Vec<Landed>) -> Result<Round> {
        let settlements = batch.iter().map(|landed| landed.settlement.clone()).collect();
        let (queue, now, lease) = (self.queue.clone(), self.clock.now(), self.lease);
        // A task of its own: a call that panics is one that failed.
        let call = tokio::spawn(async move { queue.settle(settlements, now, lease).await });
        let settled = call.await.map_err(Error::internal)??;
        let lease = |delivery| Reserved {
            delivery,
            lease: Lease {
                until: now + lease,
                slot: None,
            },
        };
        let returned = batch
            .iter()
            .filter(|landed| landed.settlement.outcome == DeliveryOutcome::Returned);
        let round = Round {
            count: batch.len(),
            next: settled.next.into_iter().map(lease).collect(),
            due: batch.iter().filter_map(|landed| landed.makes_due(now)).min(),
            returned: returned.map(|landed| landed.webhook).collect(),
            disabled: settled
                .disabled
                .into_iter()
                .map(|(webhook, ..)| webhook)
                .collect(),
        };
        batch.clear();
        Ok(round)
    }

    /// Forgets what may be somebody else's by now. That a receiver has a delivery is true whoever says it,
    /// and is said as long as there is hope that somebody listens.
    fn drop_expired(&self, batch: &mut Vec<Landed>, hope: bool) {
        let (now, before) = (self.clock.now(), batch.len());
        batch.retain(|landed| {
            now < landed.lease.until || (hope && landed.settlement.outcome == DeliveryOutcome::Delivered)
        });
        let dropped = before - batch.len();
        if dropped > 0 {
            error!(
                dropped,
                "webhook outcomes never stored: their deliveries will be made again"
            );
            self.report(Report::Dropped(dropped));
        }
    }

    fn report(&self, report: Report) {
        // Nobody listens any more when the worker is cut off.
        let _heard = self.reports.send(report);
    }
}
