//! `GET /api/workspaces`: the workspaces in use.

use actix_web::web::{Data, Json};
use serde::Serialize;

use crate::problem::Problem;
use crate::state::ApiState;

#[derive(Serialize)]
pub(super) struct WorkspacesView {
    data: Vec<String>,
}

pub(super) async fn list_workspaces(state: Data<ApiState>) -> Result<Json<WorkspacesView>, Problem> {
    let names = state.gateway.list_workspaces().await?;
    Ok(Json(WorkspacesView {
        data: names.iter().map(ToString::to_string).collect(),
    }))
}
