//! From what the driver reports to what is recorded: events, deliveries, and what they change, in one
//! transaction. Only when it is down is WhatsApp told that we have it.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use tokio::sync::{mpsc, watch};
use ulid::Ulid;

use super::call::Ring;
use super::core::GatewayParts;
use super::delivery_changes::DeliveryChanges;
use super::typing::TypingChanges;
use super::{classic, standard, stripes::Stripes};
use crate::model::event::{CallState, IncomingCall, Progress, Receipt, ReceiptKind};
use crate::model::{
    ChatChange, ChatMessage, Contact, DeliveryId, Device, DeviceId, Event, EventBody, EventId, Jid,
    MessageStatus, ReceivedMessage, Typing, Webhook, WebhookFormat,
};
use crate::ports::{EventBatch, EventSink, Express, NewDelivery, NewEvent, Recorded, StatusChange};
use crate::{Error, Result};

/// Records what happens to devices.
pub(super) struct Intake {
    parts: GatewayParts,
    ring: mpsc::Sender<Ring>,
    /// How long a delivery that goes the short way is the worker's.
    lease: Duration,
    /// One change of a device's row at a time.
    rows: Stripes,
    /// Changes whenever something may have been recorded.
    recorded: watch::Sender<()>,
    /// Deliveries that stand otherwise than before.
    pub(super) changes: DeliveryChanges,
    /// Who types to devices.
    pub(super) typing: TypingChanges,
}

impl Intake {
    pub(super) fn new(parts: GatewayParts, ring: mpsc::Sender<Ring>, lease: Duration) -> Self {
        Self {
            parts,
            ring,
            lease,
            rows: Stripes::default(),
            recorded: watch::Sender::new(()),
            changes: DeliveryChanges::default(),
            typing: TypingChanges::default(),
        }
    }

    /// Changes whenever something may have been recorded.
    pub(super) fn recorded(&self) -> watch::Receiver<()> {
        self.recorded.subscribe()
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

    /// Does something to many stored devices while nobody else changes one.
    pub(super) async fn change_devices<T>(
        &self,
        change: impl Future<Output = Result<T>> + Send,
    ) -> Result<T> {
        let _turns = self.rows.lock_all().await;
        change.await
    }

    async fn device(&self, id: DeviceId) -> Result<Device> {
        let found = self.parts.devices.get(id).await?;
        found.ok_or_else(|| Error::NotFound {
            what: "device",
            id: id.to_string(),
        })
    }

    /// A change of a message of ours, with the event that tells of it.
    pub(super) async fn status_change(&self, device: &Device, progress: Progress) -> Result<StatusChange> {
        let webhooks = self.parts.webhooks.receiving(device).await?;
        self.rendering(device, &webhooks)
            .status_change(progress, self.parts.clock.now())
    }

    fn rendering<'a>(&'a self, device: &'a Device, webhooks: &'a [Webhook]) -> Rendering<'a> {
        Rendering {
            parts: &self.parts,
            device,
            webhooks,
        }
    }

    fn batch(&self, device: &Device, webhooks: &[Webhook], events: &[Event]) -> Result<EventBatch> {
        let mut after = device.clone();
        let mut batch = EventBatch::new(device.id);
        for event in events {
            // A verdict is told once, however often WhatsApp repeats it.
            if matches!(&event.body, EventBody::Ended(reason) if after.ended.as_ref() == Some(reason)) {
                continue;
            }
            apply(&mut after, &event.body);
            let rendering = self.rendering(&after, webhooks);
            match &event.body {
                EventBody::MessageReceived(message) => batch.contacts.extend(seen_name(message)),
                EventBody::ContactsChanged(contacts) => batch.contacts.extend(contacts.iter().cloned()),
                EventBody::ContactsRemoved(jids) => batch.removed_contacts.extend(jids.iter().cloned()),
                EventBody::ReceiptReceived(receipt) => {
                    for progress in progress(receipt) {
                        batch.statuses.push(rendering.status_change(progress, event.at)?);
                    }
                }
                EventBody::MessageProgressed(progress) => {
                    batch
                        .statuses
                        .push(rendering.status_change(progress.clone(), event.at)?);
                    continue;
                }
                _ => {}
            }
            batch.events.extend(rendering.event(event)?);
        }
        batch.device_after = (after != *device).then_some(after);
        Ok(batch)
    }

    /// Records with as many deliveries on the short way as there is room for, and sends those off.
    pub(super) async fn dispatch<F>(
        &self,
        deliveries: Vec<DeliveryId>,
        record: impl FnOnce(Express) -> F,
    ) -> Result<Recorded>
    where
        F: Future<Output = Result<Recorded>>,
    {
        let booking = self.parts.dispatch.book(deliveries.len());
        let express = Express {
            limit: booking.len(),
            lease: self.lease,
        };
        let recorded = record(express).await;
        self.recorded.send_replace(());
        // A commit may have come through although the database said nothing: what it reserved for us is nobody's
        // until its lease ends, and the worker has to know of that.
        let in_doubt = match &recorded {
            Ok(recorded) => !deliveries.is_empty() && recorded.express.is_empty(),
            Err(_) => true,
        };
        if in_doubt {
            self.parts.dispatch.announce();
        }
        let mut recorded = recorded?;
        self.changes.announce(deliveries);
        booking.send(std::mem::take(&mut recorded.express));
        if recorded.queued {
            self.parts.dispatch.announce();
        }
        Ok(recorded)
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
        // Messages do not wait for each other: their commits share one fsync.
        let _turn = if events.iter().any(|event| changes_device(&event.body)) {
            Some(self.rows.lock(id).await)
        } else {
            None
        };
        let device = self.device(id).await?;
        let webhooks = self.parts.webhooks.receiving(&device).await?;
        let batch = self.batch(&device, &webhooks, &events)?;
        self.dispatch(deliveries(&batch), |express| {
            self.parts.events.record(EventBatch { express, ..batch })
        })
        .await?;
        self.ring_new_calls(id, events);
        Ok(())
    }

    fn typing(&self, device: DeviceId, typing: Typing) {
        self.typing.announce(device, typing);
    }
}

fn deliveries(batch: &EventBatch) -> Vec<DeliveryId> {
    let of_changes = batch.statuses.iter().filter_map(|change| change.event.as_ref());
    of_events(batch.events.iter().chain(of_changes))
}

/// The deliveries that a change of a message brings along.
pub(super) fn of_change(change: &StatusChange) -> Vec<DeliveryId> {
    of_events(change.event.iter())
}

fn of_events<'a>(events: impl Iterator<Item = &'a NewEvent>) -> Vec<DeliveryId> {
    let deliveries = events.flat_map(|event| &event.deliveries);
    deliveries.map(|delivery| delivery.id).collect()
}

/// What events of one device look like to those who receive them.
struct Rendering<'a> {
    parts: &'a GatewayParts,
    device: &'a Device,
    webhooks: &'a [Webhook],
}

impl Rendering<'_> {
    fn event(&self, event: &Event) -> Result<Option<NewEvent>> {
        let Some(kind) = event.body.kind() else {
            return Ok(None);
        };
        let number = self.parts.ids.next();
        let id = EventId::new(number);
        let recorded_at = self.parts.clock.now();
        let data = standard::render(self.device, id, kind, event)?;
        let classic = std::cell::LazyCell::new(|| classic::render(self.device, id, event, recorded_at));
        let wanted = self.webhooks.iter().filter(|webhook| webhook.events.wants(kind));
        let deliveries = wanted.filter_map(|webhook| {
            let body = match webhook.format {
                WebhookFormat::Standard => data.clone(),
                WebhookFormat::Classic => Bytes::clone(classic.as_ref()?),
            };
            Some(NewDelivery {
                id: DeliveryId::new(self.parts.ids.next()),
                webhook: webhook.id,
                body,
            })
        });
        Ok(Some(NewEvent {
            deliveries: deliveries.collect(),
            id,
            kind,
            dedupe_key: event.body.dedupe_key(),
            at: event.at,
            recorded_at,
            chat: chat_change(event, number),
            lane: event.body.chat().map(Jid::to_string).unwrap_or_default(),
            data,
        }))
    }

    fn status_change(&self, progress: Progress, at: crate::model::Timestamp) -> Result<StatusChange> {
        let change = StatusChange {
            message: progress.id.clone(),
            status: progress.status,
            to: progress.chat.clone(),
            failure: progress.failure.clone(),
            at,
            event: None,
        };
        let event = Event {
            at,
            body: EventBody::MessageProgressed(progress),
        };
        Ok(StatusChange {
            event: self.event(&event)?,
            ..change
        })
    }
}

/// What the event changes in a conversation.
fn chat_change(event: &Event, number: Ulid) -> Option<ChatChange> {
    match &event.body {
        EventBody::MessageReceived(message) => {
            ChatMessage::of_received(message, number).map(|message| ChatChange::Wrote(Box::new(message)))
        }
        EventBody::ReceiptReceived(receipt) if receipt.kind == ReceiptKind::ReadSelf => {
            Some(ChatChange::Read {
                chat: receipt.chat.account(),
                at: event.at,
            })
        }
        _ => None,
    }
}

/// Whether the device's own row changes with it.
fn changes_device(body: &EventBody) -> bool {
    matches!(
        body,
        EventBody::Paired { .. }
            | EventBody::Connected
            | EventBody::Ended(_)
            | EventBody::ProfileChanged { .. }
    )
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
    contact.lid = message.sender_lid.as_ref().map(Jid::account);
    Some(contact)
}

/// How far our messages have come by somebody's receipt.
fn progress(receipt: &Receipt) -> impl Iterator<Item = Progress> + '_ {
    let status = match receipt.kind {
        ReceiptKind::Delivered => Some(MessageStatus::Delivered),
        ReceiptKind::Read => Some(MessageStatus::Read),
        ReceiptKind::Played => Some(MessageStatus::Played),
        ReceiptKind::ReadSelf => None,
    };
    status.into_iter().flat_map(move |status| {
        receipt.ids.iter().map(move |id| Progress {
            id: id.clone(),
            chat: Some(receipt.chat.clone()),
            chat_lid: receipt.chat_lid.clone(),
            status,
            failure: None,
        })
    })
}
