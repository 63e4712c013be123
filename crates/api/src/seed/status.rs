//! `GET` and `POST /api/status`: whether the device is paired, as old clients understand `status`, and
//! whether its connection is up.

use actix_web::web::{Data, Json};
use serde::Serialize;
use utoipa::ToSchema;
use wagate_domain::gateway::DeviceStatus;
use wagate_domain::model::{EndReason, Jid};

use crate::extract::{SeedInput, TokenOnly};
use crate::problem::Problem;
use crate::state::ApiState;

#[derive(Serialize, ToSchema)]
#[schema(as = SeedStatus)]
pub(super) struct StatusView {
    status: bool,
    message: &'static str,
    name: String,
    phone: String,
    pic: String,
    data: Option<AccountView>,
    state: &'static str,
    connected: bool,
}

#[derive(Serialize, ToSchema)]
#[schema(as = SeedAccount)]
struct AccountView {
    id: String,
    lid: String,
    name: String,
}

/// Says whether the device is linked (`status`) and whether its connection is up (`connected`).
#[utoipa::path(
    method(get, post),
    path = "/api/status",
    tag = "seed",
    responses((status = 200, description = "The status", body = StatusView)),
)]
pub(super) async fn session_status(
    state: Data<ApiState>,
    input: SeedInput<TokenOnly>,
) -> Result<Json<StatusView>, Problem> {
    Ok(Json(state.gateway.session_status(&input.token).await?.into()))
}

impl From<DeviceStatus> for StatusView {
    fn from(DeviceStatus { device, state }: DeviceStatus) -> Self {
        // A phone that unlinked us leaves its address on the device until the next start.
        let account = device
            .jid
            .as_ref()
            .filter(|_| device.ended != Some(EndReason::LoggedOut));
        let name = account.and(device.push_name).unwrap_or_default();
        Self {
            status: account.is_some(),
            message: if account.is_some() {
                "AUTHENTICATED"
            } else {
                "DISCONNECTED"
            },
            phone: account.map(|jid| jid.user().to_owned()).unwrap_or_default(),
            pic: account.and(device.picture_url).unwrap_or_default(),
            data: account.map(|jid| AccountView {
                id: jid.to_string(),
                lid: device.lid.as_ref().map(Jid::to_string).unwrap_or_default(),
                name: name.clone(),
            }),
            name,
            state: state.as_str(),
            connected: state.is_connected(),
        }
    }
}
