//! `/v1/deliveries`: what was sent to endpoints, and sending it again.

use actix_web::HttpResponse;
use actix_web::web::{Data, Json};
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};
use wagate_domain::model::{
    CursorQuery, DeliveryFilter, DeliveryId, DeliveryStanding, DeviceId, EventId, Token, WebhookId,
};
use wagate_domain::{Error, Gateway, Result};

use super::delivery_view::{DeliveryDetailView, DeliveryView};
use super::extract::{Body, Named, NoFields, NoQuery, Params};
use super::problem::{PROBLEM_JSON, ProblemView};
use super::view::PageView;
use super::webhook_body::ReplayDeliveriesBody;
use crate::extract::under;
use crate::problem::Problem;
use crate::query::QueryFields;
use crate::state::ApiState;

/// Which deliveries.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct DeliveriesQuery {
    /// `next` of the page before.
    #[param(value_type = Option<String>)]
    after: Option<DeliveryId>,
    /// Most deliveries on the page.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 200, default = 50)]
    limit: u32,
    /// Only those to the endpoint with this id.
    #[param(value_type = Option<String>)]
    webhook: Option<WebhookId>,
    /// Only those of the event with this id.
    #[param(value_type = Option<String>)]
    event: Option<EventId>,
    /// Only those of the device with this token, or with this id (`dev_…`).
    #[param(value_type = Option<String>)]
    device: Option<DeviceName>,
    /// Only those that stand like this: `pending`, `delivered` or `dead`.
    #[param(value_type = Option<String>)]
    status: Option<DeliveryStanding>,
}

/// Deliveries show ids of devices, clients know tokens: both lead to the device.
enum DeviceName {
    Id(DeviceId),
    Token(Token),
}

impl TryFrom<QueryFields> for DeliveriesQuery {
    type Error = Error;

    fn try_from(query: QueryFields) -> Result<Self> {
        let device = query.one("device")?.map(device_name).transpose();
        Ok(Self {
            after: query.read("after")?,
            limit: query.limit()?,
            webhook: query.read("webhook")?,
            event: query.read("event")?,
            device: device.map_err(|error| under("device", error))?,
            status: query.read("status")?,
        })
    }
}

fn device_name(text: &str) -> Result<DeviceName> {
    match text.parse() {
        Ok(id) => Ok(DeviceName::Id(id)),
        Err(_) => text.parse().map(DeviceName::Token),
    }
}

impl DeviceName {
    async fn id(&self, gateway: &Gateway) -> Result<DeviceId> {
        match self {
            Self::Id(id) => Ok(*id),
            Self::Token(token) => Ok(gateway.session_status(token).await?.device.id),
        }
    }
}

/// How many deliveries will be made once more.
#[derive(Serialize, ToSchema)]
#[schema(as = Replayed)]
pub(super) struct ReplayedView {
    /// That many.
    replayed: u64,
}

/// Deliveries that will be made once more, and the job that follows them.
#[derive(Serialize, ToSchema)]
#[schema(as = ReplayStarted)]
pub(super) struct ReplayStartedView {
    /// That many.
    replayed: u64,
    /// The job's id: `GET /v1/jobs/{id}` says how many of them are settled.
    job: String,
}

/// Lists deliveries.
///
/// The newest first, without their bodies.
#[utoipa::path(
    get,
    path = "/v1/deliveries",
    tag = "deliveries",
    params(DeliveriesQuery),
    responses(
        (status = 200, description = "One page of deliveries", body = PageView<DeliveryView>),
        (status = 404, description = "There is no such device", body = ProblemView, content_type = PROBLEM_JSON),
    ),
)]
pub(super) async fn list_deliveries(
    state: Data<ApiState>,
    query: Params<DeliveriesQuery>,
) -> Result<Json<PageView<DeliveryView>>, Problem> {
    let query = query.0;
    let device = match &query.device {
        Some(name) => Some(name.id(&state.gateway).await?),
        None => None,
    };
    let filter = DeliveryFilter {
        webhook: query.webhook,
        event: query.event,
        device,
        standing: query.status,
    };
    let cursor = CursorQuery::new(query.after, query.limit);
    let page = state.gateway.list_deliveries(&filter, cursor).await?;
    Ok(Json(PageView::new(page, DeliveryView::from)))
}

/// Gives one delivery.
///
/// With its attempts and the beginning of its body.
#[utoipa::path(
    get,
    path = "/v1/deliveries/{id}",
    tag = "deliveries",
    params(("id" = String, Path, description = "The delivery's id")),
    responses((status = 200, description = "The delivery", body = DeliveryDetailView)),
)]
pub(super) async fn get_delivery(
    state: Data<ApiState>,
    id: Named<DeliveryId>,
    _: Params<NoQuery>,
) -> Result<Json<DeliveryDetailView>, Problem> {
    Ok(Json(state.gateway.get_delivery(id.0).await?.into()))
}

/// Makes a delivery once more.
///
/// Now, with the same body and id, and with a new schedule of retries.
#[utoipa::path(
    post,
    path = "/v1/deliveries/{id}/replay",
    tag = "deliveries",
    params(("id" = String, Path, description = "The delivery's id")),
    responses((status = 202, description = "It will be made", body = ReplayedView)),
)]
pub(super) async fn replay_delivery(
    state: Data<ApiState>,
    id: Named<DeliveryId>,
    _: Params<NoQuery>,
    _: Body<NoFields>,
) -> Result<HttpResponse, Problem> {
    state
        .run(|gateway| async move { gateway.replay_delivery(id.0).await })
        .await?;
    Ok(HttpResponse::Accepted().json(ReplayedView { replayed: 1 }))
}

/// Makes an endpoint's deliveries once more.
///
/// Those of events that were recorded in a stretch of time, and that were given up unless `status` says
/// otherwise. The job tells how many are delivered or given up again. Cancelling it lets those that nobody has tried yet
/// stand as they did before; the others go on.
#[utoipa::path(
    post,
    path = "/v1/webhooks/{id}/replay",
    tag = "webhooks",
    params(("id" = String, Path, description = "The endpoint's id")),
    request_body = ReplayDeliveriesBody,
    responses(
        (status = 202, description = "They will be made", body = ReplayStartedView),
        (status = 429, description = "Too many jobs run: none will be made. Come back after `Retry-After` seconds", body = ProblemView, content_type = PROBLEM_JSON),
    ),
)]
pub(super) async fn replay_deliveries(
    state: Data<ApiState>,
    id: Named<WebhookId>,
    _: Params<NoQuery>,
    body: Body<ReplayDeliveriesBody>,
) -> Result<HttpResponse, Problem> {
    let which = body.0.read(state.gateway.parts().clock.now())?;
    let job = state
        .run(|gateway| async move { gateway.replay_deliveries(id.0, which).await })
        .await?;
    Ok(HttpResponse::Accepted().json(ReplayStartedView {
        replayed: job.total,
        job: job.id.to_string(),
    }))
}
