//! Deliveries, looked at and asked for again.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use diesel::dsl::sql;
use diesel::expression::SqlLiteral;
use diesel::prelude::*;
use diesel::sql_types::Bool;
use wagate_domain::Result;
use wagate_domain::model::{
    Attempt, CursorPage, CursorQuery, DeliveryCounts, DeliveryFilter, DeliveryId, DeliveryStanding, Replay,
    Replayed, StoredDelivery, Timestamp, WebhookId,
};
use wagate_domain::ports::DeliveryLog;

use crate::delivery_rows::{DEAD, DELIVERED};
use crate::dialect::Conn;
use crate::error::{Failure, stored};
use crate::page::page;
use crate::pool::Database;
use crate::replays::{replay, replay_some, replays_pending, undo_some};
use crate::schema::{attempts, deliveries, events};

/// [`DeliveryLog`] in a database.
pub struct SqlDeliveryLog {
    pub(crate) database: Database,
}

impl std::fmt::Debug for SqlDeliveryLog {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SqlDeliveryLog")
    }
}

/// Most attempts that are shown of one delivery.
const MAX_ATTEMPTS: i64 = 100;
fn standing(status: i32) -> DeliveryStanding {
    match status {
        DELIVERED => DeliveryStanding::Delivered,
        DEAD => DeliveryStanding::Dead,
        _ => DeliveryStanding::Pending,
    }
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = deliveries)]
struct Row {
    id: String,
    event_id: String,
    webhook_id: String,
    device_id: String,
    status: i32,
    attempts: i32,
    due_at: Option<i64>,
    error: Option<String>,
    created_at: i64,
    settled_at: Option<i64>,
    body: Vec<u8>,
}

impl Row {
    fn stored(self, kind: &str) -> Result<StoredDelivery> {
        Ok(StoredDelivery {
            id: stored(&self.id)?,
            event: stored(&self.event_id)?,
            kind: stored(kind)?,
            webhook: stored(&self.webhook_id)?,
            device: stored(&self.device_id)?,
            standing: standing(self.status),
            attempts: u32::try_from(self.attempts).unwrap_or(0),
            due_at: self.due_at.map(Timestamp),
            error: self.error,
            created_at: Timestamp(self.created_at),
            settled_at: self.settled_at.map(Timestamp),
            body: Bytes::from(self.body),
        })
    }
}

/// Written out, because a partial index serves no bound value.
fn is_dead() -> SqlLiteral<Bool> {
    sql("deliveries.status = 2")
}

fn list(
    conn: &mut Conn<'_>,
    filter: &DeliveryFilter,
    query: CursorQuery<DeliveryId>,
) -> Result<CursorPage<StoredDelivery, DeliveryId>, Failure> {
    let rows: Vec<(Row, String)> = on!(conn, c => {
        let mut found = deliveries::table
            .inner_join(events::table)
            .select((Row::as_select(), events::kind))
            .order(deliveries::id.desc())
            .limit(i64::from(query.limit()) + 1)
            .into_boxed();
        if let Some(after) = query.after {
            found = found.filter(deliveries::id.lt(after.to_string()));
        }
        if let Some(webhook) = filter.webhook {
            found = found.filter(deliveries::webhook_id.eq(webhook.to_string()));
        }
        if let Some(event) = filter.event {
            found = found.filter(deliveries::event_id.eq(event.to_string()));
        }
        if let Some(device) = filter.device {
            found = found.filter(deliveries::device_id.eq(device.to_string()));
        }
        found = match filter.standing {
            Some(DeliveryStanding::Pending) => found.filter(deliveries::settled_at.is_null()),
            Some(DeliveryStanding::Dead) => found.filter(is_dead()),
            Some(DeliveryStanding::Delivered) => found.filter(deliveries::status.eq(DELIVERED)),
            None => found,
        };
        found.load(c)?
    });
    let items = rows
        .into_iter()
        .map(|(row, kind)| row.stored(&kind))
        .collect::<Result<Vec<_>>>()?;
    Ok(page(items, query.limit(), |delivery| delivery.id))
}

fn counts(conn: &mut Conn<'_>) -> Result<DeliveryCounts, Failure> {
    let pending = deliveries::table.filter(deliveries::settled_at.is_null()).count();
    let dead = deliveries::table.filter(is_dead()).count();
    let (pending, dead): (i64, i64) = on!(conn, c => (pending.get_result(c)?, dead.get_result(c)?));
    Ok(DeliveryCounts {
        pending: u64::try_from(pending).unwrap_or(0),
        dead: u64::try_from(dead).unwrap_or(0),
    })
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = attempts)]
struct AttemptRow {
    at: i64,
    took_ms: i64,
    status: Option<i32>,
    error: Option<String>,
    request_head: String,
    response_head: String,
    response_body: Vec<u8>,
}

impl From<AttemptRow> for Attempt {
    fn from(row: AttemptRow) -> Self {
        Self {
            at: Timestamp(row.at),
            took: Duration::from_millis(u64::try_from(row.took_ms).unwrap_or(0)),
            status: row.status.and_then(|status| u16::try_from(status).ok()),
            error: row.error,
            request_head: row.request_head,
            response_head: row.response_head,
            response_body: Bytes::from(row.response_body),
        }
    }
}

#[async_trait]
impl DeliveryLog for SqlDeliveryLog {
    async fn list(
        &self,
        filter: &DeliveryFilter,
        query: CursorQuery<DeliveryId>,
    ) -> Result<CursorPage<StoredDelivery, DeliveryId>> {
        let filter = filter.clone();
        self.database.run(move |conn| list(conn, &filter, query)).await
    }

    async fn counts(&self) -> Result<DeliveryCounts> {
        self.database.run(|conn| conn.atomically(counts)).await
    }

    async fn get(&self, id: DeliveryId) -> Result<Option<StoredDelivery>> {
        let get = move |conn: &mut Conn<'_>| {
            let one = deliveries::table
                .inner_join(events::table)
                .filter(deliveries::id.eq(id.to_string()));
            let row: Option<(Row, String)> =
                on!(conn, c => one.select((Row::as_select(), events::kind)).first(c).optional()?);
            Ok(row.map(|(row, kind)| row.stored(&kind)).transpose()?)
        };
        self.database.run(get).await
    }

    async fn attempts(&self, id: DeliveryId) -> Result<Vec<Attempt>> {
        let attempts = move |conn: &mut Conn<'_>| {
            let last = attempts::table
                .filter(attempts::delivery_id.eq(id.to_string()))
                .order(attempts::number.desc())
                .limit(MAX_ATTEMPTS);
            let rows: Vec<AttemptRow> = on!(conn, c => last.select(AttemptRow::as_select()).load(c)?);
            Ok(rows.into_iter().rev().map(Attempt::from).collect())
        };
        self.database.run(attempts).await
    }

    async fn replay(&self, id: DeliveryId, now: Timestamp) -> Result<()> {
        self.database.write_apart(move |conn| replay(conn, id, now)).await
    }

    async fn replay_many(&self, webhook: WebhookId, which: Replay, now: Timestamp) -> Result<u64> {
        if which.standing == DeliveryStanding::Pending {
            return Ok(0);
        }
        let mut count = 0;
        loop {
            let step = self
                .database
                .write_apart(move |conn| replay_some(conn, &webhook.to_string(), which, now))
                .await?;
            if step == 0 {
                return Ok(count);
            }
            count += step as u64;
        }
    }

    async fn replays_pending(&self, replayed: Replayed) -> Result<u64> {
        self.database
            .run(move |conn| replays_pending(conn, replayed))
            .await
    }

    async fn undo_replay(&self, replayed: Replayed, now: Timestamp) -> Result<u64> {
        if replayed.standing == DeliveryStanding::Pending {
            return Ok(0);
        }
        let mut count = 0;
        loop {
            let step = self
                .database
                .write_apart(move |conn| undo_some(conn, replayed, now))
                .await?;
            if step == 0 {
                return Ok(count);
            }
            count += step as u64;
        }
    }
}
