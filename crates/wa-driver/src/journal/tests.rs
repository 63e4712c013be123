//! A database that is away, and one that refuses.

use std::sync::Mutex;

use async_trait::async_trait;
use ulid::Ulid;
use wagate_domain::Error;
use wagate_domain::model::Typing;
use wagate_domain::testing::MemoryStore;

use super::*;

/// Fails as told, then records.
struct Sink {
    failures: Mutex<Vec<Error>>,
    poison: Option<EventBody>,
    written: Mutex<Vec<EventBody>>,
}

impl Sink {
    fn new(failures: Vec<Error>, poison: Option<EventBody>) -> Arc<Self> {
        Arc::new(Self {
            failures: Mutex::new(failures),
            poison,
            written: Mutex::default(),
        })
    }

    fn written(&self) -> Vec<EventBody> {
        self.written.lock().unwrap().clone()
    }
}

#[async_trait]
impl EventSink for Sink {
    fn typing(&self, _device: DeviceId, _typing: Typing) {}

    async fn commit(&self, _device: DeviceId, events: Vec<Event>) -> Result<()> {
        if let Some(error) = self.failures.lock().unwrap().pop() {
            return Err(error);
        }
        if events
            .iter()
            .any(|event| Some(&event.body) == self.poison.as_ref())
        {
            return Err(Error::internal("refused for good"));
        }
        self.written
            .lock()
            .unwrap()
            .extend(events.into_iter().map(|event| event.body));
        Ok(())
    }
}

fn start(sink: Arc<Sink>) -> Journal {
    let device = DeviceId::new(Ulid::from_parts(1, 1));
    let book = AddressBook::new(device, Arc::new(MemoryStore::new()));
    let (journal, task) = Journal::start(device, sink, book);
    tokio::spawn(task);
    journal
}

#[tokio::test(start_paused = true)]
async fn what_the_session_reports_survives_a_database_that_is_away() {
    let away = || Error::unavailable("database", "away");
    let sink = Sink::new((0..40).map(|_| away()).collect(), None);
    let journal = start(sink.clone());
    journal.report(Timestamp(1), EventBody::Connected);
    journal.report(Timestamp(2), EventBody::Disconnected);
    while sink.written().len() < 2 {
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    assert_eq!(sink.written(), [EventBody::Connected, EventBody::Disconnected]);
}

#[tokio::test(start_paused = true)]
async fn one_event_that_cannot_be_written_takes_no_other_with_it() {
    let sink = Sink::new(vec![], Some(EventBody::Disconnected));
    let journal = start(sink.clone());
    journal.report(Timestamp(1), EventBody::Connected);
    journal.report(Timestamp(2), EventBody::Disconnected);
    journal.report(Timestamp(3), EventBody::Connected);
    journal.flush(Duration::from_mins(5)).await;
    assert_eq!(sink.written(), [EventBody::Connected, EventBody::Connected]);
}

#[tokio::test(start_paused = true)]
async fn messages_get_minutes_and_then_the_truth() {
    let away = || Error::unavailable("database", "away");
    let sink = Sink::new(vec![away(), away()], None);
    let device = DeviceId::new(Ulid::from_parts(1, 1));
    let events = vec![Event {
        at: Timestamp(1),
        body: EventBody::Connected,
    }];
    commit_patiently(&*sink, device, events.clone()).await.unwrap();
    let sink = Sink::new((0..200).map(|_| away()).collect(), None);
    assert!(commit_patiently(&*sink, device, events).await.is_err());
    assert!(sink.written().is_empty());
}
