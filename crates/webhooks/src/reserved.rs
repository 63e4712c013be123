//! A delivery that is ours until its lease runs out, before it is made and after.

use tokio::sync::OwnedSemaphorePermit;
use wagate_domain::model::{Delivery, DeliveryOutcome, Setback, Settlement, Timestamp, WebhookId};

/// A delivery that is to be made.
#[derive(Debug)]
pub(crate) struct Reserved {
    pub delivery: Delivery,
    pub lease: Lease,
}

/// What ends with a delivery.
#[derive(Debug)]
pub(crate) struct Lease {
    /// From then on somebody else may have it.
    pub until: Timestamp,
    /// The place it takes on the short way.
    #[expect(dead_code, reason = "dropping it frees the place")]
    pub slot: Option<OwnedSemaphorePermit>,
}

/// A delivery whose outcome is to be stored.
#[derive(Debug)]
pub(crate) struct Landed {
    pub settlement: Settlement,
    pub webhook: WebhookId,
    pub lease: Lease,
    /// Whether storing it may make others due: then the queue is to be asked.
    pub stirs: bool,
}

impl Reserved {
    /// As one that was not made.
    pub(crate) fn returned(self) -> Landed {
        Landed {
            settlement: Settlement {
                id: self.delivery.id,
                outcome: DeliveryOutcome::Returned,
                attempt: None,
            },
            webhook: self.delivery.webhook,
            lease: self.lease,
            stirs: false,
        }
    }
}

impl Landed {
    /// When storing it makes something due, as far as can be told from outside of the queue.
    pub(crate) fn makes_due(&self, now: Timestamp) -> Option<Timestamp> {
        match self.settlement.outcome {
            // What is next in the lane of one that is refused may be tried beside it.
            DeliveryOutcome::Retry {
                setback: Setback::Refused,
                ..
            } => Some(now),
            _ if self.stirs => Some(now),
            DeliveryOutcome::Retry { at, .. } => Some(at),
            _ => None,
        }
    }
}
