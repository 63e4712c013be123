//! Devices: how one is, which there are, taking one away.

use std::collections::HashMap;

use super::Gateway;
use crate::Result;
use crate::model::{Device, DeviceQuery, Page, SessionState, Token};

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

impl Gateway {
    /// The device and what its session is doing. Asks nobody: both are known here.
    pub async fn session_status(&self, token: &Token) -> Result<DeviceStatus> {
        let device = self.device(token).await?;
        Ok(self.status_of(device))
    }

    /// One page of devices.
    pub async fn list_devices(&self, query: &DeviceQuery) -> Result<Page<ListedDevice>> {
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
