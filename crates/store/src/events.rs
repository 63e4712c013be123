//! The log of events: recording them (how: `recording.rs`), and reading them back in the order in which they
//! were recorded.

use async_trait::async_trait;
use bytes::Bytes;
use diesel::prelude::*;
use wagate_domain::Result;
use wagate_domain::model::{CursorPage, CursorQuery, EventId, Timestamp};
use wagate_domain::ports::{EventBatch, EventQuery, EventStore, Recorded, StoredEvent};

use crate::dialect::Conn;
use crate::error::{Failure, stored};
use crate::page::page;
use crate::pool::Database;
use crate::schema::{counters, deliveries, events};

/// [`EventStore`] in a database.
pub struct SqlEvents {
    pub(crate) database: Database,
}

impl std::fmt::Debug for SqlEvents {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SqlEvents")
    }
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
        self.database.record(batch).await
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
            .write_apart(move |conn| prune(conn, before, limit))
            .await
            .map(|count| count as u64)
    }
}
