//! The oracle: every stanza in either direction, with what was wrong about it, so that a test can count losses and
//! duplicates and can wait for a stanza instead of sleeping.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use crate::clock;

/// How many lines a ledger keeps unless told otherwise; older ones are forgotten first.
pub const DEFAULT_CAP: usize = 200_000;

/// Who sent a stanza, seen from the simulator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    FromClient,
    ToClient,
}

/// One stanza, ack or broken rule, as its observer saw it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Entry {
    pub direction: Direction,
    /// JID of the device, or a word such as `unpaired` before it has one.
    pub device: String,
    /// Tag of the stanza: `message`, `receipt`, `iq`, …
    pub tag: String,
    pub id: Option<String>,
    /// The stanza's `type` or, for an `iq`, its namespace.
    pub kind: Option<String>,
    pub summary: String,
    /// What the client did wrong; absent when all was well.
    pub violation: Option<String>,
}

/// An [`Entry`] with its place and time in the ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Line {
    /// Counts from 1 without gaps.
    pub seq: u64,
    /// Unix milliseconds.
    pub at: u64,
    #[serde(flatten)]
    pub entry: Entry,
}

#[derive(Debug, Default)]
struct Lines {
    kept: VecDeque<Line>,
    /// Kept apart, so that a long run never forgets a violation.
    violations: Vec<Line>,
    last: u64,
}

/// Append-only journal with a cursor.
#[derive(Debug)]
pub struct Ledger {
    lines: Mutex<Lines>,
    cap: usize,
    last: watch::Sender<u64>,
}

impl Default for Ledger {
    fn default() -> Self {
        Self::new(DEFAULT_CAP)
    }
}

impl Ledger {
    /// A ledger that keeps the last `cap` lines.
    pub fn new(cap: usize) -> Self {
        Self {
            lines: Mutex::default(),
            cap: cap.max(1),
            last: watch::channel(0).0,
        }
    }

    /// Writes one line and returns its number.
    pub fn record(&self, entry: Entry) -> u64 {
        let mut lines = self.lines();
        lines.last += 1;
        let line = Line {
            seq: lines.last,
            at: clock::now_ms(),
            entry,
        };
        let seq = line.seq;
        if line.entry.violation.is_some() {
            lines.violations.push(line.clone());
        }
        if lines.kept.len() == self.cap {
            lines.kept.pop_front();
        }
        lines.kept.push_back(line);
        drop(lines);
        self.last.send_if_modified(|last| {
            // Two writers may arrive here in either order; the number only grows.
            let grown = seq > *last;
            *last = seq.max(*last);
            grown
        });
        seq
    }

    /// Up to `limit` lines with a number above `seq`, oldest first.
    pub fn after(&self, seq: u64, limit: usize) -> Vec<Line> {
        let lines = self.lines();
        let start = lines.kept.partition_point(|line| line.seq <= seq);
        lines.kept.iter().skip(start).take(limit).cloned().collect()
    }

    /// Every line that names a broken rule; empty after a well-behaved run.
    pub fn violations(&self) -> Vec<Line> {
        self.lines().violations.clone()
    }

    /// Number of the newest line, 0 before the first.
    pub fn last_seq(&self) -> u64 {
        self.lines().last
    }

    /// Changes with every line; holds the number of the newest.
    pub fn changed(&self) -> watch::Receiver<u64> {
        self.last.subscribe()
    }

    /// The first kept line that fits, old or new; `None` once `timeout` has passed without one.
    pub async fn wait_for(&self, predicate: impl Fn(&Line) -> bool, timeout: Duration) -> Option<Line> {
        self.wait_for_after(0, predicate, timeout).await
    }

    /// As [`Ledger::wait_for`], but looks only at lines numbered above `seq`.
    pub async fn wait_for_after(
        &self,
        seq: u64,
        predicate: impl Fn(&Line) -> bool,
        timeout: Duration,
    ) -> Option<Line> {
        let mut changed = self.changed();
        let search = async {
            let mut seen = seq;
            loop {
                changed.borrow_and_update();
                let fresh = self.after(seen, usize::MAX);
                seen = fresh.last().map_or(seen, |line| line.seq);
                if let Some(line) = fresh.into_iter().find(&predicate) {
                    return Some(line);
                }
                changed.changed().await.ok()?;
            }
        };
        tokio::time::timeout(timeout, search).await.ok().flatten()
    }

    fn lines(&self) -> MutexGuard<'_, Lines> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(tag: &str, violation: Option<&str>) -> Entry {
        Entry {
            direction: Direction::FromClient,
            device: "1:33@s.whatsapp.net".into(),
            tag: tag.into(),
            id: None,
            kind: None,
            summary: String::new(),
            violation: violation.map(Into::into),
        }
    }

    #[test]
    fn the_cursor_walks_every_line_once() {
        let ledger = Ledger::default();
        for _ in 0..5 {
            ledger.record(entry("message", None));
        }
        let first = ledger.after(0, 3);
        assert_eq!(first.iter().map(|line| line.seq).collect::<Vec<_>>(), [1, 2, 3]);
        let rest = ledger.after(3, 100);
        assert_eq!(rest.iter().map(|line| line.seq).collect::<Vec<_>>(), [4, 5]);
        assert!(ledger.after(5, 100).is_empty());
    }

    #[test]
    fn the_cap_forgets_the_oldest_but_never_a_violation() {
        let ledger = Ledger::new(2);
        ledger.record(entry("iq", Some("unknown namespace")));
        ledger.record(entry("ack", None));
        ledger.record(entry("ack", None));
        assert_eq!(
            ledger
                .after(0, 10)
                .iter()
                .map(|line| line.seq)
                .collect::<Vec<_>>(),
            [2, 3]
        );
        assert_eq!(ledger.violations().len(), 1);
        assert_eq!(ledger.last_seq(), 3);
    }

    #[tokio::test]
    async fn a_waiter_sees_old_and_new_lines_and_gives_up_in_time() {
        let ledger = std::sync::Arc::new(Ledger::default());
        ledger.record(entry("message", None));
        let old = ledger
            .wait_for(|line| line.entry.tag == "message", Duration::from_secs(5))
            .await;
        assert_eq!(old.map(|line| line.seq), Some(1));

        let waiting = tokio::spawn({
            let ledger = ledger.clone();
            async move {
                ledger
                    .wait_for(|line| line.entry.tag == "receipt", Duration::from_secs(5))
                    .await
            }
        });
        ledger.record(entry("receipt", None));
        assert_eq!(waiting.await.unwrap().map(|line| line.seq), Some(2));

        let never = ledger
            .wait_for(|line| line.entry.tag == "call", Duration::from_millis(1))
            .await;
        assert_eq!(never, None);
    }
}
