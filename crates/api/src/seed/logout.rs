//! `POST /api/logout`: unlinks the device at WhatsApp; it stays in the list.

use actix_web::web::{Data, Json};
use serde::Serialize;

use crate::extract::{SeedInput, TokenOnly};
use crate::problem::Problem;
use crate::state::ApiState;

#[derive(Serialize)]
pub(super) struct LoggedOutView {
    status: &'static str,
}

pub(super) async fn log_out(
    state: Data<ApiState>,
    input: SeedInput<TokenOnly>,
) -> Result<Json<LoggedOutView>, Problem> {
    state
        .run(|gateway| async move { gateway.log_out(&input.token).await })
        .await?;
    Ok(Json(LoggedOutView { status: "logged_out" }))
}
