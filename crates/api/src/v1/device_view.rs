//! What clients see of devices.

use serde::Serialize;
use utoipa::ToSchema;
use wagate_domain::gateway::DeviceStatus;
use wagate_domain::model::{CursorPage, DeviceId, EndReason, Jid};

use super::session_view::SessionView;
use super::view::time;

/// One linked number, or one waiting to be linked.
#[derive(Serialize, ToSchema)]
#[schema(as = Device)]
pub(super) struct DeviceView {
    /// Our id.
    #[schema(value_type = String)]
    id: DeviceId,
    /// The clients' own name for it, which stands in paths.
    token: String,
    /// What people call it.
    #[schema(required = true)]
    name: Option<String>,
    /// The workspace it is assigned to.
    #[schema(required = true)]
    workspace: Option<String>,
    /// The account's number, while linked.
    #[schema(required = true)]
    phone: Option<String>,
    /// The account's hidden identity, while linked and once known.
    #[schema(required = true)]
    lid: Option<String>,
    /// Name that the account shows to others.
    #[schema(required = true)]
    push_name: Option<String>,
    /// Address of the account's picture, as WhatsApp last gave it.
    #[schema(required = true)]
    picture_url: Option<String>,
    /// When the device was made.
    #[schema(format = DateTime)]
    created_at: String,
    /// What its session is doing. A code to scan is never in it: that is for whoever asks for the session.
    session: SessionView,
}

impl From<DeviceStatus> for DeviceView {
    fn from(DeviceStatus { device, state }: DeviceStatus) -> Self {
        // A phone that unlinked us leaves its address on the device until the next start.
        let account = device
            .jid
            .as_ref()
            .filter(|_| device.ended != Some(EndReason::LoggedOut));
        Self {
            id: device.id,
            token: device.token.to_string(),
            name: device.label.map(|label| label.to_string()),
            workspace: device.workspace.map(|name| name.to_string()),
            phone: account.map(|jid| jid.user().to_owned()),
            lid: account.and(device.lid.as_ref()).map(Jid::to_string),
            push_name: account.and(device.push_name),
            picture_url: account.and(device.picture_url),
            created_at: time(device.created_at),
            session: SessionView::without_code(&state),
        }
    }
}

/// A page of devices.
#[derive(Serialize, ToSchema)]
#[schema(as = DevicePage)]
pub(super) struct DevicesView {
    /// The devices.
    data: Vec<DeviceView>,
    /// What to ask for as `after` to get the next page; null when this one is the last.
    #[schema(required = true)]
    next: Option<String>,
    /// How many there are on all pages.
    total: u64,
}

impl DevicesView {
    pub(super) fn new(page: CursorPage<DeviceStatus, DeviceId>, total: u64) -> Self {
        Self {
            data: page.items.into_iter().map(DeviceView::from).collect(),
            next: page.next.map(|next| next.to_string()),
            total,
        }
    }
}
