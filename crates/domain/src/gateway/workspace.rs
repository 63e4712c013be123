//! Workspaces: assigning devices to them, and which there are.

use super::Gateway;
use crate::Result;
use crate::model::{Device, Token, Workspace, WorkspaceName};

impl Gateway {
    /// Assigns the device to a workspace, or to none.
    pub async fn assign_workspace(&self, token: &Token, workspace: Option<WorkspaceName>) -> Result<Device> {
        let device = self.device(token).await?;
        self.intake
            .change_device(device.id, |device| {
                device.workspace = workspace;
                Ok(())
            })
            .await
    }

    /// The workspaces in use, sorted by name.
    pub async fn list_workspaces(&self) -> Result<Vec<Workspace>> {
        self.parts.workspaces.list().await
    }
}
