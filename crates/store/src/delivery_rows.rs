//! Deliveries as rows, and as the worker sees them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bytes::Bytes;
use diesel::prelude::*;
use wagate_domain::Result;
use wagate_domain::model::{Delivery, Timestamp, Webhook};
use wagate_domain::ports::{NewDelivery, NewEvent};

use crate::dialect::Conn;
use crate::error::{Failure, stored};
use crate::schema::deliveries;
use crate::seal::Sealer;
use crate::webhooks::{self, WebhookRow};

/// How a delivery stands. The numbers are stored: never reuse one.
pub(crate) const PENDING: i32 = 0;
/// The receiver has it.
pub(crate) const DELIVERED: i32 = 1;
/// Given up.
pub(crate) const DEAD: i32 = 2;

#[derive(Insertable)]
#[diesel(table_name = deliveries, treat_none_as_default_value = false)]
pub(crate) struct NewDeliveryRow<'a> {
    id: String,
    event_id: String,
    pub(crate) webhook_id: String,
    device_id: &'a str,
    pub(crate) lane: Option<String>,
    status: i32,
    pub(crate) due_at: Option<i64>,
    pub(crate) leased: i32,
    attempts: i32,
    baseline: i32,
    body: &'a [u8],
    created_at: i64,
    pub(crate) queued_at: i64,
    settled_at: Option<i64>,
}

impl<'a> NewDeliveryRow<'a> {
    /// One that waits for its turn.
    pub(crate) fn new(
        event: &NewEvent,
        new: &'a NewDelivery,
        webhook_id: String,
        device_id: &'a str,
        lane: String,
    ) -> Self {
        Self {
            id: new.id.to_string(),
            event_id: event.id.to_string(),
            webhook_id,
            device_id,
            lane: Some(lane),
            status: PENDING,
            due_at: None,
            leased: 0,
            attempts: 0,
            baseline: 0,
            body: &new.body,
            created_at: event.recorded_at.0,
            queued_at: event.recorded_at.0,
            settled_at: None,
        }
    }

    pub(crate) fn as_reserved(&self) -> ReservedRow {
        ReservedRow {
            id: self.id.clone(),
            event_id: self.event_id.clone(),
            webhook_id: self.webhook_id.clone(),
            device_id: self.device_id.into(),
            body: self.body.to_vec(),
            attempts: self.attempts,
            baseline: self.baseline,
            queued_at: self.queued_at,
        }
    }
}

/// What the worker needs of a row.
#[derive(Queryable, Selectable)]
#[diesel(table_name = deliveries)]
pub(crate) struct ReservedRow {
    pub(crate) id: String,
    event_id: String,
    webhook_id: String,
    device_id: String,
    body: Vec<u8>,
    attempts: i32,
    baseline: i32,
    queued_at: i64,
}

/// Leases deliveries and reads them, in no particular order.
pub(crate) fn lease(
    conn: &mut Conn<'_>,
    ids: &[String],
    now: Timestamp,
    lease: Duration,
    sealer: &Sealer,
) -> Result<Vec<Delivery>, Failure> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let taken = deliveries::table.filter(deliveries::id.eq_any(ids));
    let leased = (
        deliveries::due_at.eq(Some((now + lease).0)),
        deliveries::leased.eq(1),
    );
    let rows: Vec<ReservedRow> = on!(conn, c => {
        diesel::update(taken)
            .set(leased)
            .returning(ReservedRow::as_returning())
            .get_results(c)?
    });
    let endpoints: BTreeSet<String> = rows.iter().map(|row| row.webhook_id.clone()).collect();
    let endpoints: Vec<String> = endpoints.into_iter().collect();
    let endpoints = webhooks::rows(conn, &endpoints)?
        .into_iter()
        .map(|row| (row.id.clone(), row))
        .collect();
    Ok(deliveries_of(rows, &open_endpoints(endpoints, sealer)?, now)?)
}

/// Endpoints with their secrets readable.
pub(crate) fn open_endpoints(
    rows: BTreeMap<String, WebhookRow>,
    sealer: &Sealer,
) -> Result<BTreeMap<String, Webhook>> {
    rows.into_iter()
        .map(|(id, row)| Ok((id, row.open(sealer)?)))
        .collect()
}

/// Rows with what their endpoints add to them.
pub(crate) fn deliveries_of(
    rows: Vec<ReservedRow>,
    endpoints: &BTreeMap<String, Webhook>,
    now: Timestamp,
) -> Result<Vec<Delivery>> {
    rows.into_iter()
        .filter_map(|row| {
            let webhook = endpoints.get(&row.webhook_id)?;
            Some(delivery(row, webhook, now))
        })
        .collect()
}

fn delivery(row: ReservedRow, webhook: &Webhook, now: Timestamp) -> Result<Delivery> {
    Ok(Delivery {
        id: stored(&row.id)?,
        event: stored(&row.event_id)?,
        webhook: webhook.id,
        device: stored(&row.device_id)?,
        url: webhook.url.clone(),
        headers: webhook.headers.clone(),
        secrets: webhook.secrets(now),
        body: Bytes::from(row.body),
        attempts: u32::try_from(row.attempts - row.baseline).unwrap_or(0),
        queued_at: Timestamp(row.queued_at),
    })
}
