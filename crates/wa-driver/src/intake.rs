//! What upstream tells us. Messages come through the durability hook: WhatsApp hears that we have them
//! only after they are recorded. Everything else comes through the event handler, which runs on
//! upstream's own paths and therefore never waits.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use wagate_domain::model::{Contact, DeviceId, Event, EventBody, Jid};
use wagate_domain::ports::{Clock, EventSink};
use whatsapp_rust::wacore::types::events::{
    Event as WaEvent, EventHandler, EventInterest, EventKind, InboundMessage,
};
use whatsapp_rust::{Client, InboundDurabilityHook, anyhow, async_trait};

use crate::acks::Acks;
use crate::calls::Calls;
use crate::convert::party::{Parties, People};
use crate::convert::{contact, incoming};
use crate::journal::{Journal, commit_patiently};
use crate::signal::{Signal, Signals};
use crate::typing::Overheard;

/// Names that are remembered so that not every message rewrites its sender.
const MAX_NAMES: usize = 4_096;

/// Commits messages before WhatsApp is told that they arrived.
pub(crate) struct Intake {
    pub device: DeviceId,
    pub sink: Arc<dyn EventSink>,
    pub signals: Signals,
    pub names: Arc<Names>,
    /// Whether the last batch could not be recorded.
    pub failing: AtomicBool,
}

impl Intake {
    async fn events(&self, people: &dyn People, batch: &[InboundMessage]) -> (Vec<Event>, Vec<Contact>) {
        let mut events = Vec::with_capacity(batch.len());
        let mut contacts: Vec<Contact> = Vec::new();
        for inbound in batch {
            let Some(parties) = Parties::of_message(&inbound.info, people).await else {
                continue;
            };
            if let Some(contact) = contact::of_message(&inbound.info, &parties)
                && self.names.is_news(&contact)
                && !contacts.contains(&contact)
            {
                contacts.push(contact);
            }
            if let Some(message) = incoming::to_domain(inbound, &parties) {
                events.push(Event {
                    at: message.at,
                    body: EventBody::MessageReceived(Box::new(message)),
                });
            }
        }
        if let (Some(last), false) = (batch.last(), contacts.is_empty()) {
            let at = wagate_domain::model::Timestamp(last.info.timestamp.timestamp_millis());
            events.push(Event {
                at,
                body: EventBody::ContactsChanged(contacts.clone()),
            });
        }
        (events, contacts)
    }
}

#[async_trait]
impl InboundDurabilityHook for Intake {
    async fn on_messages(&self, client: Arc<Client>, batch: &[InboundMessage]) -> anyhow::Result<()> {
        let (events, contacts) = self.events(&*client, batch).await;
        if events.is_empty() {
            return Ok(());
        }
        if let Err(error) = commit_patiently(&*self.sink, self.device, events).await {
            tracing::error!(%error, messages = batch.len(), "messages could not be recorded; WhatsApp keeps them");
            self.failing.store(true, Ordering::Relaxed);
            self.signals.send(Signal::NotCommitted);
            return Err(error.into());
        }
        self.names.remember(contacts);
        if self.failing.swap(false, Ordering::Relaxed) {
            self.signals.send(Signal::Committed);
        }
        Ok(())
    }
}

/// The names last recorded, by person.
#[derive(Default)]
pub(crate) struct Names(Mutex<HashMap<Jid, Contact>>);

impl Names {
    fn is_news(&self, contact: &Contact) -> bool {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&contact.jid)
            != Some(contact)
    }

    fn remember(&self, contacts: Vec<Contact>) {
        let mut names = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if names.len() + contacts.len() > MAX_NAMES {
            // Forgetting costs one write per person; tracking what is old would cost more.
            names.clear();
        }
        names.extend(contacts.into_iter().map(|contact| (contact.jid.clone(), contact)));
    }
}

/// Sorts upstream's events: to those who wait, to the session, to the journal, to those who listen.
pub(crate) struct Handler {
    pub client: Weak<Client>,
    pub signals: Signals,
    pub journal: Journal,
    pub acks: Acks,
    pub calls: Arc<Calls>,
    pub overheard: Overheard,
    pub clock: Arc<dyn Clock>,
}

impl Handler {
    /// The events that anybody here wants.
    pub(crate) fn interest() -> EventInterest {
        EventInterest::of(&[
            EventKind::PairingQrCode,
            EventKind::PairingQrCodesExhausted,
            EventKind::PairSuccess,
            EventKind::PairError,
            EventKind::QrScannedWithoutMultidevice,
            EventKind::PairPasskeyRequest,
            EventKind::Connected,
            EventKind::Disconnected,
            EventKind::LoggedOut,
            EventKind::StreamReplaced,
            EventKind::ClientOutdated,
            EventKind::TemporaryBan,
            EventKind::ConnectFailure,
            EventKind::SelfPushNameUpdated,
            EventKind::PictureUpdate,
            EventKind::AppStateSyncFailed,
            EventKind::ServerAck,
            EventKind::Messages,
            EventKind::UndecryptableMessage,
            EventKind::Receipt,
            EventKind::IncomingCall,
            EventKind::MissedCall,
            EventKind::CallEndedElsewhere,
            EventKind::ContactUpdate,
            EventKind::ChatPresence,
        ])
    }

    fn record(&self, event: Arc<WaEvent>) {
        if let Some(client) = self.client.upgrade() {
            self.journal.offer(event, client);
        }
    }

    fn is_own(&self, jid: &whatsapp_rust::Jid) -> bool {
        self.client.upgrade().is_some_and(|client| {
            [client.pn(), client.lid()]
                .into_iter()
                .flatten()
                .any(|own| own.to_non_ad() == jid.to_non_ad())
        })
    }
}

impl EventHandler for Handler {
    fn handle_event(&self, event: Arc<WaEvent>) {
        if let Some(signal) = Signal::of_event(&event, self.clock.now()) {
            return self.signals.send(signal);
        }
        match &*event {
            WaEvent::ServerAck(ack) if self.acks.resolve(ack) => {}
            WaEvent::IncomingCall(call) => {
                self.calls.note(call);
                self.record(event);
            }
            WaEvent::ServerAck(_)
            | WaEvent::Receipt(_)
            | WaEvent::MissedCall(_)
            | WaEvent::CallEndedElsewhere(_)
            | WaEvent::ContactUpdate(_) => self.record(event),
            // What the hook has committed is recorded; channels and messages that the phone sends
            // again bypass it.
            WaEvent::Messages(batch) if !batch.hook_committed => {
                self.record(event);
            }
            WaEvent::ChatPresence(_) => {
                if let Some(client) = self.client.upgrade() {
                    self.overheard.offer(event, client);
                }
            }
            WaEvent::PictureUpdate(picture) if self.is_own(&picture.jid) => {
                self.signals.send(Signal::OwnPicture);
            }
            WaEvent::UndecryptableMessage(_) => tracing::debug!("a message could not be decrypted yet"),
            WaEvent::PairError(_) => tracing::warn!("pairing failed"),
            WaEvent::PairPasskeyRequest(_) => {
                tracing::warn!("the phone asks for a passkey, which is not supported");
            }
            WaEvent::QrScannedWithoutMultidevice(_) => {
                tracing::warn!("the code was scanned by a phone without linked devices");
            }
            WaEvent::AppStateSyncFailed(failed) => {
                tracing::warn!(fatal = ?failed.fatal, retryable = ?failed.retryable, "settings were not synced");
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests;
