//! `POST /api/workspace`: assigns the device to a workspace.

use actix_web::web::{Data, Json};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use wagate_domain::model::WorkspaceName;
use wagate_domain::{Error, Result};

use crate::extract::{Field, SeedInput, text};
use crate::problem::Problem;
use crate::state::ApiState;

#[derive(Deserialize, ToSchema)]
#[schema(as = SeedAssignWorkspace)]
pub(super) struct WorkspaceBody {
    /// Its name; empty for none.
    #[schema(value_type = Option<String>)]
    workspace: Field,
}

#[derive(Serialize, ToSchema)]
#[schema(as = SeedWorkspace)]
pub(super) struct WorkspaceView {
    status: bool,
    token: String,
    workspace: String,
}

/// Assigns the device to a workspace; an empty one unassigns it.
#[utoipa::path(
    post,
    path = "/api/workspace",
    tag = "seed",
    request_body = WorkspaceBody,
    responses((status = 200, description = "It is assigned", body = WorkspaceView)),
)]
pub(super) async fn assign_workspace(
    state: Data<ApiState>,
    input: SeedInput<WorkspaceBody>,
) -> Result<Json<WorkspaceView>, Problem> {
    let workspace = required_workspace(input.body.workspace)?;
    let device = state
        .run(|gateway| async move { gateway.assign_workspace(&input.token, workspace).await })
        .await?;
    Ok(Json(WorkspaceView {
        status: true,
        token: device.token.to_string(),
        workspace: device.workspace.map(|name| name.to_string()).unwrap_or_default(),
    }))
}

/// A forgotten field must not unassign the device: only an empty one does.
fn required_workspace(field: Field) -> Result<Option<WorkspaceName>> {
    let name = text("workspace", field)?.ok_or_else(|| {
        Error::invalid(
            "workspace",
            "workspace is required; an empty one unassigns the device",
        )
    })?;
    if name.trim().is_empty() {
        Ok(None)
    } else {
        name.parse().map(Some)
    }
}
