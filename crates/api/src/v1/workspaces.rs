//! `/v1/workspaces`: names that group devices; one exists as long as a device carries it.

use actix_web::web::{Data, Json};
use serde::Serialize;
use utoipa::ToSchema;

use super::extract::{NoQuery, Params};
use crate::problem::Problem;
use crate::state::ApiState;

/// All workspaces.
#[derive(Serialize, ToSchema)]
#[schema(as = Workspaces)]
pub(super) struct WorkspacesView {
    /// By name.
    data: Vec<WorkspaceView>,
}

/// A workspace in use.
#[derive(Serialize, ToSchema)]
#[schema(as = Workspace)]
struct WorkspaceView {
    /// Its name.
    name: String,
    /// How many devices carry it.
    devices: u64,
}

/// Lists the workspaces in use.
#[utoipa::path(
    get,
    path = "/v1/workspaces",
    tag = "devices",
    responses((status = 200, description = "All of them, by name", body = WorkspacesView)),
)]
pub(super) async fn list_workspaces(
    state: Data<ApiState>,
    _: Params<NoQuery>,
) -> Result<Json<WorkspacesView>, Problem> {
    let workspaces = state.gateway.list_workspaces().await?.into_iter();
    let view = workspaces.map(|workspace| WorkspaceView {
        name: workspace.name.to_string(),
        devices: workspace.devices,
    });
    Ok(Json(WorkspacesView { data: view.collect() }))
}
