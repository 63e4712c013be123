//! What happens outside of messages, committed in order by one task per session. Receipts, calls and
//! contacts have no second delivery at WhatsApp, so a database that hiccups is waited for; but a flood
//! that outruns it is cut, never allowed to eat the memory. What the session itself reports (connected,
//! logged out …) is never cut.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use wagate_domain::Result;
use wagate_domain::model::event::Progress;
use wagate_domain::model::{Contact, DeviceId, Event, EventBody, MessageId, MessageStatus, Timestamp};
use wagate_domain::ports::EventSink;
use whatsapp_rust::Client;
use whatsapp_rust::wacore::types::events::{Event as WaEvent, ServerAck};

use crate::convert::party::Parties;
use crate::convert::{call, contact, incoming, receipt};
use crate::keys::AddressBook;

/// Most events of others that wait for the database.
const MAX_QUEUED: usize = 4_096;
/// Most events in one commit.
const BATCH: usize = 512;
/// Attempts before an event that the database refuses for good is given up.
const STUBBORN_ATTEMPTS: u32 = 6;
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// How long messages wait for the database before WhatsApp is asked to send them once more.
const COMMIT_PATIENCE: Duration = Duration::from_mins(2);
const LONGEST_COMMIT_PAUSE: Duration = Duration::from_secs(2);
/// One warning for that many dropped events.
const WARN_EVERY: u64 = 1_000;

enum Item {
    Ours(Event),
    /// With the client that knows the addresses in it, also when the session has let go of it.
    Theirs(Arc<WaEvent>, Arc<Client>),
    Flush(oneshot::Sender<()>),
}

/// The way in. Clones lead to the same task.
#[derive(Clone)]
pub(crate) struct Journal {
    items: mpsc::UnboundedSender<Item>,
    queued: Arc<AtomicUsize>,
    dropped: Arc<AtomicU64>,
    closing: Arc<AtomicBool>,
}

impl Journal {
    /// Starts the task; it ends when the last clone is gone and all is written.
    pub(crate) fn start(
        device: DeviceId,
        sink: Arc<dyn EventSink>,
        book: AddressBook,
    ) -> (Self, impl Future<Output = ()>) {
        // Unbounded, because what the session reports must get in; the rest is counted below.
        let (items, receiver) = mpsc::unbounded_channel();
        let journal = Self {
            items,
            queued: Arc::default(),
            dropped: Arc::default(),
            closing: Arc::default(),
        };
        let writer = Writer {
            device,
            sink,
            book,
            queued: journal.queued.clone(),
            closing: journal.closing.clone(),
        };
        (journal, writer.run(receiver))
    }

    /// Records what the session itself has to say.
    pub(crate) fn report(&self, at: Timestamp, body: EventBody) {
        drop(self.items.send(Item::Ours(Event { at, body })));
    }

    /// Takes an event of upstream's without waiting; drops it when too many wait already. The address
    /// book arrives all at once and only once, so it always gets in.
    pub(crate) fn offer(&self, event: Arc<WaEvent>, client: Arc<Client>) {
        let waiting = self.queued.fetch_add(1, Ordering::Relaxed);
        if waiting >= MAX_QUEUED && !matches!(*event, WaEvent::ContactUpdate(_)) {
            self.queued.fetch_sub(1, Ordering::Relaxed);
            let dropped = self.dropped.fetch_add(1, Ordering::Relaxed);
            if dropped.is_multiple_of(WARN_EVERY) {
                tracing::warn!(
                    dropped = dropped + 1,
                    "events come faster than the database takes them"
                );
            }
            return;
        }
        drop(self.items.send(Item::Theirs(event, client)));
    }

    /// Returns once everything reported so far is written, or after `limit`.
    pub(crate) async fn flush(&self, limit: Duration) {
        self.closing.store(true, Ordering::Relaxed);
        let (done, flushed) = oneshot::channel();
        if self.items.send(Item::Flush(done)).is_ok() && tokio::time::timeout(limit, flushed).await.is_err() {
            tracing::error!("the session ends before all its events could be written");
        }
    }
}

struct Writer {
    device: DeviceId,
    sink: Arc<dyn EventSink>,
    book: AddressBook,
    queued: Arc<AtomicUsize>,
    closing: Arc<AtomicBool>,
}

impl Writer {
    async fn run(self, mut items: mpsc::UnboundedReceiver<Item>) {
        let mut batch = Vec::with_capacity(BATCH);
        while items.recv_many(&mut batch, BATCH).await > 0 {
            let mut events = Vec::new();
            let mut book = Book::default();
            let mut flushed = Vec::new();
            for item in batch.drain(..) {
                match item {
                    Item::Ours(event) => events.push(event),
                    Item::Theirs(event, client) => {
                        self.queued.fetch_sub(1, Ordering::Relaxed);
                        self.translate(&event, &client, &mut events, &mut book).await;
                    }
                    Item::Flush(done) => flushed.push(done),
                }
            }
            self.book.remember(&book.contacts).await;
            events.extend(book.into_event());
            self.write(events).await;
            for done in flushed {
                let _ = done.send(());
            }
        }
    }

    async fn translate(&self, event: &WaEvent, client: &Client, events: &mut Vec<Event>, book: &mut Book) {
        match event {
            WaEvent::Receipt(it) => events.extend(receipt::to_event(it, client).await),
            WaEvent::IncomingCall(it) => events.extend(call::to_event(it, client).await),
            WaEvent::ServerAck(it) => events.extend(late_ack(it)),
            WaEvent::MissedCall(it) => events.extend(call::missed(it, client).await),
            WaEvent::CallEndedElsewhere(it) => events.extend(call::ended_elsewhere(it, client).await),
            WaEvent::ContactUpdate(it) => {
                book.at = book.at.max(Timestamp(it.timestamp.timestamp_millis()));
                book.contacts.extend(contact::of_address_book(it));
            }
            WaEvent::Messages(it) => {
                for inbound in it {
                    let parties = Parties::of_message(&inbound.info, client).await;
                    let message = parties.and_then(|parties| incoming::to_domain(inbound, &parties));
                    events.extend(message.map(|message| Event {
                        at: message.at,
                        body: EventBody::MessageReceived(Box::new(message)),
                    }));
                }
            }
            _ => {}
        }
    }

    /// Writes the events, waiting for the database as long as that makes sense.
    async fn write(&self, events: Vec<Event>) {
        if events.is_empty() || self.persist(&events).await {
            return;
        }
        // One of them may be at fault: the others must not go with it.
        for event in &events {
            if events.len() > 1 && !self.persist(std::slice::from_ref(event)).await {
                tracing::error!("an event could not be written and is lost");
            }
        }
    }

    async fn persist(&self, events: &[Event]) -> bool {
        let mut pause = FIRST_PAUSE;
        let mut attempts = 0;
        loop {
            let Err(error) = self.sink.commit(self.device, events.to_vec()).await else {
                return true;
            };
            attempts += 1;
            let patient = error.retryable() && !self.closing.load(Ordering::Relaxed);
            if !patient && attempts >= STUBBORN_ATTEMPTS {
                tracing::error!(%error, attempts, "events could not be written");
                return false;
            }
            tracing::warn!(%error, attempts, "events could not be written; trying again");
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }
}

/// The server accepted a message for which nobody waits any more. A late refusal says nothing of an earlier
/// attempt at the same message, so what is unknown stays so.
fn late_ack(ack: &ServerAck) -> Option<Event> {
    if ack.error.is_some() {
        return None;
    }
    let at = Timestamp(ack.timestamp?.timestamp_millis());
    let progress = Progress {
        id: MessageId(ack.id.clone()),
        chat: None,
        chat_lid: None,
        status: MessageStatus::Sent,
        failure: None,
    };
    Some(Event {
        at,
        body: EventBody::MessageProgressed(progress),
    })
}

/// The address book arrives entry by entry; it is recorded in one event per batch.
#[derive(Default)]
struct Book {
    contacts: Vec<Contact>,
    at: Timestamp,
}

impl Book {
    fn into_event(self) -> Option<Event> {
        if self.contacts.is_empty() {
            return None;
        }
        Some(Event {
            at: self.at,
            body: EventBody::ContactsChanged(self.contacts),
        })
    }
}

/// Commits a batch of messages, waiting for a database that is away: what comes later in the conversation waits
/// as well, and the order stays. Says what went wrong when it stays away for minutes, or refuses the batch.
pub(crate) async fn commit_patiently(
    sink: &dyn EventSink,
    device: DeviceId,
    events: Vec<Event>,
) -> Result<()> {
    let mut pause = FIRST_PAUSE;
    let mut waited = Duration::ZERO;
    let mut attempts = 0;
    loop {
        let error = match sink.commit(device, events.clone()).await {
            Ok(()) => return Ok(()),
            Err(error) => error,
        };
        attempts += 1;
        let worth_it = if error.retryable() {
            waited < COMMIT_PATIENCE
        } else {
            attempts < STUBBORN_ATTEMPTS
        };
        if !worth_it {
            return Err(error);
        }
        tracing::warn!(%error, "messages could not be written; trying again");
        tokio::time::sleep(pause).await;
        waited += pause;
        pause = (2 * pause).min(LONGEST_COMMIT_PAUSE);
    }
}

#[cfg(test)]
mod tests;
