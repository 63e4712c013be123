//! `/v1/event-types`: what endpoints can be told, with examples.

use actix_web::web::Json;
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;
use wagate_domain::gateway::EventType;
use wagate_domain::{Error, Result};

use super::extract::{NoQuery, Params};
use crate::problem::Problem;

/// Every type of event.
#[derive(Serialize, ToSchema)]
#[schema(as = EventTypes)]
pub(super) struct EventTypesView {
    /// The types, families together.
    data: Vec<EventTypeView>,
}

/// A type of event.
#[derive(Serialize, ToSchema)]
#[schema(as = EventType)]
struct EventTypeView {
    /// Its name, by which endpoints choose it.
    #[serde(rename = "type")]
    #[schema(example = "message.received")]
    kind: &'static str,
    /// What a standard endpoint gets; made up, and written by what writes real events.
    #[schema(value_type = Object)]
    standard: Box<RawValue>,
    /// What a classic endpoint gets; null for types that it never gets.
    #[schema(value_type = Option<Object>, required = true)]
    classic: Option<Box<RawValue>>,
}

/// Lists the types of events, each with an example in both formats.
#[utoipa::path(
    get,
    path = "/v1/event-types",
    tag = "events",
    responses((status = 200, description = "All of them", body = EventTypesView)),
)]
pub(super) async fn list_event_types(_: Params<NoQuery>) -> Result<Json<EventTypesView>, Problem> {
    let types = wagate_domain::gateway::list_event_types()?;
    let data = types.iter().map(view).collect::<Result<_>>()?;
    Ok(Json(EventTypesView { data }))
}

fn view(found: &EventType) -> Result<EventTypeView> {
    Ok(EventTypeView {
        kind: found.kind.as_str(),
        standard: raw(&found.standard)?,
        classic: found.classic.as_deref().map(raw).transpose()?,
    })
}

fn raw(body: &[u8]) -> Result<Box<RawValue>> {
    serde_json::from_slice(body).map_err(Error::internal)
}
