//! Stored devices.

use async_trait::async_trait;

use crate::Result;
use crate::model::{Device, DeviceFilter, DeviceId, DeviceQuery, DeviceStanding, Page, Token};

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

    /// How every device that matches stands, newest id first: what a session is doing is known to the gateway
    /// alone, so it is the gateway that chooses by it and counts.
    async fn standings(&self, filter: &DeviceFilter) -> Result<Vec<DeviceStanding>>;

    /// The devices with these ids, at most 200, newest id first; those that are gone are left out.
    async fn get_many(&self, ids: &[DeviceId]) -> Result<Vec<Device>>;

    /// Stores a new device and returns it, or returns the one that has the token already: two clients
    /// that create the same token at once both get the same device.
    async fn create(&self, device: Device) -> Result<Device>;

    /// Overwrites a device by id. Durable on return; `NotFound` when it is gone.
    async fn update(&self, device: &Device) -> Result<()>;

    /// Removes the device and all that hangs on it: keys, contacts, webhooks, events, deliveries,
    /// sends. Removing one that is gone is fine.
    async fn delete(&self, id: DeviceId) -> Result<()>;
}
