//! Endpoints in memory.

use async_trait::async_trait;

use super::memory::{MemoryStore, State};
use super::memory_delivery_log::page;
use crate::model::{
    CursorPage, CursorQuery, Device, DeviceId, Timestamp, Webhook, WebhookId, WebhookScope, WebhookState,
};
use crate::ports::Webhooks;
use crate::{Error, Result};

impl State {
    fn seed_of(&self, device: DeviceId) -> Option<&Webhook> {
        self.webhooks
            .values()
            .find(|webhook| webhook.scope == WebhookScope::Seed(device))
    }

    fn overwrite_webhook(&mut self, webhook: &Webhook, now: Timestamp) -> Result<()> {
        let stored = self
            .webhooks
            .get_mut(&webhook.id)
            .ok_or_else(|| no_webhook(webhook.id))?;
        let was_active = stored.state == WebhookState::Active;
        let is_active = webhook.state == WebhookState::Active;
        *stored = Webhook {
            scope: stored.scope.clone(),
            created_at: stored.created_at,
            failing_since: stored.failing_since.filter(|_| was_active || !is_active),
            ..webhook.clone()
        };
        match (was_active, is_active) {
            (true, false) => self.hold(webhook.id),
            (false, true) => self.release(webhook.id, now),
            _ => {}
        }
        Ok(())
    }
}

fn receives(webhook: &Webhook, device: &Device) -> bool {
    match &webhook.scope {
        WebhookScope::Seed(id) | WebhookScope::Device(id) => *id == device.id,
        WebhookScope::Workspace(name) => device.workspace.as_ref() == Some(name),
        WebhookScope::Global => true,
    }
}

fn no_webhook(id: WebhookId) -> Error {
    Error::NotFound {
        what: "webhook",
        id: id.to_string(),
    }
}

#[async_trait]
impl Webhooks for MemoryStore {
    async fn get(&self, id: WebhookId) -> Result<Option<Webhook>> {
        Ok(self.lock()?.webhooks.get(&id).cloned())
    }

    async fn seed_of(&self, device: DeviceId) -> Result<Option<Webhook>> {
        Ok(self.lock()?.seed_of(device).cloned())
    }

    async fn seeds_of(&self, devices: &[DeviceId]) -> Result<Vec<Webhook>> {
        let state = self.lock()?;
        Ok(devices
            .iter()
            .filter_map(|device| state.seed_of(*device).cloned())
            .collect())
    }

    async fn receiving(&self, device: &Device) -> Result<Vec<Webhook>> {
        let state = self.lock()?;
        Ok(state
            .webhooks
            .values()
            .filter(|webhook| receives(webhook, device))
            .cloned()
            .collect())
    }

    async fn list(&self, query: CursorQuery<WebhookId>) -> Result<CursorPage<Webhook, WebhookId>> {
        let state = self.lock()?;
        let items = state
            .webhooks
            .values()
            .filter(|webhook| query.after.is_none_or(|after| webhook.id > after))
            .cloned()
            .collect();
        Ok(page(items, query.limit(), |webhook: &Webhook| webhook.id))
    }

    async fn create(&self, webhook: &Webhook) -> Result<()> {
        let mut state = self.lock()?;
        if let Some(device) = webhook.scope.device() {
            state.require_device(device)?;
        }
        state.webhooks.insert(webhook.id, webhook.clone());
        Ok(())
    }

    async fn put_seed(&self, webhook: &Webhook, now: Timestamp) -> Result<()> {
        let mut state = self.lock()?;
        let device = webhook.scope.device().unwrap_or(DeviceId::new(ulid::Ulid::nil()));
        state.require_device(device)?;
        let Some(earlier) = state.seed_of(device).cloned() else {
            state.webhooks.insert(webhook.id, webhook.clone());
            return Ok(());
        };
        let disabled = matches!(earlier.state, WebhookState::Disabled { .. });
        let changed = Webhook {
            url: webhook.url.clone(),
            state: if disabled {
                WebhookState::Active
            } else {
                earlier.state.clone()
            },
            ..earlier
        };
        state.overwrite_webhook(&changed, now)
    }

    async fn update(&self, webhook: &Webhook, now: Timestamp) -> Result<()> {
        self.lock()?.overwrite_webhook(webhook, now)
    }

    async fn delete(&self, id: WebhookId) -> Result<()> {
        let mut state = self.lock()?;
        state.webhooks.remove(&id);
        state.deliveries.retain(|_, row| row.webhook != id);
        Ok(())
    }
}
