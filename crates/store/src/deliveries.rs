//! The queue of deliveries. Only what is next in its lane has a due time; settling it for good gives one to
//! its successor. So the search for what is due is as short as there are lanes, however long the backlog,
//! and a lease is nothing but a later due time.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use async_trait::async_trait;
use diesel::prelude::*;
use wagate_domain::Result;
use wagate_domain::model::{Delivery, Settlement, Timestamp, WebhookId};
use wagate_domain::ports::{DeliveryQueue, Reservation, Settled};

use crate::delivery_rows::lease;
use crate::dialect::{Conn, MAX_BINDS};
use crate::error::Failure;
use crate::pool::Database;
use crate::schema::deliveries;
use crate::seal::Sealer;
use crate::settling::settle;

/// [`DeliveryQueue`] in a database.
pub struct SqlDeliveries {
    pub(crate) database: Database,
}

impl std::fmt::Debug for SqlDeliveries {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SqlDeliveries")
    }
}

/// Most deliveries in one reservation: their ids must fit into one statement.
const MAX_RESERVED: u32 = 10_000;
/// Due deliveries that are looked at in one round of sharing out.
const LOOK: i64 = 1_000;

/// The ids of what is due, those first that were due first, so many of one endpoint.
fn due(conn: &mut Conn<'_>, reservation: &Reservation) -> Result<Vec<String>, Failure> {
    let limit = reservation.limit.min(MAX_RESERVED) as usize;
    let mut busy: BTreeSet<String> = reservation.busy.iter().map(ToString::to_string).collect();
    let mut counts: BTreeMap<String, u32> = BTreeMap::new();
    let mut chosen: Vec<String> = Vec::new();
    let mut last = (i64::MIN, String::new());
    while chosen.len() < limit && busy.len() < MAX_BINDS / 2 {
        let full: Vec<&String> = busy.iter().collect();
        let (at, id) = &last;
        let later = deliveries::due_at.assume_not_null().gt(at).or(deliveries::due_at
            .assume_not_null()
            .eq(at)
            .and(deliveries::id.gt(id)));
        let next = deliveries::table
            .filter(deliveries::due_at.is_not_null())
            .filter(deliveries::due_at.assume_not_null().le(reservation.now.0))
            .filter(deliveries::webhook_id.ne_all(full))
            .filter(later)
            .order((deliveries::due_at, deliveries::id))
            .limit(LOOK)
            .select((
                deliveries::due_at.assume_not_null(),
                deliveries::id,
                deliveries::webhook_id,
            ));
        let rows: Vec<(i64, String, String)> = on!(conn, c => next.load(c)?);
        let ended = rows.len() < usize::try_from(LOOK).unwrap_or(usize::MAX);
        for (at, id, webhook) in rows {
            last = (at, id.clone());
            let count = counts.entry(webhook.clone()).or_default();
            if *count >= reservation.per_webhook {
                busy.insert(webhook);
            } else if chosen.len() < limit {
                *count += 1;
                chosen.push(id);
            }
        }
        if ended {
            break;
        }
    }
    Ok(chosen)
}

fn reserve(
    conn: &mut Conn<'_>,
    reservation: &Reservation,
    sealer: &Sealer,
) -> Result<Vec<Delivery>, Failure> {
    if reservation.limit == 0 || reservation.per_webhook == 0 {
        return Ok(Vec::new());
    }
    let ids = due(conn, reservation)?;
    let order: BTreeMap<&String, usize> = ids.iter().enumerate().map(|(n, id)| (id, n)).collect();
    let mut reserved = lease(conn, &ids, reservation.now, reservation.lease, sealer)?;
    reserved.sort_by_key(|delivery| order.get(&delivery.id.to_string()).copied());
    Ok(reserved)
}

#[async_trait]
impl DeliveryQueue for SqlDeliveries {
    async fn recover(&self, now: Timestamp) -> Result<u64> {
        let recover = move |conn: &mut Conn<'_>| {
            let leased = deliveries::table
                .filter(deliveries::due_at.is_not_null())
                .filter(deliveries::leased.eq(1));
            let back = (deliveries::due_at.eq(now.0), deliveries::leased.eq(0));
            Ok(on!(conn, c => diesel::update(leased).set(back).execute(c)?))
        };
        self.database.write_apart(recover).await.map(|count| count as u64)
    }

    async fn reserve(&self, reservation: Reservation) -> Result<Vec<Delivery>> {
        let sealer = self.database.sealer().clone();
        self.database
            .write_apart(move |conn| reserve(conn, &reservation, &sealer))
            .await
    }

    async fn settle(&self, settlements: Vec<Settlement>, now: Timestamp, lease: Duration) -> Result<Settled> {
        let sealer = self.database.sealer().clone();
        let settled = self
            .database
            .write_apart(move |conn| settle(conn, settlements, now, lease, &sealer))
            .await;
        // Whether endpoints were switched off is not known when it failed.
        if settled
            .as_ref()
            .map_or(true, |settled| !settled.disabled.is_empty())
        {
            self.database.memo().forget();
        }
        settled
    }

    async fn next_due(&self, busy: &[WebhookId]) -> Result<Option<Timestamp>> {
        let busy: Vec<String> = busy.iter().map(ToString::to_string).collect();
        let earliest = move |conn: &mut Conn<'_>| {
            let due = deliveries::table
                .filter(deliveries::due_at.is_not_null())
                .filter(deliveries::webhook_id.ne_all(busy))
                .order(deliveries::due_at)
                .select(deliveries::due_at.assume_not_null());
            let earliest: Option<i64> = on!(conn, c => due.first(c).optional()?);
            Ok(earliest.map(Timestamp))
        };
        self.database.run(earliest).await
    }
}
