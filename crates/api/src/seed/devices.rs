//! `GET /api/devices`: one page of the devices, filtered.

use actix_web::web::{Data, Json};
use serde::Serialize;
use utoipa::ToSchema;
use wagate_domain::Result;
use wagate_domain::gateway::{DeviceStatus, ListedDevice};
use wagate_domain::model::{DeviceFilter, DeviceQuery, Jid, PageQuery};

use super::go_time::go_time;
use crate::problem::Problem;
use crate::query::QueryFields;
use crate::state::ApiState;

/// First page, as long as the older gateway's.
const DEFAULT_PAGE: u32 = 1;
const DEFAULT_LIMIT: u32 = 10;

#[derive(Serialize, ToSchema)]
#[schema(as = SeedDevices)]
pub(super) struct DevicesView {
    data: Vec<DeviceView>,
    total: u64,
    page: u32,
    limit: u32,
}

#[derive(Serialize, ToSchema)]
#[schema(as = SeedDevice)]
struct DeviceView {
    token: String,
    jid: String,
    name: String,
    webhook: String,
    workspace: String,
    state: &'static str,
    connected: bool,
    created_at: String,
}

/// Lists devices.
#[utoipa::path(
    get,
    path = "/api/devices",
    tag = "seed",
    params(
        ("page" = Option<u32>, Query, description = "From 1"),
        ("limit" = Option<u32>, Query, description = "Devices on the page: 10 unless given, at most 200"),
        ("q" = Option<String>, Query, description = "Only those whose token, name or number has this in it"),
        ("workspace" = Option<String>, Query, description = "Only those in this workspace"),
    ),
    responses((status = 200, description = "One page of devices", body = DevicesView)),
)]
pub(super) async fn list_devices(
    state: Data<ApiState>,
    query: QueryFields,
) -> Result<Json<DevicesView>, Problem> {
    let query = device_query(&query)?;
    let devices = state.gateway.page_devices(&query).await?;
    Ok(Json(DevicesView {
        data: devices.items.into_iter().map(DeviceView::from).collect(),
        total: devices.total,
        page: query.page.page(),
        limit: query.page.limit(),
    }))
}

fn device_query(query: &QueryFields) -> Result<DeviceQuery> {
    let page = query.number("page")?.unwrap_or(DEFAULT_PAGE);
    let limit = query.number("limit")?.unwrap_or(DEFAULT_LIMIT);
    Ok(DeviceQuery {
        page: PageQuery::new(page, limit),
        filter: DeviceFilter {
            text: query.text("q")?,
            workspace: query.text("workspace")?.map(|name| name.parse()).transpose()?,
        },
    })
}

impl From<ListedDevice> for DeviceView {
    fn from(
        ListedDevice {
            status: DeviceStatus { device, state },
            webhook_url,
        }: ListedDevice,
    ) -> Self {
        Self {
            token: device.token.to_string(),
            jid: device.jid.as_ref().map(Jid::to_string).unwrap_or_default(),
            name: device.push_name.unwrap_or_default(),
            webhook: webhook_url.unwrap_or_default(),
            workspace: device.workspace.map(|name| name.to_string()).unwrap_or_default(),
            state: state.as_str(),
            connected: state.is_connected(),
            created_at: go_time(Some(device.created_at)),
        }
    }
}
