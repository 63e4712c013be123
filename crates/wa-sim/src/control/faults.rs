//! `/sim/faults`: orders misbehaviour and calls it off.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde_json::{Value, json};

use super::reply::{Body, Problem, Reply, done, phone_number};
use crate::fault::{FaultKind, FaultSpec};
use crate::server::Site;

pub(super) async fn add(State(site): State<Arc<Site>>, Body(spec): Body<FaultSpec>) -> Reply<Value> {
    done(json!({ "id": site.faults.add(checked(spec)?) }))
}

pub(super) async fn list(State(site): State<Arc<Site>>) -> Reply<Value> {
    done(json!({ "data": site.faults.list() }))
}

pub(super) async fn clear(State(site): State<Arc<Site>>) -> Reply<Value> {
    site.faults.clear();
    done(json!({}))
}

pub(super) async fn remove(State(site): State<Arc<Site>>, Path(id): Path<String>) -> Reply<Value> {
    if site.faults.remove(&id) {
        done(json!({}))
    } else {
        Err(Problem::new(
            StatusCode::NOT_FOUND,
            "fault_not_found",
            format!("no such fault: {id}"),
        ))
    }
}

/// A setting that the kind ignores is a misunderstanding and is said so.
fn checked(mut spec: FaultSpec) -> Result<FaultSpec, Problem> {
    use FaultKind::{Ban, Delay, Drop, HalfOpen, Media, Refuse, StreamError};
    let kind = spec.kind;
    let fits = |given: bool, field: &str, kinds: &[FaultKind]| {
        if given && !kinds.contains(&kind) {
            Err(Problem::invalid(
                field,
                format!("{field} means nothing to this kind of fault"),
            ))
        } else {
            Ok(())
        }
    };
    fits(spec.code.is_some(), "code", &[StreamError, Refuse, Ban, Media])?;
    fits(spec.conflict.is_some(), "conflict", &[StreamError])?;
    fits(spec.delay_ms.is_some(), "delay_ms", &[Delay])?;
    fits(spec.expire_secs.is_some(), "expire_secs", &[Ban])?;
    fits(
        spec.direction.is_some(),
        "direction",
        &[Drop, Delay, HalfOpen, StreamError, Media],
    )?;
    fits(spec.cut, "cut", &[Media])?;
    let codes = if kind == Media { 400..=599 } else { 100..=999 };
    if spec.code.is_some_and(|code| !codes.contains(&code)) {
        return Err(Problem::invalid(
            "code",
            format!("must lie between {} and {}", codes.start(), codes.end()),
        ));
    }
    if spec.count == Some(0) {
        return Err(Problem::invalid(
            "count",
            "must be 1 or more; leave it out for until cleared",
        ));
    }
    spec.phone = spec
        .phone
        .map(|phone| phone_number("phone", &phone))
        .transpose()?;
    Ok(spec)
}
