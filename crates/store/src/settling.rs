//! Settling: what became of a round of deliveries, in as few statements as that takes.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use diesel::prelude::*;
use wagate_domain::model::{
    Attempt, DeliveryOutcome, EndpointVerdict, Setback, Settlement, Timestamp, WebhookState,
};
use wagate_domain::ports::{OUTAGE, Settled};

use crate::delivery_rows::{DEAD, DELIVERED, lease as lease_rows};
use crate::dialect::{Conn, MAX_BINDS, without_nul};
use crate::error::{Failure, stored};
use crate::queue;
use crate::schema::{attempts, deliveries, webhooks};
use crate::seal::Sealer;

/// Refusals after which a delivery may be passed by the next one of its lane.
const REFUSALS: i32 = 2;

/// A pending delivery that is settled.
#[derive(Queryable, Selectable)]
#[diesel(table_name = deliveries)]
struct Row {
    id: String,
    webhook_id: String,
    device_id: String,
    lane: Option<String>,
    attempts: i32,
    baseline: i32,
}

/// How the endpoint of a delivery stands.
#[derive(Queryable, Selectable)]
#[diesel(table_name = webhooks)]
struct Endpoint {
    state: String,
    failing_since: Option<i64>,
}

/// What a round comes to.
#[derive(Default)]
struct Round {
    delivered: Vec<String>,
    /// Heads of lanes that a later one has passed.
    passed: Vec<String>,
    attempts: Vec<AttemptRow>,
    /// Lanes that may go on.
    lanes: BTreeSet<String>,
    /// Lanes whose head is refused: the next one is tried beside it.
    refused: Vec<String>,
    /// Whether the endpoint took anything, by endpoint.
    took: BTreeMap<String, bool>,
    /// Since when those endpoints fail that do.
    failing: BTreeMap<String, i64>,
    verdicts: Vec<(Row, EndpointVerdict, String)>,
}

#[derive(Insertable)]
#[diesel(table_name = attempts, treat_none_as_default_value = false)]
struct AttemptRow {
    delivery_id: String,
    number: i32,
    at: i64,
    took_ms: i64,
    status: Option<i32>,
    error: Option<String>,
    request_head: String,
    response_head: String,
    response_body: Vec<u8>,
}

/// Values that an [`AttemptRow`] binds.
const ATTEMPT_COLUMNS: usize = 9;

impl AttemptRow {
    fn new(row: &Row, attempt: &Attempt) -> Self {
        Self {
            delivery_id: row.id.clone(),
            number: row.attempts + 1,
            at: attempt.at.0,
            took_ms: i64::try_from(attempt.took.as_millis()).unwrap_or(i64::MAX),
            status: attempt.status.map(i32::from),
            error: attempt.error.as_deref().map(without_nul),
            request_head: without_nul(&attempt.request_head),
            response_head: without_nul(&attempt.response_head),
            response_body: attempt.response_body.to_vec(),
        }
    }
}

pub(crate) fn settle(
    conn: &mut Conn<'_>,
    settlements: Vec<Settlement>,
    now: Timestamp,
    lease: Duration,
    sealer: &Sealer,
) -> Result<Settled, Failure> {
    let mut rows = pending(conn, &settlements)?;
    let lanes: BTreeSet<String> = rows.values().filter_map(|(row, _)| row.lane.clone()).collect();
    let lanes: Vec<String> = lanes.into_iter().collect();
    let heads: BTreeSet<String> = queue::heads(conn, &lanes)?.into_iter().collect();
    let mut round = Round::default();
    for settlement in settlements {
        let Some((row, endpoint)) = rows.remove(&settlement.id.to_string()) else {
            continue;
        };
        let standing = Standing {
            active: endpoint.state == WebhookState::Active.as_str(),
            head: row.lane.is_none() || heads.contains(&row.id),
        };
        if let Some(since) = endpoint.failing_since {
            round.failing.insert(row.webhook_id.clone(), since);
        }
        round.settle_one(conn, row, settlement, now, standing)?;
    }
    round.write(conn, now)?;
    let disabled = round.judge(conn, now)?;
    let next = round.go_on(conn, now)?;
    Ok(Settled {
        next: lease_rows(conn, &next, now, lease, sealer)?,
        disabled,
    })
}

/// Those that are pending, by id, and how their endpoints stand.
fn pending(
    conn: &mut Conn<'_>,
    settlements: &[Settlement],
) -> Result<BTreeMap<String, (Row, Endpoint)>, Failure> {
    let ids: Vec<String> = settlements
        .iter()
        .map(|settlement| settlement.id.to_string())
        .collect();
    let mut found = BTreeMap::new();
    for some in ids.chunks(MAX_BINDS) {
        let pending = deliveries::table
            .inner_join(webhooks::table)
            .filter(deliveries::id.eq_any(some))
            .filter(deliveries::settled_at.is_null());
        let rows: Vec<(Row, Endpoint)> = on!(conn, c => {
            pending
                .select((Row::as_select(), Endpoint::as_select()))
                .load(c)?
        });
        found.extend(rows.into_iter().map(|(row, of)| (row.id.clone(), (row, of))));
    }
    Ok(found)
}

impl Round {
    fn settle_one(
        &mut self,
        conn: &mut Conn<'_>,
        row: Row,
        settlement: Settlement,
        now: Timestamp,
        standing: Standing,
    ) -> Result<(), Failure> {
        if let Some(attempt) = settlement.attempt {
            self.attempts.push(AttemptRow::new(&row, &attempt));
        }
        match settlement.outcome {
            DeliveryOutcome::Returned => {
                let due = standing.active.then_some(now.0);
                let back = (deliveries::due_at.eq(due), deliveries::leased.eq(0));
                on!(conn, c => diesel::update(deliveries::table.find(&row.id)).set(back).execute(c)?);
            }
            DeliveryOutcome::Delivered => {
                self.took.insert(row.webhook_id, true);
                if let Some(lane) = row.lane {
                    if !standing.head {
                        self.passed.push(lane.clone());
                    }
                    self.lanes.insert(lane);
                }
                self.delivered.push(row.id);
            }
            DeliveryOutcome::Retry { at, setback, error } => {
                let due = (standing.active && standing.head).then_some(at.0);
                let later = (
                    deliveries::due_at.eq(due),
                    deliveries::leased.eq(0),
                    deliveries::attempts.eq(row.attempts + 1),
                    deliveries::error.eq(Some(without_nul(&error))),
                );
                on!(conn, c => diesel::update(deliveries::table.find(&row.id)).set(later).execute(c)?);
                self.took.entry(row.webhook_id).or_insert(false);
                let refusals = row.attempts + 1 - row.baseline;
                if !standing.head {
                    // Its lane must not wait for a head that nobody has been handed.
                    self.lanes.extend(row.lane);
                } else if setback == Setback::Refused && refusals >= REFUSALS {
                    self.refused.extend(row.lane);
                }
            }
            DeliveryOutcome::Dead { error, endpoint } => {
                let over = (
                    deliveries::status.eq(DEAD),
                    deliveries::lane.eq(None::<String>),
                    deliveries::due_at.eq(None::<i64>),
                    deliveries::leased.eq(0),
                    deliveries::attempts.eq(row.attempts + 1),
                    deliveries::error.eq(Some(without_nul(&error))),
                    deliveries::settled_at.eq(Some(now.0)),
                );
                on!(conn, c => diesel::update(deliveries::table.find(&row.id)).set(over).execute(c)?);
                self.took.entry(row.webhook_id.clone()).or_insert(false);
                self.lanes.extend(row.lane.clone());
                self.verdicts.push((row, endpoint, error));
            }
        }
        Ok(())
    }

    /// What many rows have in common.
    fn write(&mut self, conn: &mut Conn<'_>, now: Timestamp) -> Result<(), Failure> {
        for some in queue::heads(conn, &self.passed)?.chunks(MAX_BINDS) {
            // Steps aside: it goes on being tried, and its lane goes on without it.
            // One that was never handed out was not passed: it was recorded after what is larger by its id, and is
            // next.
            let passed = deliveries::table
                .filter(deliveries::id.eq_any(some))
                .filter(deliveries::due_at.is_not_null());
            on!(conn, c => diesel::update(passed).set(deliveries::lane.eq(None::<String>)).execute(c)?);
        }
        for some in self.delivered.chunks(MAX_BINDS / 2) {
            let delivered = deliveries::table.filter(deliveries::id.eq_any(some));
            let over = (
                deliveries::status.eq(DELIVERED),
                deliveries::lane.eq(None::<String>),
                deliveries::due_at.eq(None::<i64>),
                deliveries::leased.eq(0),
                deliveries::attempts.eq(deliveries::attempts + 1),
                deliveries::error.eq(None::<String>),
                deliveries::settled_at.eq(Some(now.0)),
            );
            on!(conn, c => diesel::update(delivered).set(over).execute(c)?);
        }
        for some in self.attempts.chunks(MAX_BINDS / ATTEMPT_COLUMNS) {
            on!(conn, c => diesel::insert_into(attempts::table).values(some).execute(c)?);
        }
        Ok(())
    }

    /// What successes and failures mean for endpoints; returns those that are switched off now.
    fn judge(&self, conn: &mut Conn<'_>, now: Timestamp) -> Result<Disabled, Failure> {
        let new: Vec<&String> = self
            .took
            .iter()
            .filter(|(id, took)| !**took && !self.failing.contains_key(*id))
            .map(|(id, _)| id)
            .collect();
        for some in new.chunks(MAX_BINDS - 1) {
            let failed = webhooks::table.filter(webhooks::id.eq_any(some));
            on!(conn, c => diesel::update(failed).set(webhooks::failing_since.eq(now.0)).execute(c)?);
        }
        for (id, since) in &self.failing {
            if self.took.get(id) != Some(&true) {
                continue;
            }
            let mended = webhooks::failing_since.eq(None::<i64>);
            on!(conn, c => diesel::update(webhooks::table.find(id)).set(mended).execute(c)?);
            if now.since(Timestamp(*since)) >= OUTAGE {
                hasten(conn, id, now)?;
            }
        }
        let mut disabled = Vec::new();
        for (row, verdict, reason) in &self.verdicts {
            if is_hopeless(conn, &row.webhook_id, *verdict)? {
                switch_off(conn, &row.webhook_id, reason, now)?;
                disabled.push((stored(&row.webhook_id)?, stored(&row.device_id)?, reason.clone()));
            }
        }
        Ok(disabled)
    }

    /// What is next in the lanes that go on; and what is tried beside a head that is refused.
    fn go_on(&self, conn: &mut Conn<'_>, now: Timestamp) -> Result<Vec<String>, Failure> {
        for lane in &self.refused {
            let second = deliveries::table
                .filter(deliveries::lane.eq(lane))
                .order(deliveries::id)
                .offset(1)
                .limit(1)
                .select((deliveries::id, deliveries::webhook_id, deliveries::due_at));
            let second: Option<(String, String, Option<i64>)> = on!(conn, c => second.first(c).optional()?);
            if let Some((id, webhook, None)) = second
                && is_active(conn, &webhook)?
            {
                let due = deliveries::due_at.eq(now.0);
                on!(conn, c => diesel::update(deliveries::table.find(id)).set(due).execute(c)?);
            }
        }
        let lanes: Vec<String> = self.lanes.iter().cloned().collect();
        let heads = queue::heads(conn, &lanes)?;
        let mut next = Vec::new();
        for some in heads.chunks(MAX_BINDS - 1) {
            let of_active = webhooks::table
                .filter(webhooks::state.eq(WebhookState::Active.as_str()))
                .select(webhooks::id);
            let waiting = deliveries::table
                .filter(deliveries::id.eq_any(some))
                .filter(deliveries::due_at.is_null())
                .filter(deliveries::webhook_id.eq_any(of_active))
                .select(deliveries::id);
            let ids: Vec<String> = on!(conn, c => waiting.load(c)?);
            next.extend(ids);
        }
        Ok(next)
    }
}

/// How a delivery that is settled stood.
#[derive(Clone, Copy)]
struct Standing {
    /// Whether its endpoint is active.
    active: bool,
    /// Whether it is first in its lane, or has left it; else it is tried beside a head that is refused.
    head: bool,
}

type Disabled = Vec<(
    wagate_domain::model::WebhookId,
    wagate_domain::model::DeviceId,
    String,
)>;

/// Makes due what waits at the endpoint for a retry.
fn hasten(conn: &mut Conn<'_>, webhook: &str, now: Timestamp) -> Result<(), Failure> {
    let waiting = deliveries::table
        .filter(deliveries::webhook_id.eq(webhook))
        .filter(deliveries::settled_at.is_null())
        .filter(deliveries::due_at.is_not_null())
        .filter(deliveries::due_at.assume_not_null().gt(now.0))
        .filter(deliveries::leased.eq(0));
    on!(conn, c => diesel::update(waiting).set(deliveries::due_at.eq(now.0)).execute(c)?);
    Ok(())
}

fn is_active(conn: &mut Conn<'_>, webhook: &str) -> Result<bool, Failure> {
    let state = webhooks::table.find(webhook).select(webhooks::state);
    let state: Option<String> = on!(conn, c => state.first(c).optional()?);
    Ok(state.as_deref() == Some(WebhookState::Active.as_str()))
}

/// Whether an endpoint that is still active should not be.
fn is_hopeless(conn: &mut Conn<'_>, webhook: &str, verdict: EndpointVerdict) -> Result<bool, Failure> {
    let hopeless = match verdict {
        EndpointVerdict::Sound => false,
        EndpointVerdict::Gone => true,
        EndpointVerdict::Exhausted { since } => {
            let failing = webhooks::table.find(webhook).select(webhooks::failing_since);
            let failing: Option<Option<i64>> = on!(conn, c => failing.first(c).optional()?);
            failing.flatten().is_some_and(|at| at <= since.0)
        }
    };
    Ok(hopeless && is_active(conn, webhook)?)
}

fn switch_off(conn: &mut Conn<'_>, webhook: &str, reason: &str, now: Timestamp) -> Result<(), Failure> {
    let off = (
        webhooks::state.eq("disabled"),
        webhooks::disabled_reason.eq(Some(without_nul(reason))),
        webhooks::disabled_at.eq(Some(now.0)),
    );
    on!(conn, c => diesel::update(webhooks::table.find(webhook)).set(off).execute(c)?);
    queue::hold(conn, webhook)
}
