//! Workspaces are names on devices: one exists as long as a device carries it.

use async_trait::async_trait;

use crate::Result;
use crate::model::WorkspaceName;

/// The workspaces in use.
#[async_trait]
pub trait Workspaces: Send + Sync {
    /// Distinct names, sorted.
    async fn names(&self) -> Result<Vec<WorkspaceName>>;
}
