//! Workspaces in memory.

use std::collections::BTreeMap;

use async_trait::async_trait;

use super::memory::{MemoryStore, State};
use crate::model::{KeyReach, KeyScope, WebhookId, WebhookScope, Workspace, WorkspaceName};
use crate::ports::Workspaces;
use crate::{Error, Result};

fn has_devices(state: &State, name: &WorkspaceName) -> bool {
    let mut devices = state.devices.values();
    devices.any(|device| device.workspace.as_ref() == Some(name))
}

fn is_for(reach: &KeyReach, name: &WorkspaceName) -> bool {
    matches!(reach, KeyReach::Workspace(own) if own == name)
}

fn receives(scope: &WebhookScope, name: &WorkspaceName) -> bool {
    matches!(scope, WebhookScope::Workspace(own) if own == name)
}

fn in_use(state: &State, name: &WorkspaceName) -> bool {
    has_devices(state, name)
        || state
            .webhooks
            .values()
            .any(|webhook| receives(&webhook.scope, name))
        || state.api_keys.values().any(|key| is_for(key.scope.reach(), name))
}

#[async_trait]
impl Workspaces for MemoryStore {
    async fn list(&self) -> Result<Vec<Workspace>> {
        let mut counts = BTreeMap::new();
        for device in self.lock()?.devices.values() {
            if let Some(name) = &device.workspace {
                *counts.entry(name.clone()).or_insert(0) += 1;
            }
        }
        Ok(counts
            .into_iter()
            .map(|(name, devices)| Workspace { name, devices })
            .collect())
    }

    async fn rename(&self, from: &WorkspaceName, to: &WorkspaceName) -> Result<bool> {
        let mut state = self.lock()?;
        if !has_devices(&state, from) {
            return Ok(false);
        }
        if in_use(&state, to) {
            return Err(Error::AlreadyExists {
                what: "workspace",
                id: to.to_string(),
            });
        }
        for device in state.devices.values_mut() {
            if device.workspace.as_ref() == Some(from) {
                device.workspace = Some(to.clone());
            }
        }
        for webhook in state.webhooks.values_mut() {
            if receives(&webhook.scope, from) {
                webhook.scope = WebhookScope::Workspace(to.clone());
            }
        }
        for key in state.api_keys.values_mut() {
            if let KeyScope::Limited { reach, .. } = &mut key.scope
                && is_for(reach, from)
            {
                *reach = KeyReach::Workspace(to.clone());
            }
        }
        Ok(true)
    }

    async fn delete(&self, name: &WorkspaceName) -> Result<bool> {
        let mut state = self.lock()?;
        if !has_devices(&state, name) {
            return Ok(false);
        }
        for device in state.devices.values_mut() {
            if device.workspace.as_ref() == Some(name) {
                device.workspace = None;
            }
        }
        let doomed: Vec<WebhookId> = state
            .webhooks
            .values()
            .filter(|webhook| receives(&webhook.scope, name))
            .map(|webhook| webhook.id)
            .collect();
        state.webhooks.retain(|id, _| !doomed.contains(id));
        state.deliveries.retain(|_, row| !doomed.contains(&row.webhook));
        state.api_keys.retain(|_, key| !is_for(key.scope.reach(), name));
        Ok(true)
    }
}
