//! `/v1/devices/{device}/groups`: the groups that the account is in, asked of WhatsApp when they are asked for.

use actix_web::web::{Data, Json};
use wagate_domain::model::{Jid, Token};

use super::contacts::DirectoryQuery;
use super::extract::{Named, NoQuery, Params};
use super::group_view::{GroupDetailView, GroupView};
use super::problem::{PROBLEM_JSON, ProblemView};
use super::view::PageView;
use crate::problem::Problem;
use crate::state::ApiState;

/// Lists groups.
///
/// By address, without their participants.
#[utoipa::path(
    get,
    path = "/v1/devices/{device}/groups",
    tag = "directory",
    params(("device" = String, Path, description = "The device's token"), DirectoryQuery),
    responses(
        (status = 200, description = "One page of groups", body = PageView<GroupView>),
        (status = 409, description = "The device is not linked or not connected", body = ProblemView, content_type = PROBLEM_JSON),
        (status = 504, description = "WhatsApp did not answer in time", body = ProblemView, content_type = PROBLEM_JSON),
    ),
)]
pub(super) async fn list_groups(
    state: Data<ApiState>,
    device: Named<Token>,
    query: Params<DirectoryQuery>,
) -> Result<Json<PageView<GroupView>>, Problem> {
    let query = query.0;
    let page = state
        .gateway
        .list_groups(&device.0, query.search.as_deref(), &query.cursor())
        .await?;
    Ok(Json(PageView::new(page, |group| GroupView::from(&group))))
}

/// Gives one group.
///
/// With its participants.
#[utoipa::path(
    get,
    path = "/v1/devices/{device}/groups/{id}",
    tag = "directory",
    params(
        ("device" = String, Path, description = "The device's token"),
        ("id" = String, Path, description = "The group's address"),
    ),
    responses(
        (status = 200, description = "The group", body = GroupDetailView),
        (status = 409, description = "The device is not linked or not connected", body = ProblemView, content_type = PROBLEM_JSON),
        (status = 504, description = "WhatsApp did not answer in time", body = ProblemView, content_type = PROBLEM_JSON),
    ),
)]
pub(super) async fn get_group(
    state: Data<ApiState>,
    device: Named<Token>,
    id: Named<Jid>,
    _: Params<NoQuery>,
) -> Result<Json<GroupDetailView>, Problem> {
    Ok(Json(state.gateway.get_group(&device.0, &id.0).await?.into()))
}
