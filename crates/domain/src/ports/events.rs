//! Recorded events: one transaction holds the events, their deliveries and what they change.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;

use crate::Result;
use crate::model::event::Failure;
use crate::model::{
    ChatChange, Contact, CursorPage, CursorQuery, Delivery, DeliveryId, Device, DeviceId, EventId, EventKind,
    Jid, MessageId, MessageStatus, Timestamp, WebhookId,
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
    /// The event as clients read it: `{id, type, timestamp, device, data}`.
    pub data: Bytes,
    /// What its deliveries keep their order with, within the device and the endpoint: the conversation.
    pub lane: String,
    /// What it changes in a conversation.
    pub chat: Option<ChatChange>,
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

/// A message of ours that may have come further.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusChange {
    /// Which.
    pub message: MessageId,
    /// How far.
    pub status: MessageStatus,
    /// WhatsApp's address of the recipient, when it became known.
    pub to: Option<Jid>,
    /// Why it failed.
    pub failure: Option<Failure>,
    /// When.
    pub at: Timestamp,
    /// Recorded when the status did change.
    pub event: Option<NewEvent>,
}

/// Deliveries that whoever records wants to make at once, past the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Express {
    /// Most of them.
    pub limit: usize,
    /// How long they are reserved.
    pub lease: Duration,
}

impl Express {
    /// None.
    pub const NONE: Self = Self {
        limit: 0,
        lease: Duration::ZERO,
    };
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
    /// Own messages that came further; a status never goes back, and messages that are not ours are left out.
    pub statuses: Vec<StatusChange>,
    /// How many of the deliveries to reserve for the caller.
    pub express: Express,
}

impl EventBatch {
    /// A batch that records nothing yet.
    pub fn new(device: DeviceId) -> Self {
        Self {
            device,
            events: Vec::new(),
            device_after: None,
            contacts: Vec::new(),
            removed_contacts: Vec::new(),
            statuses: Vec::new(),
            express: Express::NONE,
        }
    }
}

/// What was recorded.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Recorded {
    /// The events that were new, in order.
    pub events: Vec<EventId>,
    /// Deliveries that are reserved for the caller.
    pub express: Vec<Delivery>,
    /// Whether deliveries were queued that are not reserved.
    pub queued: bool,
}

/// An event as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredEvent {
    /// Its id.
    pub id: EventId,
    /// What kind.
    pub kind: EventKind,
    /// Whose.
    pub device: DeviceId,
    /// When it happened.
    pub at: Timestamp,
    /// The event as clients read it: `{id, type, timestamp, device, data}`.
    pub data: Bytes,
}

/// Which events.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EventQuery {
    /// Only those of this device.
    pub device: Option<DeviceId>,
    /// Only these kinds; none at all means all.
    pub kinds: Vec<EventKind>,
}

/// The log of what happened.
#[async_trait]
pub trait EventStore: Send + Sync {
    /// Records the batch in one transaction, durable on return. An event whose dedupe key the device
    /// has already, and its deliveries, are left out; so are deliveries to endpoints that are gone.
    /// `NotFound` when the device is gone.
    async fn record(&self, batch: EventBatch) -> Result<Recorded>;

    /// Events in the order in which they were recorded. Whoever reads page after page misses none: an event
    /// never appears before one that was read already. An `after` that is not stored any more stands for what
    /// was recorded about when it was made.
    async fn list(
        &self,
        filter: &EventQuery,
        query: CursorQuery<EventId>,
    ) -> Result<CursorPage<StoredEvent, EventId>>;

    /// The event that was recorded last, of those that are stored: whoever wants to hear what happens from now
    /// on lists what comes after it.
    async fn last(&self) -> Result<Option<EventId>>;

    /// Removes at most `limit` events that were recorded before, with their deliveries. Stays: what has a
    /// pending delivery, or one that was given up after `before`. Says how many went.
    async fn prune(&self, before: Timestamp, limit: u32) -> Result<u64>;
}
