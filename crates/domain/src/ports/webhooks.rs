//! Stored webhook endpoints.

use async_trait::async_trait;

use crate::Result;
use crate::model::{DeviceId, Webhook};

/// The endpoints that receive events.
#[async_trait]
pub trait Webhooks: Send + Sync {
    /// The device's endpoint.
    async fn of_device(&self, device: DeviceId) -> Result<Option<Webhook>>;

    /// The endpoints of all these devices; devices without one are left out.
    async fn of_devices(&self, devices: &[DeviceId]) -> Result<Vec<Webhook>>;

    /// Sets the device's one endpoint, in place of the one it had: id, secret and creation time of an
    /// earlier one stay, so that deliveries on their way follow the new address. `NotFound` when the
    /// device is gone.
    async fn put(&self, webhook: Webhook) -> Result<()>;

    /// Removes the device's endpoint and what is on its way there.
    async fn delete(&self, device: DeviceId) -> Result<()>;
}
