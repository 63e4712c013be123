//! Recorded events: one transaction holds the events, their deliveries and what they change.

use async_trait::async_trait;
use bytes::Bytes;

use crate::Result;
use crate::model::{
    Contact, DeliveryId, Device, DeviceId, EventId, EventKind, Jid, MessageId, MessageStatus, Timestamp,
    WebhookId,
};

/// An event to be recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEvent {
    /// Its id.
    pub id: EventId,
    /// What kind.
    pub kind: EventKind,
    /// Recognises a redelivery within the device.
    pub dedupe_key: Option<String>,
    /// When it happened.
    pub at: Timestamp,
    /// When it is recorded.
    pub recorded_at: Timestamp,
    /// The event as JSON.
    pub data: Bytes,
    /// Its deliveries, rendered now.
    pub deliveries: Vec<NewDelivery>,
}

/// A delivery to be queued with its event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDelivery {
    /// Its id.
    pub id: DeliveryId,
    /// Where it goes.
    pub webhook: WebhookId,
    /// The body.
    pub body: Bytes,
}

/// What one commit of the driver comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventBatch {
    /// Whose.
    pub device: DeviceId,
    /// Events, in order.
    pub events: Vec<NewEvent>,
    /// The device as it is after them, when they change it.
    pub device_after: Option<Device>,
    /// Contacts to merge.
    pub contacts: Vec<Contact>,
    /// Contacts to take out of the address book: their names in it go, and those go altogether of whom
    /// neither a push name nor a business name is known. Applied after the merge.
    pub removed_contacts: Vec<Jid>,
    /// Own messages that came further; a status never goes back.
    pub statuses: Vec<(MessageId, MessageStatus)>,
}

/// The log of what happened.
#[async_trait]
pub trait EventStore: Send + Sync {
    /// Records the batch in one transaction, durable on return. An event whose dedupe key the device
    /// has already, and its deliveries, are left out; so are deliveries to endpoints that are gone.
    /// Returns the ids of the events that were new. `NotFound` when the device is gone.
    async fn record(&self, batch: EventBatch) -> Result<Vec<EventId>>;
}
