//! Putting deliveries into the queue, holding them back and letting them go: what happens to them beside
//! being made.

use std::collections::{BTreeMap, BTreeSet};

use diesel::prelude::*;
use wagate_domain::model::Timestamp;
use wagate_domain::ports::{Express, Recorded};

use crate::delivery_rows::{NewDeliveryRow, ReservedRow, deliveries_of, open_endpoints};
use crate::dialect::{Conn, MAX_BINDS, without_nul};
use crate::error::Failure;
use crate::recording::New;
use crate::schema::deliveries;
use crate::seal::Sealer;
use crate::webhooks::{self, WebhookRow};

/// Values that a [`NewDeliveryRow`] binds.
const NEW_COLUMNS: usize = 14;

/// Queues the deliveries of new events to those endpoints that still exist. As many as `express` allows are
/// reserved for the caller; it and `recorded` go by batch.
pub(crate) fn queue(
    conn: &mut Conn<'_>,
    events: &[New<'_>],
    express: &mut [Express],
    sealer: &Sealer,
    recorded: &mut [Recorded],
) -> Result<(), Failure> {
    let endpoints = endpoints(conn, events)?;
    if endpoints.is_empty() {
        return Ok(());
    }
    let mut rows = Vec::new();
    let mut batches = Vec::new();
    for New {
        batch, device, event, ..
    } in events
    {
        for new in &event.deliveries {
            let webhook = new.webhook.to_string();
            if endpoints.contains_key(&webhook) {
                let lane = without_nul(&format!("{webhook}/{device}/{}", event.lane));
                rows.push(NewDeliveryRow::new(event, new, webhook, device, lane));
                batches.push(*batch);
            }
        }
    }
    let mut busy = busy_lanes(conn, &rows)?;
    let mut reserved: BTreeMap<usize, Vec<ReservedRow>> = BTreeMap::new();
    for (row, batch) in rows.iter_mut().zip(batches) {
        let Some(lane) = row.lane.clone() else { continue };
        if !busy.insert(lane) || !endpoints[&row.webhook_id].is_active() {
            continue;
        }
        let express = &mut express[batch];
        if express.limit > 0 {
            express.limit -= 1;
            row.due_at = Some((Timestamp(row.queued_at) + express.lease).0);
            row.leased = 1;
            reserved.entry(batch).or_default().push(row.as_reserved());
        } else {
            row.due_at = Some(row.queued_at);
            recorded[batch].queued = true;
        }
    }
    for some in rows.chunks(MAX_BINDS / NEW_COLUMNS) {
        on!(conn, c => diesel::insert_into(deliveries::table).values(some).execute(c)?);
    }
    if reserved.is_empty() {
        return Ok(());
    }
    let now = events
        .first()
        .map_or(Timestamp::default(), |new| new.event.recorded_at);
    let endpoints = open_endpoints(endpoints, sealer)?;
    for (batch, rows) in reserved {
        recorded[batch].express = deliveries_of(rows, &endpoints, now)?;
    }
    Ok(())
}

/// The endpoints that any of the deliveries go to, by id.
fn endpoints(conn: &mut Conn<'_>, events: &[New<'_>]) -> Result<BTreeMap<String, WebhookRow>, Failure> {
    let wanted: BTreeSet<String> = events
        .iter()
        .flat_map(|new| &new.event.deliveries)
        .map(|new| new.webhook.to_string())
        .collect();
    if wanted.is_empty() {
        return Ok(BTreeMap::new());
    }
    let wanted: Vec<String> = wanted.into_iter().collect();
    let rows = webhooks::rows(conn, &wanted)?;
    Ok(rows.into_iter().map(|row| (row.id.clone(), row)).collect())
}

/// Those lanes that have something pending.
fn busy_lanes(conn: &mut Conn<'_>, rows: &[NewDeliveryRow<'_>]) -> Result<BTreeSet<String>, Failure> {
    let lanes: BTreeSet<&String> = rows.iter().filter_map(|row| row.lane.as_ref()).collect();
    let lanes: Vec<&String> = lanes.into_iter().collect();
    let mut busy = BTreeSet::new();
    for some in lanes.chunks(MAX_BINDS) {
        let pending = deliveries::table
            .filter(deliveries::lane.eq_any(some))
            .select(deliveries::lane.assume_not_null())
            .distinct();
        let found: Vec<String> = on!(conn, c => pending.load(c)?);
        busy.extend(found);
    }
    Ok(busy)
}

/// What is next in each of these lanes: the oldest that is pending, by lane.
pub(crate) fn heads(conn: &mut Conn<'_>, lanes: &[String]) -> Result<Vec<String>, Failure> {
    let mut found = Vec::new();
    for some in lanes.chunks(MAX_BINDS) {
        let oldest = deliveries::table
            .filter(deliveries::lane.eq_any(some))
            .group_by(deliveries::lane)
            .select(diesel::dsl::min(deliveries::id));
        let heads: Vec<Option<String>> = on!(conn, c => oldest.load(c)?);
        found.extend(heads.into_iter().flatten());
    }
    Ok(found)
}

/// Lets nothing of the endpoint be handed out; what is under way stays so.
pub(crate) fn hold(conn: &mut Conn<'_>, webhook: &str) -> Result<(), Failure> {
    let waiting = deliveries::table
        .filter(deliveries::webhook_id.eq(webhook))
        .filter(deliveries::settled_at.is_null())
        .filter(deliveries::due_at.is_not_null())
        .filter(deliveries::leased.eq(0));
    on!(conn, c => diesel::update(waiting).set(deliveries::due_at.eq(None::<i64>)).execute(c)?);
    Ok(())
}

/// Lets the oldest of every lane of the endpoint be handed out, and what stands aside.
pub(crate) fn release(conn: &mut Conn<'_>, webhook: &str, now: Timestamp) -> Result<(), Failure> {
    let lanes = deliveries::table
        .filter(deliveries::webhook_id.eq(webhook))
        .filter(deliveries::settled_at.is_null())
        .filter(deliveries::lane.is_not_null())
        .select(deliveries::lane.assume_not_null())
        .distinct();
    let lanes: Vec<String> = on!(conn, c => lanes.load(c)?);
    for some in heads(conn, &lanes)?.chunks(MAX_BINDS - 1) {
        let heads = deliveries::table
            .filter(deliveries::id.eq_any(some))
            .filter(deliveries::due_at.is_null());
        on!(conn, c => diesel::update(heads).set(deliveries::due_at.eq(now.0)).execute(c)?);
    }
    let aside = deliveries::table
        .filter(deliveries::webhook_id.eq(webhook))
        .filter(deliveries::settled_at.is_null())
        .filter(deliveries::lane.is_null())
        .filter(deliveries::due_at.is_null());
    on!(conn, c => diesel::update(aside).set(deliveries::due_at.eq(now.0)).execute(c)?);
    Ok(())
}
