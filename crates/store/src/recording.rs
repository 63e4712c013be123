//! Recording: what commits of the driver come to. Those that wait for the disk together are recorded together,
//! in as many statements as one of them takes: on a server every statement is a journey.

use std::collections::BTreeSet;

use diesel::prelude::*;
use tokio::sync::oneshot;
use wagate_domain::model::{Contact, DeviceId};
use wagate_domain::ports::{EventBatch, Express, NewEvent, Recorded};
use wagate_domain::{Error, Result};

use crate::dialect::{Conn, MAX_BINDS, without_nul};
use crate::error::{Failure, no_device, repeat};
use crate::memo::Memo;
use crate::schema::{counters, devices as device_table, events};
use crate::seal::Sealer;
use crate::writer::Job;
use crate::{chats, devices, directory, outbox, queue};

/// Most commits of the driver that are recorded together.
const MOST: usize = 100;

/// Batches that are recorded by one job of the writer, each answered for itself.
pub(crate) struct Recording {
    waiting: Vec<Waiting>,
    sealer: Sealer,
    memo: Memo,
    /// Once several of them failed together each is tried for itself.
    alone: bool,
}

/// Where a batch is answered.
pub(crate) type Answer = oneshot::Receiver<Result<Recorded>>;

struct Waiting {
    batch: EventBatch,
    reply: oneshot::Sender<Result<Recorded>>,
    end: Option<Result<Recorded>>,
}

impl Recording {
    /// The job that records this batch, and where its answer comes.
    pub(crate) fn new(batch: EventBatch, sealer: Sealer, memo: Memo) -> (Self, Answer) {
        let (reply, answer) = oneshot::channel();
        let waiting = Waiting {
            batch,
            reply,
            end: None,
        };
        let job = Self {
            waiting: vec![waiting],
            sealer,
            memo,
            alone: false,
        };
        (job, answer)
    }

    /// Takes over what the other one was to record; not when that would be too much.
    pub(crate) fn absorb(&mut self, other: &mut Self) -> bool {
        let fits = self.waiting.len() + other.waiting.len() <= MOST;
        if fits {
            self.waiting.append(&mut other.waiting);
        }
        fits
    }

    pub(crate) fn is_full(&self) -> bool {
        self.waiting.len() >= MOST
    }
}

impl Job for Recording {
    fn run(&mut self, conn: &mut Conn<'_>) -> Result<(), Failure> {
        let batches: Vec<&EventBatch> = self.waiting.iter().map(|one| &one.batch).collect();
        let ends = record(conn, &batches, &self.sealer)?;
        for (one, end) in self.waiting.iter_mut().zip(ends) {
            one.end = Some(end);
        }
        Ok(())
    }

    fn answer(self: Box<Self>, end: Result<()>) {
        if self.waiting.iter().any(|one| one.batch.device_after.is_some()) {
            self.memo.forget();
        }
        let several = self.waiting.len() > 1;
        let mut end = Some(end);
        for one in self.waiting {
            let common = match &end {
                Some(Err(error)) if several => Err(repeat(error)),
                _ => end.take().unwrap_or(Ok(())),
            };
            let own = one
                .end
                .unwrap_or_else(|| Err(Error::internal("a batch was answered before it was recorded")));
            // Whoever asked may have gone away; what is recorded stands all the same.
            let _ = one.reply.send(common.and(own));
        }
    }

    fn recording(&mut self) -> Option<&mut Recording> {
        (!self.alone).then_some(self)
    }

    fn split(self: Box<Self>) -> Result<Vec<Box<dyn Job>>, Box<dyn Job>> {
        if self.waiting.len() < 2 {
            return Err(self);
        }
        let (sealer, memo) = (self.sealer, self.memo);
        let alone = |one: Waiting| -> Box<dyn Job> {
            Box::new(Self {
                waiting: vec![one],
                sealer: sealer.clone(),
                memo: memo.clone(),
                alone: true,
            })
        };
        Ok(self.waiting.into_iter().map(alone).collect())
    }
}

/// An event that is to be recorded, and whose it is.
#[derive(Clone, Copy)]
pub(crate) struct New<'a> {
    /// Which of the batches it belongs to.
    pub batch: usize,
    pub owner: DeviceId,
    /// Its owner, as text.
    pub device: &'a str,
    pub event: &'a NewEvent,
}

/// Says of each batch what became of it.
fn record(
    conn: &mut Conn<'_>,
    batches: &[&EventBatch],
    sealer: &Sealer,
) -> Result<Vec<Result<Recorded>>, Failure> {
    let ids: Vec<String> = batches.iter().map(|batch| batch.device.to_string()).collect();
    let there = existing(conn, &ids)?;
    let of_existing = || {
        batches
            .iter()
            .zip(&ids)
            .enumerate()
            .filter(|(_, (_, id))| there.contains(*id))
    };
    let mut new = Vec::new();
    for (index, (batch, id)) in of_existing() {
        if let Some(device) = &batch.device_after {
            devices::overwrite(conn, device)?;
        }
        let own = |event| New {
            batch: index,
            owner: batch.device,
            device: id,
            event,
        };
        new.extend(batch.events.iter().map(own));
        for change in &batch.statuses {
            if outbox::raise_status(conn, batch.device, change)? {
                new.extend(change.event.iter().map(own));
            }
        }
    }
    let mut express: Vec<Express> = batches.iter().map(|batch| batch.express).collect();
    let mut recorded = vec![Recorded::default(); batches.len()];
    append(conn, new, &mut express, sealer, &mut recorded)?;
    merge_contacts(conn, of_existing().map(|(_, (batch, _))| *batch))?;
    let end = |(recorded, (batch, id)): (_, (&&EventBatch, _))| {
        if there.contains(id) {
            Ok(recorded)
        } else {
            Err(no_device(batch.device))
        }
    };
    Ok(recorded
        .into_iter()
        .zip(batches.iter().zip(&ids))
        .map(end)
        .collect())
}

/// Those devices that exist. A batch may hold nothing that hangs on its device and must fail all the same when
/// that is gone.
fn existing(conn: &mut Conn<'_>, ids: &[String]) -> Result<BTreeSet<String>, Failure> {
    let ids: BTreeSet<&String> = ids.iter().collect();
    let named = device_table::table
        .filter(device_table::id.eq_any(ids))
        .select(device_table::id);
    let found: Vec<String> = on!(conn, c => named.load(c)?);
    Ok(found.into_iter().collect())
}

/// Merges what all learned; what one of them removes it removes after its own merge, and before that of the next.
fn merge_contacts<'a>(
    conn: &mut Conn<'_>,
    batches: impl Iterator<Item = &'a EventBatch>,
) -> Result<(), Failure> {
    let mut learned: Vec<(DeviceId, &Contact)> = Vec::new();
    for batch in batches {
        learned.extend(batch.contacts.iter().map(|contact| (batch.device, contact)));
        if !batch.removed_contacts.is_empty() {
            directory::merge(conn, std::mem::take(&mut learned))?;
            directory::remove(conn, batch.device, &batch.removed_contacts)?;
        }
    }
    directory::merge(conn, learned)
}

/// Puts the events of one device into the log, as [`append`] does.
pub(crate) fn append_own(
    conn: &mut Conn<'_>,
    device: DeviceId,
    events: &[NewEvent],
    express: Express,
    sealer: &Sealer,
) -> Result<Recorded, Failure> {
    let name = device.to_string();
    let own = |event| New {
        batch: 0,
        owner: device,
        device: &name,
        event,
    };
    let new = events.iter().map(own).collect();
    let mut recorded = [Recorded::default()];
    append(conn, new, &mut [express], sealer, &mut recorded)?;
    let [recorded] = recorded;
    Ok(recorded)
}

/// Puts those events into the log that are new, and their deliveries into the queue. `express` and `recorded` go
/// by batch.
fn append(
    conn: &mut Conn<'_>,
    events: Vec<New<'_>>,
    express: &mut [Express],
    sealer: &Sealer,
    recorded: &mut [Recorded],
) -> Result<(), Failure> {
    if events.is_empty() {
        return Ok(());
    }
    let new = insert(conn, events)?;
    for one in &new {
        recorded[one.batch].events.push(one.event.id);
    }
    chats::record(
        conn,
        new.iter()
            .filter_map(|new| Some((new.owner, new.event.chat.as_ref()?))),
    )?;
    queue::queue(conn, &new, express, sealer, recorded)
}

#[derive(Insertable)]
#[diesel(table_name = events, treat_none_as_default_value = false)]
struct NewEventRow<'a> {
    id: String,
    device_id: &'a str,
    kind: &'static str,
    dedupe_key: Option<String>,
    at: i64,
    recorded_at: i64,
    data: &'a [u8],
    seq: i64,
}

/// Values that a [`NewEventRow`] binds.
const COLUMNS: usize = 8;

/// Numbers go up in the order of recording: one writer hands them out, and a reader sees a whole commit or
/// nothing of it.
fn take_numbers(conn: &mut Conn<'_>, count: usize) -> Result<i64, Failure> {
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    let last: i64 = on!(conn, c => {
        diesel::update(counters::table.find("events"))
            .set(counters::value.eq(counters::value + count))
            .returning(counters::value)
            .get_result(c)?
    });
    Ok(last - count)
}

/// Inserts what is not there yet and returns it, in order.
fn insert<'a>(conn: &mut Conn<'_>, events: Vec<New<'a>>) -> Result<Vec<New<'a>>, Failure> {
    let before = take_numbers(conn, events.len())?;
    let rows: Vec<NewEventRow<'_>> = events
        .iter()
        .zip(before + 1..)
        .map(|(New { device, event, .. }, seq)| NewEventRow {
            id: event.id.to_string(),
            device_id: device,
            kind: event.kind.as_str(),
            dedupe_key: event.dedupe_key.as_deref().map(without_nul),
            at: event.at.0,
            recorded_at: event.recorded_at.0,
            data: &event.data,
            seq,
        })
        .collect();
    let mut inserted: BTreeSet<String> = BTreeSet::new();
    for some in rows.chunks(MAX_BINDS / COLUMNS) {
        let ids: Vec<String> = on!(conn, c => {
            diesel::insert_into(events::table)
                .values(some)
                .on_conflict_do_nothing()
                .returning(events::id)
                .get_results(c)?
        });
        inserted.extend(ids);
    }
    let is_new = |new: &New<'_>| inserted.contains(&new.event.id.to_string());
    Ok(events.into_iter().filter(is_new).collect())
}
