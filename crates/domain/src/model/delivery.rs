//! One event on its way to one endpoint: what is sent, what became of it, and what is kept of that.

use std::str::FromStr;
use std::time::Duration;

use bytes::Bytes;

use super::{CustomHeader, DeliveryId, DeviceId, EventId, EventKind, SigningSecret, Timestamp, WebhookId};
use crate::{Error, Result};

/// A delivery that somebody has reserved and is to make now. The bytes are those rendered when the event
/// was recorded, so that every retry and every signature sees the same body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Our id.
    pub id: DeliveryId,
    /// The event; receivers deduplicate on it.
    pub event: EventId,
    /// The endpoint.
    pub webhook: WebhookId,
    /// Whose event it is.
    pub device: DeviceId,
    /// The endpoint's address now.
    pub url: String,
    /// The endpoint's own headers now.
    pub headers: Vec<CustomHeader>,
    /// What signs now, the newest first; never empty.
    pub secrets: Vec<SigningSecret>,
    /// The body.
    pub body: Bytes,
    /// Attempts made before this one, since it was queued or asked for again.
    pub attempts: u32,
    /// When it was queued, or asked for again.
    pub queued_at: Timestamp,
}

/// Why an attempt failed that may succeed later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Setback {
    /// The receiver answered and did not want this one.
    Refused,
    /// The receiver was not there, too slow, or asked to wait: nothing is said about this one.
    Absent,
}

/// What became of a reserved delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeliveryOutcome {
    /// The receiver answered 2xx.
    Delivered,
    /// It did not; try again then.
    Retry {
        /// When.
        at: Timestamp,
        /// What kind of failure.
        setback: Setback,
        /// What happened, in a few words.
        error: String,
    },
    /// It did not, and there is no further try.
    Dead {
        /// What happened, in a few words.
        error: String,
        /// What that says about the endpoint.
        endpoint: EndpointVerdict,
    },
    /// No attempt was made: somebody else may make it now.
    Returned,
}

/// What a delivery that died says about its endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndpointVerdict {
    /// Nothing: this delivery alone was at fault.
    Sound,
    /// The receiver said that it is gone for good: switch it off.
    Gone,
    /// Every try was used up: switch it off when it has taken nothing else since this moment.
    Exhausted {
        /// The first try of a delivery that dies now.
        since: Timestamp,
    },
}

/// One try, as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// When it began.
    pub at: Timestamp,
    /// How long it took.
    pub took: Duration,
    /// The receiver's status, when it answered.
    pub status: Option<u16>,
    /// What went wrong, in a few words.
    pub error: Option<String>,
    /// The head of the request; values of the endpoint's own headers are hidden.
    pub request_head: String,
    /// The head of the answer.
    pub response_head: String,
    /// The first bytes of the answer's body.
    pub response_body: Bytes,
}

impl Attempt {
    /// Most bytes that are kept of an answer's body.
    pub const MAX_BODY: usize = 20_000;
}

/// What the worker has to say about a reserved delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settlement {
    /// Which.
    pub id: DeliveryId,
    /// What became of it.
    pub outcome: DeliveryOutcome,
    /// The try; `None` when there was none.
    pub attempt: Option<Attempt>,
}

/// How a delivery stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeliveryStanding {
    /// To be made, or to be made again.
    Pending,
    /// The receiver has it.
    Delivered,
    /// Given up; it can be asked for again.
    Dead,
}

impl DeliveryStanding {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Pending, Self::Delivered, Self::Dead];

    /// Stable name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Delivered => "delivered",
            Self::Dead => "dead",
        }
    }
}

impl FromStr for DeliveryStanding {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Self::ALL
            .into_iter()
            .find(|standing| standing.as_str() == text)
            .ok_or_else(|| Error::invalid("status", "status must be \"pending\", \"delivered\" or \"dead\""))
    }
}

/// A delivery as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredDelivery {
    /// Our id.
    pub id: DeliveryId,
    /// The event.
    pub event: EventId,
    /// What kind of event.
    pub kind: EventKind,
    /// The endpoint.
    pub webhook: WebhookId,
    /// Whose event it is.
    pub device: DeviceId,
    /// How it stands.
    pub standing: DeliveryStanding,
    /// Attempts so far.
    pub attempts: u32,
    /// When it is tried next; `None` when it waits for another delivery or for its endpoint, and when it is
    /// over.
    pub due_at: Option<Timestamp>,
    /// What went wrong last, in a few words.
    pub error: Option<String>,
    /// When the event was recorded.
    pub created_at: Timestamp,
    /// When it was delivered or given up.
    pub settled_at: Option<Timestamp>,
    /// The body.
    pub body: Bytes,
}

/// Which deliveries.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DeliveryFilter {
    /// Only those to this endpoint.
    pub webhook: Option<WebhookId>,
    /// Only those of this event.
    pub event: Option<EventId>,
    /// Only those of this device.
    pub device: Option<DeviceId>,
    /// Only those that stand like this.
    pub standing: Option<DeliveryStanding>,
}

/// How many deliveries there are of those that somebody may have to care for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DeliveryCounts {
    /// Waiting to be made.
    pub pending: u64,
    /// Given up.
    pub dead: u64,
}

/// What to deliver once more to an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Replay {
    /// Events recorded then or later.
    pub since: Timestamp,
    /// Events recorded before.
    pub until: Timestamp,
    /// Those that were given up, or those that were delivered: what is pending comes anyway.
    pub standing: DeliveryStanding,
}

/// The deliveries that one replay asked for again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Replayed {
    /// Their endpoint.
    pub webhook: WebhookId,
    /// How they stood before.
    pub standing: DeliveryStanding,
    /// When they were asked for.
    pub at: Timestamp,
}
