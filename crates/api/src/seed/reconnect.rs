//! `POST /api/reconnect`: drops the connection and makes a new one.

use actix_web::web::{Data, Json};
use serde::Serialize;

use crate::extract::{SeedInput, TokenOnly};
use crate::problem::Problem;
use crate::state::ApiState;

#[derive(Serialize)]
pub(super) struct ReconnectedView {
    status: &'static str,
}

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
