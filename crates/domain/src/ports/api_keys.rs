//! The keys that were made for programs.

use async_trait::async_trait;

use crate::Result;
use crate::model::{ApiKey, ApiKeyId, Timestamp};

/// Stored API keys. They are few, and all of them are kept in memory beside it.
#[async_trait]
pub trait IssuedKeys: Send + Sync {
    /// Every key, oldest first.
    async fn all(&self) -> Result<Vec<ApiKey>>;

    /// Stores one. Durable on return.
    async fn create(&self, key: &ApiKey) -> Result<()>;

    /// Removes one; says whether it was there.
    async fn delete(&self, id: ApiKeyId) -> Result<bool>;

    /// Keeps when keys were last used. A time never goes back, and keys that are gone are left out.
    async fn note_uses(&self, uses: &[(ApiKeyId, Timestamp)]) -> Result<()>;
}
