//! Stored webhook endpoints.

use async_trait::async_trait;

use crate::Result;
use crate::model::{CursorPage, CursorQuery, Device, DeviceId, Timestamp, Webhook, WebhookId};

/// The endpoints that receive events.
#[async_trait]
pub trait Webhooks: Send + Sync {
    /// The endpoint with this id.
    async fn get(&self, id: WebhookId) -> Result<Option<Webhook>>;

    /// The device's one endpoint of `POST /api/webhook`.
    async fn seed_of(&self, device: DeviceId) -> Result<Option<Webhook>>;

    /// Those of all these devices; devices without one are left out.
    async fn seeds_of(&self, devices: &[DeviceId]) -> Result<Vec<Webhook>>;

    /// Every endpoint that receives this device's events, by id: its own, those of its workspace, and the
    /// global ones, whatever their state.
    async fn receiving(&self, device: &Device) -> Result<Vec<Webhook>>;

    /// Endpoints, oldest first.
    async fn list(&self, query: CursorQuery<WebhookId>) -> Result<CursorPage<Webhook, WebhookId>>;

    /// Stores a new endpoint. `NotFound` when its device is gone.
    async fn create(&self, webhook: &Webhook) -> Result<()>;

    /// Sets the address of the device's seed endpoint, and makes it when there is none: id, secret and
    /// creation time of an earlier one stay, so that deliveries on their way follow the new address. One that
    /// was disabled is active again from `now` on. `NotFound` when the device is gone.
    async fn put_seed(&self, webhook: &Webhook, now: Timestamp) -> Result<()>;

    /// Overwrites an endpoint by id, all but scope, creation time and `failing_since`. One that stops being
    /// active holds its deliveries, one that becomes active again makes them from `now` on. `NotFound` when it
    /// is gone.
    async fn update(&self, webhook: &Webhook, now: Timestamp) -> Result<()>;

    /// Removes an endpoint, what is on its way there, and what is known of former deliveries. Removing one
    /// that is gone is fine.
    async fn delete(&self, id: WebhookId) -> Result<()>;
}
