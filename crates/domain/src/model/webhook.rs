//! Where events go, and one event on its way there.

use bytes::Bytes;

use super::{DeliveryId, DeviceId, EventId, Secret, Timestamp, WebhookId};

/// An endpoint that receives a device's events in the classic format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhook {
    /// Our id.
    pub id: WebhookId,
    /// Whose events it receives.
    pub device: DeviceId,
    /// Where they go; checked when it was set.
    pub url: String,
    /// Signs what goes there: `whsec_` and base64.
    pub secret: Secret,
    /// When it was set.
    pub created_at: Timestamp,
}

/// One event on its way to one endpoint. The bytes are those rendered when the event was recorded, so
/// that every retry and every signature sees the same body.
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
    /// The endpoint's secret now.
    pub secret: Secret,
    /// The body.
    pub body: Bytes,
    /// Attempts made before this one.
    pub attempts: u32,
    /// When the event was recorded.
    pub created_at: Timestamp,
}

/// What became of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeliveryOutcome {
    /// The receiver answered 2xx.
    Delivered {
        /// Its status.
        status: u16,
    },
    /// It did not; try again then.
    Retry {
        /// When.
        at: Timestamp,
        /// What happened, in a few words.
        error: String,
    },
    /// It did not, and there is no further try.
    Dead {
        /// What happened, in a few words.
        error: String,
    },
}
