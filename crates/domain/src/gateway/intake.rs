//! From what the driver reports to what is recorded: events, deliveries, and what they change, in one
//! transaction. Only when it is down is WhatsApp told that we have it.

use async_trait::async_trait;
use bytes::Bytes;
use tokio::sync::mpsc;

use super::call::Ring;
use super::core::GatewayParts;
use super::{classic, stripes::Stripes};
use crate::model::event::{CallState, IncomingCall, Receipt, ReceiptKind};
use crate::model::{
    Contact, DeliveryId, Device, DeviceId, Event, EventBody, EventId, MessageId, MessageStatus,
    ReceivedMessage, Webhook,
};
use crate::ports::{EventBatch, EventSink, NewDelivery, NewEvent};
use crate::{Error, Result};

/// Records what happens to devices.
pub(super) struct Intake {
    parts: GatewayParts,
    ring: mpsc::Sender<Ring>,
    /// One change of a device's row at a time.
    rows: Stripes,
}

impl Intake {
    pub(super) fn new(parts: GatewayParts, ring: mpsc::Sender<Ring>) -> Self {
        Self {
            parts,
            ring,
            rows: Stripes::default(),
        }
    }

    /// Changes a stored device; concurrent changes follow one another.
    pub(super) async fn change_device(
        &self,
        id: DeviceId,
        change: impl FnOnce(&mut Device) -> Result<()> + Send,
    ) -> Result<Device> {
        let _turn = self.rows.lock(id).await;
        let mut device = self.device(id).await?;
        change(&mut device)?;
        self.parts.devices.update(&device).await?;
        Ok(device)
    }

    async fn device(&self, id: DeviceId) -> Result<Device> {
        let found = self.parts.devices.get(id).await?;
        found.ok_or_else(|| Error::NotFound {
            what: "device",
            id: id.to_string(),
        })
    }

    fn batch(&self, device: &Device, webhook: Option<&Webhook>, events: &[Event]) -> EventBatch {
        let mut after = device.clone();
        let mut batch = EventBatch {
            device: device.id,
            events: Vec::with_capacity(events.len()),
            device_after: None,
            contacts: Vec::new(),
            removed_contacts: Vec::new(),
            statuses: Vec::new(),
        };
        for event in events {
            // A verdict is told once, however often WhatsApp repeats it.
            if matches!(&event.body, EventBody::Ended(reason) if after.ended.as_ref() == Some(reason)) {
                continue;
            }
            apply(&mut after, &event.body);
            match &event.body {
                EventBody::MessageReceived(message) => batch.contacts.extend(seen_name(message)),
                EventBody::ReceiptReceived(receipt) => batch.statuses.extend(progress(receipt)),
                EventBody::ContactsChanged(contacts) => batch.contacts.extend(contacts.iter().cloned()),
                EventBody::ContactsRemoved(jids) => batch.removed_contacts.extend(jids.iter().cloned()),
                _ => {}
            }
            batch.events.extend(self.new_event(&after, webhook, event));
        }
        batch.device_after = (after != *device).then_some(after);
        batch
    }

    fn new_event(&self, device: &Device, webhook: Option<&Webhook>, event: &Event) -> Option<NewEvent> {
        let kind = event.body.kind()?;
        let id = EventId::new(self.parts.ids.next());
        let recorded_at = self.parts.clock.now();
        let deliveries = webhook
            .and_then(|webhook| {
                let body = classic::render(device, id, event, recorded_at)?;
                Some(NewDelivery {
                    id: DeliveryId::new(self.parts.ids.next()),
                    webhook: webhook.id,
                    body,
                })
            })
            .into_iter()
            .collect();
        let data = match serde_json::to_vec(&event.body) {
            Ok(json) => Bytes::from(json),
            Err(error) => {
                tracing::error!(%error, "event without JSON form");
                Bytes::new()
            }
        };
        Some(NewEvent {
            id,
            kind,
            dedupe_key: event.body.dedupe_key(),
            at: event.at,
            recorded_at,
            data,
            deliveries,
        })
    }

    /// Hands ringing calls to whoever answers them; a full queue lets them ring.
    fn ring_new_calls(&self, device: DeviceId, events: Vec<Event>) {
        for event in events {
            if let EventBody::CallReceived(
                call @ IncomingCall {
                    state: CallState::Ringing,
                    ..
                },
            ) = event.body
                && self.ring.try_send(Ring { device, call }).is_err()
            {
                tracing::warn!(%device, "too many calls at once: one is left ringing");
            }
        }
    }
}

#[async_trait]
impl EventSink for Intake {
    async fn commit(&self, id: DeviceId, events: Vec<Event>) -> Result<()> {
        let _turn = self.rows.lock(id).await;
        let device = self.device(id).await?;
        let webhook = self.parts.webhooks.of_device(id).await?;
        let batch = self.batch(&device, webhook.as_ref(), &events);
        let queued = batch.events.iter().any(|event| !event.deliveries.is_empty());
        self.parts.events.record(batch).await?;
        if queued {
            self.parts.deliveries_added.notify_one();
        }
        self.ring_new_calls(id, events);
        Ok(())
    }
}

/// What an event changes on the device.
fn apply(device: &mut Device, body: &EventBody) {
    match body {
        EventBody::Paired { jid, lid } => {
            device.jid = Some(jid.clone());
            device.lid.clone_from(lid);
            device.ended = None;
        }
        EventBody::Connected => device.ended = None,
        EventBody::Ended(reason) => device.ended = Some(reason.clone()),
        EventBody::ProfileChanged {
            push_name,
            picture_url,
        } => {
            if push_name.is_some() {
                device.push_name.clone_from(push_name);
            }
            if let Some(url) = picture_url {
                device.picture_url = (!url.is_empty()).then(|| url.clone());
            }
        }
        _ => {}
    }
}

/// The name on somebody's message tells who they are.
fn seen_name(message: &ReceivedMessage) -> Option<Contact> {
    let name = message
        .push_name
        .as_ref()
        .filter(|name| !name.is_empty() && !message.from_me)?;
    let mut contact = Contact::new(message.sender.account());
    contact.push_name = Some(name.clone());
    contact.lid = message.sender_lid.as_ref().map(crate::model::Jid::account);
    Some(contact)
}

/// How far our messages have come by somebody's receipt.
fn progress(receipt: &Receipt) -> impl Iterator<Item = (MessageId, MessageStatus)> + '_ {
    let status = match receipt.kind {
        ReceiptKind::Delivered => Some(MessageStatus::Delivered),
        ReceiptKind::Read => Some(MessageStatus::Read),
        ReceiptKind::Played => Some(MessageStatus::Played),
        ReceiptKind::ReadSelf => None,
    };
    status
        .into_iter()
        .flat_map(|status| receipt.ids.iter().map(move |id| (id.clone(), status)))
}
