//! The queue of deliveries. Of each endpoint only the next pending delivery has a due time; settling it
//! for good gives one to its successor. So the queue is as short as there are endpoints, however long
//! the backlog, and a lease is nothing but a later due time.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use diesel::prelude::*;
use wagate_domain::model::{Delivery, DeliveryId, DeliveryOutcome, DeviceId, Secret, Timestamp, WebhookId};
use wagate_domain::ports::{DeliveryQueue, NewEvent};
use wagate_domain::{Error, Result};

use crate::dialect::{Conn, MAX_BINDS};
use crate::error::{Failure, stored};
use crate::pool::Database;
use crate::schema::{deliveries, webhooks};

/// [`DeliveryQueue`] in a database.
pub struct SqlDeliveries {
    pub(crate) database: Database,
}

impl std::fmt::Debug for SqlDeliveries {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SqlDeliveries")
    }
}

/// How a delivery stands. The numbers are stored: never reuse one.
#[derive(Clone, Copy)]
#[repr(i32)]
enum Standing {
    Pending = 0,
    Delivered = 1,
    Dead = 2,
}

impl Standing {
    fn code(self) -> i32 {
        self as i32
    }
}

#[derive(Insertable)]
#[diesel(table_name = deliveries, treat_none_as_default_value = false)]
struct NewDeliveryRow<'a> {
    id: String,
    event_id: String,
    webhook_id: String,
    device_id: &'a str,
    status: i32,
    due_at: Option<i64>,
    attempts: i32,
    body: &'a [u8],
    created_at: i64,
}

/// Values that a [`NewDeliveryRow`] binds.
const NEW_COLUMNS: usize = 9;

/// Most deliveries in one reservation: their ids must fit into one statement.
const MAX_RESERVED: u32 = 10_000;

#[derive(Queryable)]
struct DeliveryRow {
    id: String,
    event_id: String,
    webhook_id: String,
    device_id: String,
    url: String,
    secret: String,
    body: Vec<u8>,
    attempts: i32,
    created_at: i64,
}

impl TryFrom<DeliveryRow> for Delivery {
    type Error = Error;

    fn try_from(row: DeliveryRow) -> Result<Self> {
        Ok(Self {
            id: stored(&row.id)?,
            event: stored(&row.event_id)?,
            webhook: stored(&row.webhook_id)?,
            device: stored(&row.device_id)?,
            url: row.url,
            secret: Secret::new(row.secret),
            body: Bytes::from(row.body),
            attempts: u32::try_from(row.attempts).unwrap_or(0),
            created_at: Timestamp(row.created_at),
        })
    }
}

/// Queues the deliveries of new events to those endpoints that still exist.
pub(crate) fn queue(conn: &mut Conn<'_>, device: DeviceId, events: &[NewEvent]) -> Result<(), Failure> {
    if events.iter().all(|event| event.deliveries.is_empty()) {
        return Ok(());
    }
    let device = device.to_string();
    let mut busy: BTreeMap<WebhookId, Option<bool>> = BTreeMap::new();
    let mut rows = Vec::new();
    for event in events {
        for new in &event.deliveries {
            let known = match busy.get(&new.webhook) {
                Some(known) => *known,
                None => standing(conn, new.webhook)?,
            };
            busy.insert(new.webhook, known.map(|_| true));
            let Some(waits) = known else { continue };
            rows.push(NewDeliveryRow {
                id: new.id.to_string(),
                event_id: event.id.to_string(),
                webhook_id: new.webhook.to_string(),
                device_id: &device,
                status: Standing::Pending.code(),
                due_at: (!waits).then_some(event.recorded_at.0),
                attempts: 0,
                body: &new.body,
                created_at: event.recorded_at.0,
            });
        }
    }
    for some in rows.chunks(MAX_BINDS / NEW_COLUMNS) {
        on!(conn, c => diesel::insert_into(deliveries::table).values(some).execute(c)?);
    }
    Ok(())
}

/// Whether the endpoint has something pending; `None` when it does not exist.
fn standing(conn: &mut Conn<'_>, webhook: WebhookId) -> Result<Option<bool>, Failure> {
    let id = webhook.to_string();
    let found: Option<String> =
        on!(conn, c => webhooks::table.find(&id).select(webhooks::id).first(c).optional()?);
    if found.is_none() {
        return Ok(None);
    }
    Ok(Some(next_pending(conn, &id)?.is_some()))
}

fn next_pending(conn: &mut Conn<'_>, webhook: &str) -> Result<Option<String>, Failure> {
    let pending = deliveries::table
        .filter(deliveries::webhook_id.eq(webhook))
        .filter(deliveries::status.eq(Standing::Pending.code()))
        .order(deliveries::id)
        .select(deliveries::id);
    Ok(on!(conn, c => pending.first(c).optional()?))
}

/// The ids of what is due, oldest first. Sorted here: asked for the lowest ids, SQLite walks the primary
/// key through the whole backlog.
fn due(conn: &mut Conn<'_>, now: Timestamp, limit: u32) -> Result<Vec<String>, Failure> {
    let due = deliveries::table
        .filter(deliveries::due_at.le(now.0))
        .select(deliveries::id);
    let mut ids: Vec<String> = on!(conn, c => due.load(c)?);
    ids.sort_unstable();
    ids.truncate(limit.min(MAX_RESERVED) as usize);
    Ok(ids)
}

fn reserve(
    conn: &mut Conn<'_>,
    now: Timestamp,
    until: Timestamp,
    limit: u32,
) -> Result<Vec<Delivery>, Failure> {
    let ids = due(conn, now, limit)?;
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let taken = deliveries::table.filter(deliveries::id.eq_any(&ids));
    on!(conn, c => diesel::update(taken).set(deliveries::due_at.eq(until.0)).execute(c)?);
    let whole = deliveries::table
        .inner_join(webhooks::table)
        .filter(deliveries::id.eq_any(&ids))
        .select((
            deliveries::id,
            deliveries::event_id,
            deliveries::webhook_id,
            deliveries::device_id,
            webhooks::url,
            webhooks::secret,
            deliveries::body,
            deliveries::attempts,
            deliveries::created_at,
        ));
    let mut rows: Vec<DeliveryRow> = on!(conn, c => whole.load(c)?);
    rows.sort_unstable_by(|a, b| a.id.cmp(&b.id));
    Ok(rows.into_iter().map(Delivery::try_from).collect::<Result<_>>()?)
}

#[derive(AsChangeset)]
#[diesel(table_name = deliveries, treat_none_as_null = true)]
struct Settlement {
    status: i32,
    due_at: Option<i64>,
    http_status: Option<i32>,
    error: Option<String>,
    settled_at: Option<i64>,
}

impl Settlement {
    fn new(outcome: DeliveryOutcome, now: Timestamp) -> Self {
        let (standing, due_at, http_status, error) = match outcome {
            DeliveryOutcome::Delivered { status } => (Standing::Delivered, None, Some(status.into()), None),
            DeliveryOutcome::Retry { at, error } => (Standing::Pending, Some(at.0), None, Some(error)),
            DeliveryOutcome::Dead { error } => (Standing::Dead, None, None, Some(error)),
        };
        Self {
            status: standing.code(),
            due_at,
            http_status,
            error,
            settled_at: Some(now.0),
        }
    }
}

fn settle(
    conn: &mut Conn<'_>,
    id: DeliveryId,
    outcome: DeliveryOutcome,
    now: Timestamp,
) -> Result<(), Failure> {
    let settled = Settlement::new(outcome, now);
    let pending = deliveries::table
        .filter(deliveries::id.eq(id.to_string()))
        .filter(deliveries::status.eq(Standing::Pending.code()));
    let webhook: Option<String> = on!(conn, c => {
        diesel::update(pending)
            .set((&settled, deliveries::attempts.eq(deliveries::attempts + 1)))
            .returning(deliveries::webhook_id)
            .get_result(c)
            .optional()?
    });
    let over = settled.due_at.is_none();
    if let Some(webhook) = webhook.filter(|_| over)
        && let Some(next) = next_pending(conn, &webhook)?
    {
        let waiting = deliveries::table.find(next).filter(deliveries::due_at.is_null());
        on!(conn, c => diesel::update(waiting).set(deliveries::due_at.eq(now.0)).execute(c)?);
    }
    Ok(())
}

#[async_trait]
impl DeliveryQueue for SqlDeliveries {
    async fn reserve(&self, now: Timestamp, lease: Duration, limit: u32) -> Result<Vec<Delivery>> {
        self.database
            .write(move |conn| reserve(conn, now, now + lease, limit))
            .await
    }

    async fn settle(&self, id: DeliveryId, outcome: DeliveryOutcome, now: Timestamp) -> Result<()> {
        self.database
            .write(move |conn| settle(conn, id, outcome, now))
            .await
    }

    async fn next_due(&self) -> Result<Option<Timestamp>> {
        let earliest = |conn: &mut Conn<'_>| {
            let due = deliveries::table.filter(deliveries::due_at.is_not_null());
            let earliest: Option<i64> =
                on!(conn, c => due.select(diesel::dsl::min(deliveries::due_at)).first(c)?);
            Ok(earliest.map(Timestamp))
        };
        self.database.run(earliest).await
    }
}
