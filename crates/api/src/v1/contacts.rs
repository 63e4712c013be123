//! `/v1/devices/{device}/contacts`: the phone's address book, and names seen on messages.

use actix_web::web::{Data, Json};
use utoipa::IntoParams;
use wagate_domain::model::{CursorQuery, Jid, Token};
use wagate_domain::{Error, Result};

use super::contact_view::ContactView;
use super::extract::{Named, Params};
use super::view::PageView;
use crate::problem::Problem;
use crate::query::QueryFields;
use crate::state::ApiState;

/// Which people or groups.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct DirectoryQuery {
    /// Only those with this in a name or, for people, in their number, in any case.
    #[param(value_type = Option<String>)]
    pub(super) search: Option<String>,
    /// `next` of the page before.
    #[param(value_type = Option<String>)]
    after: Option<Jid>,
    /// Most of them on the page.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 200, default = 50)]
    limit: u32,
}

impl TryFrom<QueryFields> for DirectoryQuery {
    type Error = Error;

    fn try_from(query: QueryFields) -> Result<Self> {
        Ok(Self {
            search: query.search()?,
            after: query.read("after")?,
            limit: query.limit()?,
        })
    }
}

impl DirectoryQuery {
    pub(super) fn cursor(&self) -> CursorQuery<Jid> {
        CursorQuery::new(self.after.clone(), self.limit)
    }
}

/// Lists contacts.
///
/// By address; also while the device is offline.
#[utoipa::path(
    get,
    path = "/v1/devices/{device}/contacts",
    tag = "directory",
    params(("device" = String, Path, description = "The device's token"), DirectoryQuery),
    responses((status = 200, description = "One page of contacts", body = PageView<ContactView>)),
)]
pub(super) async fn list_contacts(
    state: Data<ApiState>,
    device: Named<Token>,
    query: Params<DirectoryQuery>,
) -> Result<Json<PageView<ContactView>>, Problem> {
    let query = query.0;
    let page = state
        .gateway
        .list_contacts(&device.0, query.search.as_deref(), &query.cursor())
        .await?;
    Ok(Json(PageView::new(page, ContactView::from)))
}
