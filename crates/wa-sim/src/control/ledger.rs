//! `/sim/ledger`: the journal of every stanza, for those who count what was lost and what came twice.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use serde::Deserialize;
use serde_json::{Value, json};

use super::reply::{Query, Reply, done};
use crate::server::Site;

const DEFAULT_LIMIT: usize = 1000;
const MAX_LIMIT: usize = 10_000;
const MAX_WAIT: Duration = Duration::from_mins(1);

#[derive(Deserialize)]
pub(super) struct LedgerQuery {
    #[serde(default)]
    after: u64,
    limit: Option<usize>,
    /// Only lines that name a broken rule.
    #[serde(default)]
    violations: bool,
    /// When there is nothing yet, wait up to this long for the next line.
    #[serde(default)]
    wait_ms: u64,
}

pub(super) async fn list(State(site): State<Arc<Site>>, Query(query): Query<LedgerQuery>) -> Reply<Value> {
    let limit = query.limit.unwrap_or(DEFAULT_LIMIT).clamp(1, MAX_LIMIT);
    let wait = Duration::from_millis(query.wait_ms).min(MAX_WAIT);
    if !wait.is_zero() {
        let wanted = |violation: bool| violation || !query.violations;
        let fits = |line: &crate::ledger::Line| wanted(line.entry.violation.is_some());
        tokio::select! {
            () = site.stop.cancelled() => {}
            _ = site.ledger.wait_for_after(query.after, fits, wait) => {}
        }
    }
    let lines = if query.violations {
        let all = site.ledger.violations().into_iter();
        all.filter(|line| line.seq > query.after).take(limit).collect()
    } else {
        site.ledger.after(query.after, limit)
    };
    let next = lines.last().map_or(query.after, |line| line.seq);
    done(json!({ "data": lines, "next": next }))
}
