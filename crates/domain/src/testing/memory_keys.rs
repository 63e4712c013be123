//! Protocol state in memory.

use async_trait::async_trait;
use bytes::Bytes;

use super::memory::MemoryStore;
use crate::Result;
use crate::model::{DeviceId, Timestamp};
use crate::ports::{KeyEntry, KeyKind, KeyVault};

#[async_trait]
impl KeyVault for MemoryStore {
    async fn get_many(
        &self,
        device: DeviceId,
        kind: KeyKind,
        keys: Vec<Bytes>,
    ) -> Result<Vec<(Bytes, Bytes)>> {
        let state = self.lock()?;
        let mut found = Vec::with_capacity(keys.len());
        for key in std::collections::BTreeSet::from_iter(keys) {
            if let Some((value, _)) = state.keys.get(&(device, kind, key.clone())) {
                found.push((key, value.clone()));
            }
        }
        Ok(found)
    }

    async fn put_many(&self, device: DeviceId, entries: Vec<KeyEntry>) -> Result<()> {
        if entries.is_empty() {
            return Ok(());
        }
        let mut state = self.lock()?;
        state.require_device(device)?;
        for entry in entries {
            state
                .keys
                .insert((device, entry.kind, entry.key), (entry.value, entry.expires_at));
        }
        Ok(())
    }

    async fn replace_many(&self, device: DeviceId, entries: Vec<KeyEntry>) -> Result<()> {
        let mut state = self.lock()?;
        for entry in entries {
            if let Some(stored) = state.keys.get_mut(&(device, entry.kind, entry.key)) {
                *stored = (entry.value, entry.expires_at);
            }
        }
        Ok(())
    }

    async fn delete_many(&self, device: DeviceId, kind: KeyKind, keys: Vec<Bytes>) -> Result<()> {
        let mut state = self.lock()?;
        for key in keys {
            state.keys.remove(&(device, kind, key));
        }
        Ok(())
    }

    async fn scan(&self, device: DeviceId, kind: KeyKind, prefix: Bytes) -> Result<Vec<(Bytes, Bytes)>> {
        let state = self.lock()?;
        Ok(state
            .keys
            .range((device, kind, prefix.clone())..)
            .take_while(|((owner, of, key), _)| *owner == device && *of == kind && key.starts_with(&prefix))
            .map(|((.., key), (value, _))| (key.clone(), value.clone()))
            .collect())
    }

    async fn delete_prefix(&self, device: DeviceId, kind: KeyKind, prefix: Bytes) -> Result<u64> {
        let mut state = self.lock()?;
        let before = state.keys.len();
        state
            .keys
            .retain(|(owner, of, key), _| *owner != device || *of != kind || !key.starts_with(&prefix));
        Ok((before - state.keys.len()) as u64)
    }

    async fn take(&self, device: DeviceId, kind: KeyKind, key: Bytes) -> Result<Option<Bytes>> {
        Ok(self
            .lock()?
            .keys
            .remove(&(device, kind, key))
            .map(|(value, _)| value))
    }

    async fn expire(&self, device: DeviceId, kind: KeyKind, now: Timestamp) -> Result<u64> {
        let mut state = self.lock()?;
        let before = state.keys.len();
        state.keys.retain(|(owner, of, _), (_, expires_at)| {
            *owner != device || *of != kind || expires_at.is_none_or(|at| at > now)
        });
        Ok((before - state.keys.len()) as u64)
    }

    async fn erase(&self, device: DeviceId) -> Result<()> {
        self.lock()?.keys.retain(|(owner, ..), _| *owner != device);
        Ok(())
    }
}
