//! Devices: making one, how one is, which there are, taking one away.

use std::collections::HashMap;

use super::Gateway;
use crate::model::{
    Change, CursorPage, CursorQuery, Device, DeviceFilter, DeviceId, DeviceLabel, DeviceQuery, Page,
    SessionState, StateName, Token, WorkspaceName,
};
use crate::{Error, Result};

/// A device and what its session is doing now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceStatus {
    /// As stored.
    pub device: Device,
    /// As it is now.
    pub state: SessionState,
}

/// A row of the device list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedDevice {
    /// The device and its state.
    pub status: DeviceStatus,
    /// Where its events go.
    pub webhook_url: Option<String>,
}

/// What to change of a device.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DevicePatch {
    /// What people call it.
    pub label: Change<DeviceLabel>,
    /// The workspace it is assigned to.
    pub workspace: Change<WorkspaceName>,
}

impl DevicePatch {
    fn apply(self, device: &mut Device) {
        self.label.apply(&mut device.label);
        self.workspace.apply(&mut device.workspace);
    }
}

impl Gateway {
    /// Makes a device and leaves it alone: it connects when its session is started. `AlreadyExists` when the
    /// token is taken.
    #[tracing::instrument(skip_all, fields(%token))]
    pub async fn create_device(&self, token: &Token, fields: DevicePatch) -> Result<DeviceStatus> {
        let id = DeviceId::new(self.parts.ids.next());
        let mut device = Device::new(id, token.clone(), self.parts.clock.now());
        fields.apply(&mut device);
        let device = self.parts.devices.create(device).await?;
        if device.id == id {
            Ok(self.status_of(device))
        } else {
            Err(Error::AlreadyExists {
                what: "device",
                id: token.to_string(),
            })
        }
    }

    /// One device, or `NotFound`.
    pub async fn get_device(&self, token: &Token) -> Result<DeviceStatus> {
        self.session_status(token).await
    }

    /// Changes what people call a device and where it belongs.
    #[tracing::instrument(skip_all, fields(%token))]
    pub async fn update_device(&self, token: &Token, patch: DevicePatch) -> Result<DeviceStatus> {
        let device = self.device(token).await?;
        let change = |device: &mut Device| {
            patch.apply(device);
            Ok(())
        };
        let device = self.intake.change_device(device.id, change).await?;
        Ok(self.status_of(device))
    }

    /// Devices that match and whose session is in this state, newest first, and how many there are on all pages.
    pub async fn list_devices(
        &self,
        filter: &DeviceFilter,
        state: Option<StateName>,
        query: CursorQuery<DeviceId>,
    ) -> Result<(CursorPage<DeviceStatus, DeviceId>, u64)> {
        let mut standings = self.parts.devices.standings(filter).await?;
        if let Some(state) = state {
            standings.retain(|device| self.state_of(device.id, device.ended.as_ref()).name() == state);
        }
        let total = standings.len() as u64;
        let read = query
            .after
            .map_or(0, |after| standings.partition_point(|device| device.id >= after));
        let mut ids: Vec<DeviceId> = standings[read..].iter().map(|device| device.id).collect();
        let more = ids.len() > query.limit() as usize;
        ids.truncate(query.limit() as usize);
        let devices = self.parts.devices.get_many(&ids).await?;
        let page = CursorPage {
            items: devices.into_iter().map(|device| self.status_of(device)).collect(),
            next: ids.last().copied().filter(|_| more),
        };
        Ok((page, total))
    }

    /// The device and what its session is doing. Asks nobody: both are known here.
    pub async fn session_status(&self, token: &Token) -> Result<DeviceStatus> {
        let device = self.device(token).await?;
        Ok(self.status_of(device))
    }

    /// One numbered page of devices, oldest first.
    pub async fn page_devices(&self, query: &DeviceQuery) -> Result<Page<ListedDevice>> {
        let page = self.parts.devices.list(query).await?;
        let ids: Vec<_> = page.items.iter().map(|device| device.id).collect();
        let webhooks = self.parts.webhooks.seeds_of(&ids).await?;
        let mut urls: HashMap<_, _> = webhooks
            .into_iter()
            .filter_map(|webhook| Some((webhook.scope.device()?, webhook.url)))
            .collect();
        let items = page.items.into_iter().map(|device| ListedDevice {
            webhook_url: urls.remove(&device.id),
            status: self.status_of(device),
        });
        Ok(Page {
            items: items.collect(),
            total: page.total,
        })
    }

    /// Removes the device and everything of it, unlinking it at WhatsApp first when connected.
    #[tracing::instrument(skip_all, fields(%token))]
    pub async fn delete_device(&self, token: &Token) -> Result<()> {
        let device = self.device(token).await?;
        let _turn = self.lifecycle.lock(device.id).await;
        if let Ok(session) = self.connected_session(&device)
            && let Err(error) = session.logout().await
        {
            // The person wants it gone; the phone's list of linked devices is the place to finish.
            tracing::warn!(device = %device.id, %error, "deleted without unlinking at WhatsApp");
        }
        self.close_session(device.id).await;
        self.jobs.forget(device.id);
        self.parts.keys.erase(device.id).await?;
        self.parts.devices.delete(device.id).await
    }

    pub(super) fn status_of(&self, device: Device) -> DeviceStatus {
        DeviceStatus {
            state: self.state(&device),
            device,
        }
    }
}
