//! The comparison that every story comes down to: what people wrote, and what the receiver heard.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use wa_sim::ledger::{Direction, Line};
use wagate_tests::{Received, Receiver, Simulator};

use crate::database::Database;
use crate::figures::seen;

/// A message that somebody wrote to a device.
#[derive(Debug, Clone)]
pub struct Written {
    pub id: String,
    /// Who wrote to whom; order holds within.
    pub chat: (String, String),
    pub at: Instant,
}

/// Everything that was written, in order.
#[derive(Debug, Default)]
pub struct Letters {
    pub written: Vec<Written>,
}

impl Letters {
    /// Writes one.
    pub fn write(&mut self, sim: &Simulator, from: &str, to: &str, text: &str) -> String {
        let id = sim.world.send_text(from, to, text).unwrap();
        self.written.push(Written {
            id: id.clone(),
            chat: (from.to_owned(), to.to_owned()),
            at: Instant::now(),
        });
        id
    }

    pub fn ids(&self) -> Vec<String> {
        self.written.iter().map(|letter| letter.id.clone()).collect()
    }

    /// Waits until the receiver has all of them; fails with those that are missing, and what became of them.
    pub async fn wait_all_heard(&self, sim: &Simulator, receiver: &Receiver, limit: Duration) {
        let wanted: BTreeSet<_> = self.ids().into_iter().collect();
        let heard = |got: &[Received]| {
            // Cheap while there is no hope.
            got.len() >= wanted.len() && missing(&wanted, got).is_empty()
        };
        if receiver.fits_within(limit, heard).await {
            return;
        }
        let missing = receiver.look(|got| missing(&wanted, got));
        let lines = sim.ledger.after(0, usize::MAX);
        let acknowledged = |id: &&String| lines.iter().any(|line| is_acknowledgement(line, id));
        panic!(
            "{} of {} messages did not arrive within {limit:?}; WhatsApp was told that {} of these did. The first: {:?}",
            missing.len(),
            wanted.len(),
            missing.iter().filter(acknowledged).count(),
            missing.first()
        );
    }

    /// Compares both ends; call it when all has arrived.
    pub fn compare(&self, receiver: &Receiver) -> Comparison {
        receiver.look(|got| self.compare_with(got))
    }

    fn compare_with(&self, got: &[Received]) -> Comparison {
        let mut first: BTreeMap<&str, usize> = BTreeMap::new();
        let mut hook_ids: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        let mut arrivals = 0;
        for (place, received) in got.iter().enumerate() {
            let Some(id) = message_id(received) else { continue };
            arrivals += 1;
            first.entry(id).or_insert(place);
            let hook_id = received.header("webhook-id").unwrap_or_default();
            hook_ids.entry(id).or_default().insert(hook_id);
        }
        let lost = self
            .written
            .iter()
            .filter(|letter| !first.contains_key(letter.id.as_str()));
        let mut chats: BTreeMap<_, Vec<usize>> = BTreeMap::new();
        for letter in &self.written {
            let place = first.get(letter.id.as_str()).copied();
            chats.entry(&letter.chat).or_default().extend(place);
        }
        Comparison {
            lost: lost.map(|letter| letter.id.clone()).collect(),
            repeated: arrivals - first.len(),
            twice_told: hook_ids
                .into_iter()
                .filter(|(_, ids)| ids.len() > 1)
                .map(|(id, _)| id.to_owned())
                .collect(),
            disordered: chats
                .into_iter()
                .filter(|(_, places)| !places.is_sorted())
                .map(|(chat, _)| format!("{} to {}", chat.0, chat.1))
                .collect(),
        }
    }
}

/// The differences.
#[derive(Debug, PartialEq, Eq)]
pub struct Comparison {
    /// Written and never heard.
    pub lost: Vec<String>,
    /// Arrivals beyond the first of each message.
    pub repeated: usize,
    /// Messages that came as more than one event.
    pub twice_told: Vec<String>,
    /// Chats whose first arrivals are not in order.
    pub disordered: Vec<String>,
}

impl Comparison {
    /// The differences in a line.
    pub fn tell(&self, database: Database, story: &str, written: usize) {
        seen(
            database,
            format_args!(
                "{story}: of {written} messages {} lost, {} told as two events, {} repeated, {} conversations out of order",
                self.lost.len(),
                self.twice_told.len(),
                self.repeated,
                self.disordered.len()
            ),
        );
    }

    /// Nothing is lost, nothing told as two events, every chat in order, and at most so much repeated.
    #[track_caller]
    pub fn assert_faithful(&self, most_repeated: usize) {
        assert_eq!(
            (&self.lost[..], &self.twice_told[..], &self.disordered[..]),
            (&[][..], &[][..], &[][..]),
            "lost, told as two events, out of order"
        );
        assert!(
            self.repeated <= most_repeated,
            "{} repeated deliveries, at most {most_repeated} expected",
            self.repeated
        );
    }
}

/// The id of the message that a request tells, when it tells one.
pub fn message_id(received: &Received) -> Option<&str> {
    (received.body["event"] == "message").then(|| received.body["id"].as_str())?
}

/// The messages that have not been heard.
fn missing(wanted: &BTreeSet<String>, got: &[Received]) -> Vec<String> {
    let heard: BTreeSet<_> = got.iter().filter_map(message_id).collect();
    let missing = wanted.iter().filter(|id| !heard.contains(id.as_str()));
    missing.cloned().collect()
}

/// Whether this line releases the message: an ack, or a receipt that says the same.
pub fn is_acknowledgement(line: &Line, id: &str) -> bool {
    let entry = &line.entry;
    entry.direction == Direction::FromClient
        && matches!(entry.tag.as_str(), "ack" | "receipt")
        && entry.kind.as_deref() != Some("retry")
        && entry.id.as_deref() == Some(id)
}
