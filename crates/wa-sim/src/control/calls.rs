//! `/sim/phones/{phone}/calls`: a person calls, and what became of it.

use std::sync::Arc;

use axum::extract::{Path, State};
use serde::Deserialize;
use serde_json::{Value, json};

use super::reply::{Body, Reply, done, recipient};
use crate::server::Site;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NewCall {
    to: String,
}

pub(super) async fn call(
    State(site): State<Arc<Site>>,
    Path(phone): Path<String>,
    Body(new): Body<NewCall>,
) -> Reply<Value> {
    let call_id = site.world.call(&phone, &recipient("to", &new.to)?)?;
    done(json!({ "call_id": call_id }))
}

pub(super) async fn list(State(site): State<Arc<Site>>, Path(phone): Path<String>) -> Reply<Value> {
    done(json!({ "data": site.world.calls(&phone)? }))
}

/// The person hangs up.
pub(super) async fn end(
    State(site): State<Arc<Site>>,
    Path((phone, call_id)): Path<(String, String)>,
) -> Reply<Value> {
    site.world.end_call(&phone, &call_id)?;
    done(json!({}))
}
