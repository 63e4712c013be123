//! `/v1/devices`: the numbers that are linked, and those that wait to be.

use actix_web::HttpResponse;
use actix_web::http::header::LOCATION;
use actix_web::web::{Data, Json};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use wagate_domain::gateway::DevicePatch;
use wagate_domain::model::{Change, CursorQuery, DeviceFilter, DeviceId, StateName, Token, WorkspaceName};
use wagate_domain::{Error, Result};

use super::device_view::{DeviceView, DevicesView};
use super::extract::{Body, Named, NoQuery, Params};
use super::fields::{change, required};
use super::problem::{PROBLEM_JSON, ProblemView};
use crate::access::Caller;
use crate::extract::Field;
use crate::problem::Problem;
use crate::query::QueryFields;
use crate::state::ApiState;

/// Which devices.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct DevicesQuery {
    /// Only those whose token, name, account name or number has this in it, in any case.
    #[param(value_type = Option<String>)]
    search: Option<String>,
    /// Only those in this workspace.
    #[param(value_type = Option<String>)]
    workspace: Option<WorkspaceName>,
    /// Only those whose session is in this state.
    #[param(value_type = Option<String>, example = "connected")]
    state: Option<StateName>,
    /// `next` of the page before.
    #[param(value_type = Option<String>)]
    after: Option<DeviceId>,
    /// Most devices on the page.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 200, default = 50)]
    limit: u32,
}

impl TryFrom<QueryFields> for DevicesQuery {
    type Error = Error;

    fn try_from(query: QueryFields) -> Result<Self> {
        Ok(Self {
            search: query.search()?,
            workspace: query.read("workspace")?,
            state: query.read("state")?,
            after: query.read("after")?,
            limit: query.limit()?,
        })
    }
}

/// A device to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CreateDevice)]
pub(super) struct CreateDeviceBody {
    /// The client's own name for it, which stands in paths: 1 to 128 characters of `A-Z a-z 0-9 . _ - @ :`.
    #[schema(value_type = String, example = "my-token")]
    token: Field,
    /// What people call it.
    #[schema(value_type = Option<String>, example = "Corner shop")]
    name: Field,
    /// The workspace it belongs to.
    #[schema(value_type = Option<String>)]
    workspace: Field,
}

/// What to change of a device. What is left out stays; an empty text takes away what is there.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = UpdateDevice)]
pub(super) struct UpdateDeviceBody {
    /// What people call it.
    #[schema(value_type = Option<String>, example = "Corner shop")]
    name: Field,
    /// The workspace it belongs to.
    #[schema(value_type = Option<String>)]
    workspace: Field,
}

impl TryFrom<UpdateDeviceBody> for DevicePatch {
    type Error = Error;

    fn try_from(body: UpdateDeviceBody) -> Result<Self> {
        Ok(Self {
            label: change("name", body.name)?,
            workspace: change("workspace", body.workspace)?,
        })
    }
}

/// Makes a device.
///
/// It connects once its session is started.
#[utoipa::path(
    post,
    path = "/v1/devices",
    tag = "devices",
    request_body = CreateDeviceBody,
    responses(
        (status = 201, description = "The device", body = DeviceView,
         headers(("Location" = String, description = "Where the device is"))),
        (status = 409, description = "The token is taken", body = ProblemView, content_type = PROBLEM_JSON),
    ),
)]
pub(super) async fn create_device(
    state: Data<ApiState>,
    _: Params<NoQuery>,
    body: Body<CreateDeviceBody>,
) -> Result<HttpResponse, Problem> {
    let CreateDeviceBody {
        token,
        name,
        workspace,
    } = body.0;
    let token: Token = required("token", token)?.parse()?;
    let fields = DevicePatch::try_from(UpdateDeviceBody { name, workspace })?;
    let location = format!("/v1/devices/{token}");
    let status = state
        .run(|gateway| async move { gateway.create_device(&token, fields).await })
        .await?;
    Ok(HttpResponse::Created()
        .insert_header((LOCATION, location))
        .json(DeviceView::from(status)))
}

/// Lists devices.
///
/// The newest first.
#[utoipa::path(
    get,
    path = "/v1/devices",
    tag = "devices",
    params(DevicesQuery),
    responses((status = 200, description = "One page of devices", body = DevicesView)),
)]
pub(super) async fn list_devices(
    state: Data<ApiState>,
    query: Params<DevicesQuery>,
) -> Result<Json<DevicesView>, Problem> {
    let query = query.0;
    let filter = DeviceFilter {
        text: query.search,
        workspace: query.workspace,
    };
    let cursor = CursorQuery::new(query.after, query.limit);
    let (page, total) = state.gateway.list_devices(&filter, query.state, cursor).await?;
    Ok(Json(DevicesView::new(page, total)))
}

/// Gives one device.
#[utoipa::path(
    get,
    path = "/v1/devices/{device}",
    tag = "devices",
    params(("device" = String, Path, description = "The device's token")),
    responses((status = 200, description = "The device", body = DeviceView)),
)]
pub(super) async fn get_device(
    state: Data<ApiState>,
    device: Named<Token>,
    _: Params<NoQuery>,
) -> Result<Json<DeviceView>, Problem> {
    Ok(Json(state.gateway.get_device(&device.0).await?.into()))
}

/// Changes a device.
#[utoipa::path(
    patch,
    path = "/v1/devices/{device}",
    tag = "devices",
    params(("device" = String, Path, description = "The device's token")),
    request_body = UpdateDeviceBody,
    responses((status = 200, description = "The device as it is now", body = DeviceView)),
)]
pub(super) async fn update_device(
    state: Data<ApiState>,
    caller: Caller,
    device: Named<Token>,
    _: Params<NoQuery>,
    body: Body<UpdateDeviceBody>,
) -> Result<Json<DeviceView>, Problem> {
    let patch = DevicePatch::try_from(body.0)?;
    if patch.workspace != Change::Keep {
        // It would give the device to whoever has a key for the other workspace.
        caller.reaches_everything()?;
    }
    let status = state
        .run(|gateway| async move { gateway.update_device(&device.0, patch).await })
        .await?;
    Ok(Json(status.into()))
}

/// Removes a device.
///
/// It is unlinked at WhatsApp first when it is connected; everything of it goes.
#[utoipa::path(
    delete,
    path = "/v1/devices/{device}",
    tag = "devices",
    params(("device" = String, Path, description = "The device's token")),
    responses((status = 204, description = "It is gone")),
)]
pub(super) async fn delete_device(
    state: Data<ApiState>,
    device: Named<Token>,
    _: Params<NoQuery>,
) -> Result<HttpResponse, Problem> {
    state
        .run(|gateway| async move { gateway.delete_device(&device.0).await })
        .await?;
    Ok(HttpResponse::NoContent().finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_stays_and_what_is_empty_goes() {
        let patch = |json: &str| -> Result<DevicePatch> {
            serde_json::from_str::<UpdateDeviceBody>(json).unwrap().try_into()
        };
        assert_eq!(patch("{}").unwrap(), DevicePatch::default());
        assert_eq!(patch(r#"{"name":null}"#).unwrap(), DevicePatch::default());
        let gone = DevicePatch {
            label: Change::Clear,
            workspace: Change::Clear,
        };
        assert_eq!(patch(r#"{"name":"","workspace":""}"#).unwrap(), gone);
        let shop = Change::Set("Shop".parse().unwrap());
        assert_eq!(patch(r#"{"name":" Shop "}"#).unwrap().label, shop);
        for (json, code) in [
            (r#"{"name":7}"#, "invalid_name"),
            (r#"{"name":"a\nb"}"#, "invalid_name"),
            (r#"{"workspace":" "}"#, "invalid_workspace"),
        ] {
            assert_eq!(patch(json).unwrap_err().code(), code, "{json}");
        }
    }

    #[test]
    fn filters_say_something_or_are_left_out() {
        let read = |query: &str| DevicesQuery::try_from(QueryFields::parse(query).unwrap());
        let query = read("search=Shop&state=banned&workspace=North").unwrap();
        assert_eq!(query.search.as_deref(), Some("Shop"));
        assert_eq!(query.state.unwrap().as_str(), "banned");
        for (query, code) in [
            ("search=", "invalid_search"),
            ("search=a%00b", "invalid_search"),
            ("state=ended", "invalid_state"),
            ("workspace=", "invalid_workspace"),
            ("after=shop", "invalid_after"),
        ] {
            assert_eq!(read(query).err().unwrap().code(), code, "{query}");
        }
    }
}
