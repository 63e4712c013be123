//! Settings that were chosen while the gateway ran.

use async_trait::async_trait;

use crate::Result;
use crate::model::ChosenSettings;

/// Stored settings.
#[async_trait]
pub trait Settings: Send + Sync {
    /// What was chosen; nothing in the beginning.
    async fn load(&self) -> Result<ChosenSettings>;

    /// Stores what is chosen in place of what was before, in one change. Durable on return.
    async fn save(&self, chosen: &ChosenSettings) -> Result<()>;
}
