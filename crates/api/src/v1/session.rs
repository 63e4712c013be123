//! `/v1/devices/{device}/session`: what a device's session is doing, and telling it what to do.

use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::web::{Data, Json};
use serde::Deserialize;
use utoipa::ToSchema;
use wagate_domain::gateway::DeviceStatus;
use wagate_domain::model::Token;
use wagate_domain::{Gateway, Result};

use super::extract::{Body, Named, NoFields, NoQuery, Params};
use super::fields::required;
use super::problem::{PROBLEM_JSON, ProblemView};
use super::session_view::{PairingView, SessionView};
use crate::extract::Field;
use crate::problem::Problem;
use crate::state::ApiState;

/// Whose phone types the code.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PairByPhone)]
pub(super) struct PairByPhoneBody {
    /// The account's number in any human form, with its country code unless `default_region` is set.
    #[schema(value_type = String, example = "+62 812-3456-789")]
    phone: Field,
}

fn view(state: &ApiState, status: &DeviceStatus) -> Result<SessionView> {
    SessionView::new(&status.state, state.gateway.parts().clock.now())
}

fn accepted(state: &ApiState, status: &DeviceStatus) -> Result<HttpResponse, Problem> {
    Ok(HttpResponse::Accepted().json(view(state, status)?))
}

/// Says what the session is doing.
///
/// With the code to scan while there is one. Nobody is asked: this is what the gateway knows now.
#[utoipa::path(
    get,
    path = "/v1/devices/{device}/session",
    tag = "sessions",
    params(("device" = String, Path, description = "The device's token")),
    responses((status = 200, description = "The session", body = SessionView)),
)]
pub(super) async fn session_status(
    state: Data<ApiState>,
    device: Named<Token>,
    _: Params<NoQuery>,
) -> Result<Json<SessionView>, Problem> {
    let status = state.gateway.session_status(&device.0).await?;
    Ok(Json(view(&state, &status)?))
}

/// Connects.
///
/// Again is fine. A device that is not linked gets codes to scan; one whose link is gone starts over with fresh
/// keys.
#[utoipa::path(
    post,
    path = "/v1/devices/{device}/session/start",
    tag = "sessions",
    params(("device" = String, Path, description = "The device's token")),
    responses((status = 202, description = "It is starting", body = SessionView)),
)]
pub(super) async fn start_session(
    state: Data<ApiState>,
    device: Named<Token>,
    _: Params<NoQuery>,
    _: Body<NoFields>,
) -> Result<HttpResponse, Problem> {
    let status = state
        .run(|gateway| async move { gateway.wake_session(&device.0).await })
        .await?;
    accepted(&state, &status)
}

/// Drops the connection and makes a new one.
#[utoipa::path(
    post,
    path = "/v1/devices/{device}/session/reconnect",
    tag = "sessions",
    params(("device" = String, Path, description = "The device's token")),
    responses(
        (status = 202, description = "It is connecting", body = SessionView),
        (status = 409, description = "The device is not linked", body = ProblemView, content_type = PROBLEM_JSON),
    ),
)]
pub(super) async fn reconnect_session(
    state: Data<ApiState>,
    device: Named<Token>,
    _: Params<NoQuery>,
    _: Body<NoFields>,
) -> Result<HttpResponse, Problem> {
    let status = state
        .run(|gateway| async move { gateway.begin_reconnect(&device.0).await })
        .await?;
    accepted(&state, &status)
}

/// Unlinks the device at WhatsApp.
///
/// Its keys go; the device itself stays and can be linked again.
#[utoipa::path(
    post,
    path = "/v1/devices/{device}/session/log-out",
    tag = "sessions",
    params(("device" = String, Path, description = "The device's token")),
    responses(
        (status = 202, description = "It is unlinked", body = SessionView),
        (status = 409, description = "The device is not linked, or not connected: WhatsApp could not be told", body = ProblemView, content_type = PROBLEM_JSON),
    ),
)]
pub(super) async fn log_out(
    state: Data<ApiState>,
    device: Named<Token>,
    _: Params<NoQuery>,
    _: Body<NoFields>,
) -> Result<HttpResponse, Problem> {
    let log_out = |gateway: Arc<Gateway>| async move {
        gateway.log_out(&device.0).await?;
        gateway.session_status(&device.0).await
    };
    let status = state.run(log_out).await?;
    accepted(&state, &status)
}

/// Gives a code to type into the phone instead of scanning.
///
/// Starts the session when it does not run, and waits until WhatsApp can be asked.
#[utoipa::path(
    post,
    path = "/v1/devices/{device}/session/pair",
    tag = "sessions",
    params(("device" = String, Path, description = "The device's token")),
    request_body = PairByPhoneBody,
    responses(
        (status = 200, description = "The code", body = PairingView),
        (status = 409, description = "The device is linked already", body = ProblemView, content_type = PROBLEM_JSON),
        (status = 429, description = "WhatsApp wants us to slow down: come back after `Retry-After` seconds", body = ProblemView, content_type = PROBLEM_JSON),
        (status = 504, description = "WhatsApp did not answer in time", body = ProblemView, content_type = PROBLEM_JSON),
    ),
)]
pub(super) async fn pair_by_phone(
    state: Data<ApiState>,
    device: Named<Token>,
    _: Params<NoQuery>,
    body: Body<PairByPhoneBody>,
) -> Result<Json<PairingView>, Problem> {
    let phone = required("phone", body.0.phone)?;
    let pairing = state
        .run(|gateway| async move { gateway.pair_by_phone(&device.0, &phone).await })
        .await?;
    Ok(Json(pairing.into()))
}
