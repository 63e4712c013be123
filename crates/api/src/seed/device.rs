//! `DELETE /api/device`: takes the device away with everything of it.

use actix_web::web::{Data, Json};
use serde::Serialize;
use utoipa::ToSchema;

use crate::extract::{SeedInput, TokenOnly};
use crate::problem::Problem;
use crate::state::ApiState;

#[derive(Serialize, ToSchema)]
#[schema(as = SeedDeleted)]
pub(super) struct DeletedView {
    status: &'static str,
}

/// Takes the device away with everything of it.
///
/// Unlinks it first when it is connected.
#[utoipa::path(
    delete,
    path = "/api/device",
    tag = "seed",
    responses((status = 200, description = "It is gone", body = DeletedView)),
)]
pub(super) async fn delete_device(
    state: Data<ApiState>,
    input: SeedInput<TokenOnly>,
) -> Result<Json<DeletedView>, Problem> {
    state
        .run(|gateway| async move { gateway.delete_device(&input.token).await })
        .await?;
    Ok(Json(DeletedView { status: "deleted" }))
}
