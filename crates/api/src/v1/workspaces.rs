//! `/v1/workspaces`: names that group devices; one exists as long as a device carries it.

use actix_web::HttpResponse;
use actix_web::web::{Data, Json};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use wagate_domain::model::{Workspace, WorkspaceName};

use super::extract::{Body, Named, NoQuery, Params};
use super::fields::required;
use super::problem::{PROBLEM_JSON, ProblemView};
use crate::extract::{Field, under};
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
pub(super) struct WorkspaceView {
    /// Its name.
    name: String,
    /// How many devices carry it.
    devices: u64,
}

impl From<Workspace> for WorkspaceView {
    fn from(workspace: Workspace) -> Self {
        Self {
            name: workspace.name.to_string(),
            devices: workspace.devices,
        }
    }
}

/// Another name for a workspace.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = RenameWorkspace)]
pub(super) struct RenameWorkspaceBody {
    /// 1 to 100 characters; no other workspace is called so.
    #[schema(value_type = String)]
    name: Field,
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
    Ok(Json(WorkspacesView {
        data: workspaces.map(WorkspaceView::from).collect(),
    }))
}

/// Gives a workspace another name.
///
/// Its devices, endpoints and API keys follow.
#[utoipa::path(
    patch,
    path = "/v1/workspaces/{workspace}",
    tag = "devices",
    params(("workspace" = String, Path, description = "The workspace's name")),
    request_body = RenameWorkspaceBody,
    responses(
        (status = 200, description = "The workspace as it is now", body = WorkspaceView),
        (status = 409, description = "Something is called so already", body = ProblemView,
         content_type = PROBLEM_JSON),
    ),
)]
pub(super) async fn rename_workspace(
    state: Data<ApiState>,
    workspace: Named<WorkspaceName>,
    _: Params<NoQuery>,
    body: Body<RenameWorkspaceBody>,
) -> Result<Json<WorkspaceView>, Problem> {
    let to = required("name", body.0.name)?.parse::<WorkspaceName>();
    let to = to.map_err(|error| under("name", error))?;
    let accounts = state.accounts.clone();
    let renamed = state
        .run(|gateway| async move {
            let renamed = gateway.rename_workspace(&workspace.0, &to).await?;
            accounts.workspace_renamed(&workspace.0, &to);
            Ok(renamed)
        })
        .await?;
    Ok(Json(renamed.into()))
}

/// Ends a workspace.
///
/// Its devices stay. Its endpoints and API keys go: they would come back to life with the next workspace of that name.
#[utoipa::path(
    delete,
    path = "/v1/workspaces/{workspace}",
    tag = "devices",
    params(("workspace" = String, Path, description = "The workspace's name")),
    responses((status = 204, description = "It is gone")),
)]
pub(super) async fn delete_workspace(
    state: Data<ApiState>,
    workspace: Named<WorkspaceName>,
    _: Params<NoQuery>,
) -> Result<HttpResponse, Problem> {
    let accounts = state.accounts.clone();
    state
        .run(|gateway| async move {
            gateway.delete_workspace(&workspace.0).await?;
            accounts.workspace_deleted(&workspace.0);
            Ok(())
        })
        .await?;
    Ok(HttpResponse::NoContent().finish())
}
