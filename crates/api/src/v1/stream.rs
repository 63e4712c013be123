//! `/v1/stream`: what happens, while it happens, as server-sent events.

use actix_web::http::header::HeaderMap;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use futures::{FutureExt as _, StreamExt};
use utoipa::IntoParams;
use wagate_domain::model::{EventId, EventKind, Token};
use wagate_domain::{Error, Result};

use super::events::kinds;
use super::extract::Params;
use super::problem::{PROBLEM_JSON, ProblemView};
use super::sse::{self, Source};
use super::wording::Language;
use crate::access::Caller;
use crate::problem::Problem;
use crate::query::QueryFields;
use crate::state::ApiState;

/// The header in which a client that comes back names the last event that it got.
const LAST_EVENT_ID: &str = "last-event-id";

/// What to hear of.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct StreamQuery {
    /// Id of the last event that was read; the header `Last-Event-ID` goes before it. Without either the stream
    /// begins with what happens now.
    #[param(value_type = Option<String>, example = "evt_01K0000000000000000000000A")]
    after: Option<EventId>,
    /// Only of the device with this token.
    #[param(value_type = Option<String>)]
    device: Option<Token>,
    /// Only recorded events of these types: names or families such as `message.*`, repeated or with commas.
    #[param(rename = "type", value_type = Option<Vec<String>>, example = json!(["message.*"]))]
    kinds: Vec<EventKind>,
}

impl TryFrom<QueryFields> for StreamQuery {
    type Error = Error;

    fn try_from(query: QueryFields) -> Result<Self> {
        Ok(Self {
            after: query.read("after")?,
            device: query.read("device")?,
            kinds: kinds(&query)?,
        })
    }
}

fn last_event_id(headers: &HeaderMap) -> Result<Option<EventId>> {
    let Some(value) = headers.get(LAST_EVENT_ID).filter(|value| !value.is_empty()) else {
        return Ok(None);
    };
    let id = value.to_str().ok().and_then(|text| text.parse().ok());
    id.map(Some)
        .ok_or_else(|| Error::invalid("last_event_id", "Last-Event-ID is not an id of the form evt_…"))
}

/// Tells what happens, while it happens.
///
/// Server-sent events. `session`: `{"device": TOKEN, "session": SESSION}` when a session's state changes; a slow
/// reader gets the latest. With `device` the stream begins with that device's session as it is. `recorded`: an event
/// of the log as `GET /v1/events` gives it, under its id: whoever comes back with that in `Last-Event-ID`, as
/// browsers do, misses none and gets none twice. `delivery`: how a delivery stands now, as `GET /v1/deliveries` shows it,
/// and in `others` how many more changed in the same moment and are not told: a few come within a second, whatever
/// happens; a key for one device or workspace is told of none. `typing`: `{"device": TOKEN, "chat": PARTY, "sender": PARTY,
/// "state": "composing" | "recording" | "paused"}` when somebody else types, with `jid`, `phone` and `lid` of each; it is
/// recorded nowhere, a slow reader misses some, and it is over after 15 s without a further one. `job`: long work as
/// `GET /v1/jobs` gives it, a few times in a second at most and how it ended always; with `device`, that device's alone.
/// A comment comes at once, and after every 15 s of silence.
#[utoipa::path(
    get,
    path = "/v1/stream",
    tag = "events",
    params(
        StreamQuery,
        ("Last-Event-ID" = Option<String>, Header, description = "Id of the last event that was read"),
    ),
    responses(
        (status = 200, description = "The stream", body = String, content_type = "text/event-stream"),
        (status = 404, description = "There is no such device", body = ProblemView, content_type = PROBLEM_JSON),
    ),
)]
pub(super) async fn open_stream(
    state: Data<ApiState>,
    request: HttpRequest,
    caller: Caller,
    query: Params<StreamQuery>,
) -> Result<HttpResponse, Problem> {
    let StreamQuery { after, device, kinds } = query.0;
    let after = last_event_id(request.headers())?.or(after);
    let gateway = &state.gateway;
    let sessions = gateway.watch_sessions(device.as_ref()).await?;
    let events = gateway.follow_events(device.as_ref(), kinds, after).await?;
    let typing = gateway.watch_typing(device.as_ref()).await?;
    // A key for one device or workspace sees no deliveries: endpoints are everybody's.
    let deliveries = if caller.reaches_everything().is_ok() {
        gateway.watch_deliveries(device.as_ref()).await?
    } else {
        StreamExt::boxed(futures::stream::pending())
    };
    let body = sse::body(Source {
        sessions,
        events,
        deliveries,
        typing,
        // A key for one device or workspace has to name a device, and hears of no other's jobs.
        jobs: gateway.watch_jobs(device.as_ref()).await?,
        language: Language::of(&request),
        clock: gateway.parts().clock.clone(),
        streams: state.streams.clone(),
        revoked: caller.revoked(state.get_ref().clone()).boxed(),
    });
    Ok(HttpResponse::Ok()
        .content_type("text/event-stream")
        // Nothing else comes on this connection: a server that stops need not wait for the client to close it.
        .force_close()
        // Tells nginx to pass on what it gets.
        .insert_header(("x-accel-buffering", "no"))
        .streaming(body))
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::{HeaderName, HeaderValue};

    use super::*;

    #[test]
    fn the_last_id_is_an_id_or_nothing() {
        let read = |value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(
                HeaderName::from_static(LAST_EVENT_ID),
                HeaderValue::from_static(value),
            );
            last_event_id(&headers)
        };
        let id = "evt_01K0000000000000000000000A";
        assert_eq!(read(id).unwrap(), Some(id.parse().unwrap()));
        assert_eq!(read("").unwrap(), None);
        assert_eq!(last_event_id(&HeaderMap::new()).unwrap(), None);
        for bad in ["7", "evt_", "dev_01K0000000000000000000000A"] {
            assert_eq!(read(bad).unwrap_err().code(), "invalid_last_event_id", "{bad}");
        }
    }
}
