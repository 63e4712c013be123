//! API keys in memory.

use async_trait::async_trait;

use super::memory::MemoryStore;
use crate::Result;
use crate::model::{ApiKey, ApiKeyId, Timestamp};
use crate::ports::IssuedKeys;

#[async_trait]
impl IssuedKeys for MemoryStore {
    async fn all(&self) -> Result<Vec<ApiKey>> {
        Ok(self.lock()?.api_keys.values().cloned().collect())
    }

    async fn create(&self, key: &ApiKey) -> Result<()> {
        self.lock()?.api_keys.insert(key.id, key.clone());
        Ok(())
    }

    async fn delete(&self, id: ApiKeyId) -> Result<bool> {
        Ok(self.lock()?.api_keys.remove(&id).is_some())
    }

    async fn note_uses(&self, uses: &[(ApiKeyId, Timestamp)]) -> Result<()> {
        let mut state = self.lock()?;
        for (id, at) in uses {
            if let Some(key) = state.api_keys.get_mut(id) {
                key.last_used_at = key.last_used_at.max(Some(*at));
            }
        }
        Ok(())
    }
}
