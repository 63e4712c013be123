//! `/v1/events`: the log of what happened, for receivers that read instead of being called.

use actix_web::HttpResponse;
use actix_web::web::Data;
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::{IntoParams, ToSchema};
use wagate_domain::model::{CursorQuery, EventFilter, EventId, EventKind, Token};
use wagate_domain::ports::StoredEvent;
use wagate_domain::{Error, Result};

use super::extract::Params;
use super::problem::{PROBLEM_JSON, ProblemView};
use crate::extract::under;
use crate::problem::Problem;
use crate::query::QueryFields;
use crate::state::ApiState;

/// Which events.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct EventsQuery {
    /// Id of the last event that was read. One that is not kept any more stands for its time.
    #[param(value_type = Option<String>, example = "evt_01K0000000000000000000000A")]
    after: Option<EventId>,
    /// Most events on the page.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 200, default = 50)]
    limit: u32,
    /// Only those of the device with this token.
    #[param(value_type = Option<String>)]
    device: Option<Token>,
    /// Only those of these types: names or families such as `message.*`, repeated or with commas.
    #[param(rename = "type", value_type = Option<Vec<String>>, example = json!(["message.*"]))]
    kinds: Vec<EventKind>,
}

impl TryFrom<QueryFields> for EventsQuery {
    type Error = Error;

    fn try_from(query: QueryFields) -> Result<Self> {
        Ok(Self {
            after: query.read("after")?,
            limit: query.limit()?,
            device: query.read("device")?,
            kinds: kinds(&query)?,
        })
    }
}

/// The event types that a query names; none at all means all.
pub(super) fn kinds(query: &QueryFields) -> Result<Vec<EventKind>> {
    let patterns: Vec<&str> = query
        .all("type")
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .collect();
    if patterns.is_empty() {
        return Ok(Vec::new());
    }
    let filter = EventFilter::parse(&patterns).map_err(|error| under("type", error))?;
    Ok(EventKind::ALL
        .into_iter()
        .filter(|kind| filter.wants(*kind))
        .collect())
}

/// A page of events, each exactly as it was stored.
#[derive(Serialize)]
struct EventsView<'a> {
    data: Vec<&'a RawValue>,
    next: Option<EventId>,
}

/// A page of events, oldest first.
#[derive(ToSchema)]
#[schema(as = Page_Event)]
#[expect(dead_code, reason = "documents what is written from the stored bytes")]
pub(super) struct EventsPage {
    /// The events.
    data: Vec<EventSchema>,
    /// The last event that was read, to go on after: also on the last page.
    #[schema(required = true)]
    next: Option<String>,
}

/// What happened, in the standard format.
#[derive(ToSchema)]
#[schema(as = Event)]
#[expect(dead_code, reason = "documents what is written from the stored bytes")]
pub(super) struct EventSchema {
    /// Its id; also the `webhook-id` of its deliveries.
    id: String,
    /// What kind, such as `message.received`.
    r#type: String,
    /// When it happened.
    #[schema(format = DateTime)]
    timestamp: String,
    /// Whose it is.
    device: EventDeviceSchema,
    /// More, by type.
    #[schema(value_type = Object)]
    data: (),
}

/// The device of an event, as it was then.
#[derive(ToSchema)]
#[schema(as = EventDevice)]
#[expect(dead_code, reason = "documents what is written from the stored bytes")]
pub(super) struct EventDeviceSchema {
    /// Our id.
    id: String,
    /// Its token.
    token: String,
    /// The account's number, once linked.
    #[schema(required = true)]
    phone: Option<String>,
    /// The account's hidden identity, once known.
    #[schema(required = true)]
    lid: Option<String>,
}

/// Lists events.
///
/// In the order in which they were recorded. Ask again with `next` as `after`, also when it was the last page:
/// no event is missed.
#[utoipa::path(
    get,
    path = "/v1/events",
    tag = "events",
    params(EventsQuery),
    responses(
        (status = 200, description = "One page of events", body = EventsPage),
        (status = 404, description = "There is no such device", body = ProblemView, content_type = PROBLEM_JSON),
    ),
)]
pub(super) async fn list_events(
    state: Data<ApiState>,
    query: Params<EventsQuery>,
) -> Result<HttpResponse, Problem> {
    let EventsQuery {
        after,
        limit,
        device,
        kinds,
    } = query.0;
    let page = state
        .gateway
        .list_events(device.as_ref(), kinds, CursorQuery::new(after, limit))
        .await?;
    Ok(HttpResponse::Ok().json(EventsView {
        data: page.items.iter().map(raw).collect::<Result<_>>()?,
        // Not the page's own: a receiver goes on from here also when nothing more is there yet.
        next: page.items.last().map(|event| event.id).or(after),
    }))
}

fn raw(event: &StoredEvent) -> Result<&RawValue> {
    serde_json::from_slice(&event.data).map_err(Error::internal)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(query: &str) -> Result<EventsQuery> {
        EventsQuery::try_from(QueryFields::parse(query).unwrap())
    }

    #[test]
    fn types_come_with_commas_or_one_by_one() {
        let kinds = |query: &str| -> Vec<&'static str> {
            read(query)
                .unwrap()
                .kinds
                .into_iter()
                .map(EventKind::as_str)
                .collect()
        };
        assert_eq!(kinds(""), [""; 0]);
        assert_eq!(
            kinds("type=call.received,%20session.qr"),
            ["call.received", "session.qr"]
        );
        assert_eq!(
            kinds("type=session.qr&type=call.*"),
            ["call.received", "session.qr"]
        );
        assert_eq!(kinds("type=message.*").len(), 8);
        assert_eq!(kinds("type=*").len(), EventKind::ALL.len());
    }

    #[test]
    fn types_that_no_event_has_are_refused() {
        for query in [
            "type=",
            "type=message",
            "type=call.received,",
            "type=a%00b",
            "type=message.*&type=x",
        ] {
            assert_eq!(read(query).unwrap_err().code(), "invalid_type", "{query}");
        }
    }
}
