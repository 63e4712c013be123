//! Stored devices.

use async_trait::async_trait;

use crate::Result;
use crate::model::{Device, DeviceId, DeviceQuery, Page, Token};

/// The devices that clients made.
#[async_trait]
pub trait Devices: Send + Sync {
    /// The device with this token.
    async fn find(&self, token: &Token) -> Result<Option<Device>>;

    /// The device with this id.
    async fn get(&self, id: DeviceId) -> Result<Option<Device>>;

    /// Every device, oldest first.
    async fn all(&self) -> Result<Vec<Device>>;

    /// One page of those that match, newest token last, with how many match.
    async fn list(&self, query: &DeviceQuery) -> Result<Page<Device>>;

    /// Stores a new device and returns it, or returns the one that has the token already: two clients
    /// that create the same token at once both get the same device.
    async fn create(&self, device: Device) -> Result<Device>;

    /// Overwrites a device by id. Durable on return; `NotFound` when it is gone.
    async fn update(&self, device: &Device) -> Result<()>;

    /// Removes the device and all that hangs on it: keys, contacts, webhooks, events, deliveries,
    /// sends. Removing one that is gone is fine.
    async fn delete(&self, id: DeviceId) -> Result<()>;
}
