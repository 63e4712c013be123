//! `GET /api/workspaces`: the workspaces in use.

use actix_web::web::{Data, Json};
use serde::Serialize;
use utoipa::ToSchema;

use crate::problem::Problem;
use crate::state::ApiState;

#[derive(Serialize, ToSchema)]
#[schema(as = SeedWorkspaces)]
pub(super) struct WorkspacesView {
    data: Vec<String>,
}

/// Lists the workspaces in use.
#[utoipa::path(
    get,
    path = "/api/workspaces",
    tag = "seed",
    responses((status = 200, description = "Their names", body = WorkspacesView)),
)]
pub(super) async fn list_workspaces(state: Data<ApiState>) -> Result<Json<WorkspacesView>, Problem> {
    let workspaces = state.gateway.list_workspaces().await?;
    Ok(Json(WorkspacesView {
        data: workspaces
            .iter()
            .map(|workspace| workspace.name.to_string())
            .collect(),
    }))
}
