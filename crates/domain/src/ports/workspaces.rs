//! Workspaces are names on devices: one exists as long as a device carries it.

use async_trait::async_trait;

use crate::Result;
use crate::model::Workspace;

/// The workspaces in use.
#[async_trait]
pub trait Workspaces: Send + Sync {
    /// Each once, sorted by name, with how many devices carry it.
    async fn list(&self) -> Result<Vec<Workspace>>;
}
