//! Workspaces are names on devices: one exists as long as a device carries it.

use async_trait::async_trait;

use crate::Result;
use crate::model::{Workspace, WorkspaceName};

/// The workspaces in use.
#[async_trait]
pub trait Workspaces: Send + Sync {
    /// Each once, sorted by name, with how many devices carry it.
    async fn list(&self) -> Result<Vec<Workspace>>;

    /// Gives everything that is called `from` another name, in one change: devices, endpoints and API keys. `false`, and
    /// nothing is changed, when no device carries `from`; `AlreadyExists` when anything carries `to`. No device may be
    /// changed meanwhile.
    async fn rename(&self, from: &WorkspaceName, to: &WorkspaceName) -> Result<bool>;

    /// Takes the name off its devices, which stay, and removes the endpoints and API keys that are for it alone, in one
    /// change. `false` when no device carries it. No device may be changed meanwhile.
    async fn delete(&self, name: &WorkspaceName) -> Result<bool>;
}
