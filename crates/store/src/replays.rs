//! Asking for deliveries again, and taking that back.

use diesel::prelude::*;
use wagate_domain::Error;
use wagate_domain::model::{DeliveryId, DeliveryStanding, Replay, Replayed, Timestamp, WebhookState};

use crate::delivery_rows::{DEAD, DELIVERED, PENDING};
use crate::dialect::Conn;
use crate::error::Failure;
use crate::schema::{deliveries, webhooks};

/// Deliveries that are asked for again in one write.
const REPLAY_STEP: i64 = 500;

fn status(standing: DeliveryStanding) -> i32 {
    match standing {
        DeliveryStanding::Pending => PENDING,
        DeliveryStanding::Delivered => DELIVERED,
        DeliveryStanding::Dead => DEAD,
    }
}

/// The columns of a delivery that starts over beside its lane.
macro_rules! anew {
    ($now:expr, $due:expr) => {
        (
            deliveries::status.eq(PENDING),
            deliveries::due_at.eq($due),
            deliveries::leased.eq(0),
            deliveries::baseline.eq(deliveries::attempts),
            deliveries::queued_at.eq($now.0),
            deliveries::settled_at.eq(None::<i64>),
        )
    };
}

fn due_if_active(conn: &mut Conn<'_>, webhook: &str, now: Timestamp) -> Result<Option<i64>, Failure> {
    let state = webhooks::table.find(webhook).select(webhooks::state);
    let state: Option<String> = on!(conn, c => state.first(c).optional()?);
    Ok((state.as_deref() == Some(WebhookState::Active.as_str())).then_some(now.0))
}

/// Makes one due now.
pub(crate) fn replay(conn: &mut Conn<'_>, id: DeliveryId, now: Timestamp) -> Result<(), Failure> {
    let key = id.to_string();
    let found = deliveries::table.find(&key).select((
        deliveries::webhook_id,
        deliveries::settled_at,
        deliveries::due_at,
        deliveries::leased,
    ));
    let found: Option<(String, Option<i64>, Option<i64>, i32)> = on!(conn, c => found.first(c).optional()?);
    let Some((webhook, settled, due, leased)) = found else {
        return Err(Error::NotFound {
            what: "delivery",
            id: key,
        }
        .into());
    };
    if settled.is_some() {
        let due = due_if_active(conn, &webhook, now)?;
        on!(conn, c => diesel::update(deliveries::table.find(&key)).set(anew!(now, due)).execute(c)?);
    } else if due.is_some() && leased == 0 {
        let due = deliveries::due_at.eq(now.0);
        on!(conn, c => diesel::update(deliveries::table.find(&key)).set(due).execute(c)?);
    }
    Ok(())
}

/// A step of a larger replay; says how many.
pub(crate) fn replay_some(
    conn: &mut Conn<'_>,
    webhook: &str,
    which: Replay,
    now: Timestamp,
) -> Result<usize, Failure> {
    let fitting = deliveries::table
        .filter(deliveries::webhook_id.eq(webhook))
        .filter(deliveries::status.eq(status(which.standing)))
        .filter(deliveries::created_at.ge(which.since.0))
        .filter(deliveries::created_at.lt(which.until.0))
        // What was asked for in an earlier step may be over already.
        .filter(deliveries::queued_at.lt(now.0))
        .order(deliveries::id)
        .limit(REPLAY_STEP)
        .select(deliveries::id);
    let ids: Vec<String> = on!(conn, c => fitting.load(c)?);
    let due = due_if_active(conn, webhook, now)?;
    let fitting = deliveries::table.filter(deliveries::id.eq_any(&ids));
    Ok(on!(conn, c => diesel::update(fitting).set(anew!(now, due)).execute(c)?))
}

/// What is pending of a replay. What was queued for the first time at that very moment is none of it. A macro, because
/// the type of the query has no name that can be written.
macro_rules! pending_of {
    ($replayed:expr) => {
        deliveries::table
            .filter(deliveries::webhook_id.eq($replayed.webhook.to_string()))
            .filter(deliveries::settled_at.is_null())
            .filter(deliveries::queued_at.eq($replayed.at.0))
            .filter(deliveries::created_at.lt($replayed.at.0))
    };
}

/// How many of a replay are still to be made.
pub(crate) fn replays_pending(conn: &mut Conn<'_>, replayed: Replayed) -> Result<u64, Failure> {
    let pending = pending_of!(replayed).count();
    let pending: i64 = on!(conn, c => pending.get_result(c)?);
    Ok(u64::try_from(pending).unwrap_or(0))
}

/// A step of a larger undoing; says how many.
pub(crate) fn undo_some(conn: &mut Conn<'_>, replayed: Replayed, now: Timestamp) -> Result<usize, Failure> {
    let untried = pending_of!(replayed)
        .filter(deliveries::leased.eq(0))
        .filter(deliveries::attempts.eq(deliveries::baseline))
        .order(deliveries::id)
        .limit(REPLAY_STEP)
        .select(deliveries::id);
    let ids: Vec<String> = on!(conn, c => untried.load(c)?);
    let untried = deliveries::table.filter(deliveries::id.eq_any(&ids));
    let as_before = (
        deliveries::status.eq(status(replayed.standing)),
        deliveries::due_at.eq(None::<i64>),
        deliveries::settled_at.eq(Some(now.0)),
    );
    Ok(on!(conn, c => diesel::update(untried).set(as_before).execute(c)?))
}
