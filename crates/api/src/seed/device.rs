//! `DELETE /api/device`: takes the device away with everything of it.

use actix_web::web::{Data, Json};
use serde::Serialize;

use crate::extract::{SeedInput, TokenOnly};
use crate::problem::Problem;
use crate::state::ApiState;

#[derive(Serialize)]
pub(super) struct DeletedView {
    status: &'static str,
}

pub(super) async fn delete_device(
    state: Data<ApiState>,
    input: SeedInput<TokenOnly>,
) -> Result<Json<DeletedView>, Problem> {
    state
        .run(|gateway| async move { gateway.delete_device(&input.token).await })
        .await?;
    Ok(Json(DeletedView { status: "deleted" }))
}
