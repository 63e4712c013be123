//! Chosen settings in memory.

use async_trait::async_trait;

use super::memory::MemoryStore;
use crate::Result;
use crate::model::ChosenSettings;
use crate::ports::Settings;

#[async_trait]
impl Settings for MemoryStore {
    async fn load(&self) -> Result<ChosenSettings> {
        Ok(self.lock()?.settings.clone())
    }

    async fn save(&self, chosen: &ChosenSettings) -> Result<()> {
        self.lock()?.settings = chosen.clone();
        Ok(())
    }
}
