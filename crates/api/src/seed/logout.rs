//! `POST /api/logout`: unlinks the device at WhatsApp; it stays in the list.

use actix_web::web::{Data, Json};
use serde::Serialize;
use utoipa::ToSchema;

use crate::extract::{SeedInput, TokenOnly};
use crate::problem::Problem;
use crate::state::ApiState;

#[derive(Serialize, ToSchema)]
#[schema(as = SeedLoggedOut)]
pub(super) struct LoggedOutView {
    status: &'static str,
}

/// Unlinks the device at WhatsApp; it stays in the list.
#[utoipa::path(
    post,
    path = "/api/logout",
    tag = "seed",
    responses((status = 200, description = "It is unlinked", body = LoggedOutView)),
)]
pub(super) async fn log_out(
    state: Data<ApiState>,
    input: SeedInput<TokenOnly>,
) -> Result<Json<LoggedOutView>, Problem> {
    state
        .run(|gateway| async move { gateway.log_out(&input.token).await })
        .await?;
    Ok(Json(LoggedOutView { status: "logged_out" }))
}
