//! Recording events: everything that one commit of the driver comes to, in one transaction; and reading
//! them back in the order in which they were recorded.

use std::collections::BTreeSet;

use async_trait::async_trait;
use bytes::Bytes;
use diesel::prelude::*;
use wagate_domain::Result;
use wagate_domain::model::{CursorPage, CursorQuery, DeviceId, EventId, Timestamp};
use wagate_domain::ports::{EventBatch, EventQuery, EventStore, Express, NewEvent, Recorded, StoredEvent};

use crate::dialect::{Conn, MAX_BINDS, without_nul};
use crate::error::{Failure, no_device, stored};
use crate::page::page;
use crate::pool::Database;
use crate::schema::{counters, deliveries, devices as device_table, events};
use crate::seal::Sealer;
use crate::{chats, devices, directory, outbox, queue};

/// [`EventStore`] in a database.
pub struct SqlEvents {
    pub(crate) database: Database,
}

impl std::fmt::Debug for SqlEvents {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SqlEvents")
    }
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

fn record(conn: &mut Conn<'_>, batch: EventBatch, sealer: &Sealer) -> Result<Recorded, Failure> {
    require_device(conn, batch.device)?;
    if let Some(device) = &batch.device_after {
        devices::overwrite(conn, device)?;
    }
    let mut express = batch.express;
    let mut events = batch.events;
    for change in batch.statuses {
        events.extend(outbox::raise_status(conn, batch.device, change)?);
    }
    let recorded = append(conn, batch.device, events, &mut express, sealer)?;
    directory::merge(conn, batch.device, batch.contacts)?;
    directory::remove(conn, batch.device, &batch.removed_contacts)?;
    Ok(recorded)
}

/// A batch may hold nothing that hangs on the device and must fail all the same when it is gone.
fn require_device(conn: &mut Conn<'_>, id: DeviceId) -> Result<(), Failure> {
    let found: Option<String> = on!(conn, c => {
        device_table::table.find(id.to_string()).select(device_table::id).first(c).optional()?
    });
    if found.is_some() {
        Ok(())
    } else {
        Err(no_device(id).into())
    }
}

/// Puts those events into the log that are new, and their deliveries into the queue.
pub(crate) fn append(
    conn: &mut Conn<'_>,
    device: DeviceId,
    events: Vec<NewEvent>,
    express: &mut Express,
    sealer: &Sealer,
) -> Result<Recorded, Failure> {
    let mut recorded = Recorded::default();
    if events.is_empty() {
        return Ok(recorded);
    }
    let new = insert(conn, device, events)?;
    recorded.events = new.iter().map(|event| event.id).collect();
    chats::record(
        conn,
        new.iter()
            .filter_map(|event| Some((device, event.chat.as_ref()?))),
    )?;
    queue::queue(conn, device, &new, express, sealer, &mut recorded)?;
    Ok(recorded)
}

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
fn insert(conn: &mut Conn<'_>, device: DeviceId, events: Vec<NewEvent>) -> Result<Vec<NewEvent>, Failure> {
    let before = take_numbers(conn, events.len())?;
    let device = device.to_string();
    let rows: Vec<NewEventRow<'_>> = events
        .iter()
        .zip(before + 1..)
        .map(|(event, seq)| NewEventRow {
            id: event.id.to_string(),
            device_id: &device,
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
    drop(rows);
    Ok(events
        .into_iter()
        .filter(|event| inserted.remove(&event.id.to_string()))
        .collect())
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = events)]
struct Row {
    id: String,
    kind: String,
    device_id: String,
    at: i64,
    data: Vec<u8>,
}

impl Row {
    fn stored(self) -> Result<StoredEvent> {
        Ok(StoredEvent {
            id: stored(&self.id)?,
            kind: stored(&self.kind)?,
            device: stored(&self.device_id)?,
            at: Timestamp(self.at),
            data: Bytes::from(self.data),
        })
    }
}

/// The number that what comes after this event is larger than.
fn number_of(conn: &mut Conn<'_>, after: EventId) -> Result<i64, Failure> {
    let after = after.to_string();
    let exact = events::table.find(&after).select(events::seq);
    let exact: Option<i64> = on!(conn, c => exact.first(c).optional()?);
    if let Some(exact) = exact {
        return Ok(exact);
    }
    let later = events::table
        .filter(events::id.gt(&after))
        .select(diesel::dsl::min(events::seq));
    let later: Option<i64> = on!(conn, c => later.first(c)?);
    if let Some(later) = later {
        return Ok(later - 1);
    }
    Ok(on!(conn, c => counters::table.find("events").select(counters::value).first(c)?))
}

fn list(
    conn: &mut Conn<'_>,
    filter: &EventQuery,
    query: CursorQuery<EventId>,
) -> Result<CursorPage<StoredEvent, EventId>, Failure> {
    let after = match query.after {
        Some(after) => number_of(conn, after)?,
        None => 0,
    };
    let rows: Vec<Row> = on!(conn, c => {
        let mut found = events::table
            .filter(events::seq.gt(after))
            .order(events::seq)
            .limit(i64::from(query.limit()) + 1)
            .select(Row::as_select())
            .into_boxed();
        if let Some(device) = filter.device {
            found = found.filter(events::device_id.eq(device.to_string()));
        }
        if !filter.kinds.is_empty() {
            let kinds: Vec<&str> = filter.kinds.iter().map(|kind| kind.as_str()).collect();
            found = found.filter(events::kind.eq_any(kinds));
        }
        found.load(c)?
    });
    let items = rows.into_iter().map(Row::stored).collect::<Result<Vec<_>>>()?;
    Ok(page(items, query.limit(), |event| event.id))
}

fn prune(conn: &mut Conn<'_>, before: Timestamp, limit: u32) -> Result<usize, Failure> {
    let pending = deliveries::table
        .filter(deliveries::event_id.eq(events::id))
        .filter(
            deliveries::settled_at.is_null().or(deliveries::status
                .eq(crate::delivery_rows::DEAD)
                .and(deliveries::settled_at.assume_not_null().ge(before.0))),
        );
    let old = events::table
        .filter(events::recorded_at.lt(before.0))
        .filter(diesel::dsl::not(diesel::dsl::exists(pending)))
        .order(events::recorded_at)
        .limit(limit.into())
        .select(events::id);
    let ids: Vec<String> = on!(conn, c => old.load(c)?);
    on!(conn, c => diesel::delete(events::table.filter(events::id.eq_any(&ids))).execute(c)?);
    Ok(ids.len())
}

#[async_trait]
impl EventStore for SqlEvents {
    async fn record(&self, batch: EventBatch) -> Result<Recorded> {
        let sealer = self.database.sealer().clone();
        self.database
            .write(move |conn| record(conn, batch, &sealer))
            .await
    }

    async fn list(
        &self,
        filter: &EventQuery,
        query: CursorQuery<EventId>,
    ) -> Result<CursorPage<StoredEvent, EventId>> {
        let filter = filter.clone();
        self.database
            .run(move |conn| conn.atomically(|conn| list(conn, &filter, query)))
            .await
    }

    async fn last(&self) -> Result<Option<EventId>> {
        let last = |conn: &mut Conn<'_>| {
            let last = events::table.order(events::seq.desc()).select(events::id);
            let id: Option<String> = on!(conn, c => last.first(c).optional()?);
            Ok(id.as_deref().map(stored).transpose()?)
        };
        self.database.run(last).await
    }

    async fn prune(&self, before: Timestamp, limit: u32) -> Result<u64> {
        self.database
            .write(move |conn| prune(conn, before, limit))
            .await
            .map(|count| count as u64)
    }
}
