//! `POST /api/reconnect`: drops the connection and makes a new one.

use actix_web::web::{Data, Json};
use serde::Serialize;
use utoipa::ToSchema;

use crate::extract::{SeedInput, TokenOnly};
use crate::problem::Problem;
use crate::state::ApiState;

#[derive(Serialize, ToSchema)]
#[schema(as = SeedReconnected)]
pub(super) struct ReconnectedView {
    status: &'static str,
}

/// Drops the connection and makes a new one.
#[utoipa::path(
    post,
    path = "/api/reconnect",
    tag = "seed",
    responses((status = 200, description = "It is connected", body = ReconnectedView)),
)]
pub(super) async fn reconnect_session(
    state: Data<ApiState>,
    input: SeedInput<TokenOnly>,
) -> Result<Json<ReconnectedView>, Problem> {
    state
        .run(|gateway| async move { gateway.reconnect_session(&input.token).await })
        .await?;
    Ok(Json(ReconnectedView {
        status: "reconnected",
    }))
}
