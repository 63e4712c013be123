//! Workspaces: assigning devices to them, and which there are.

use super::Gateway;
use crate::model::{Device, Token, Workspace, WorkspaceName};
use crate::{Error, Result};

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

    /// Gives a workspace another name, with its devices, endpoints and API keys. `NotFound` when there is none,
    /// `AlreadyExists` when there is one of that name. Whoever holds API keys in memory has to be told.
    #[tracing::instrument(skip_all)]
    pub async fn rename_workspace(&self, from: &WorkspaceName, to: &WorkspaceName) -> Result<Workspace> {
        let renaming = self.parts.workspaces.rename(from, to);
        if from != to && !self.intake.change_devices(renaming).await? {
            return Err(no_workspace(from));
        }
        let listed = self.list_workspaces().await?;
        let renamed = listed.into_iter().find(|workspace| workspace.name == *to);
        renamed.ok_or_else(|| no_workspace(to))
    }

    /// Ends a workspace: its devices stay, its endpoints and API keys go. `NotFound` when there is none. Whoever holds
    /// API keys in memory has to be told.
    #[tracing::instrument(skip_all)]
    pub async fn delete_workspace(&self, name: &WorkspaceName) -> Result<()> {
        let deleting = self.parts.workspaces.delete(name);
        if self.intake.change_devices(deleting).await? {
            Ok(())
        } else {
            Err(no_workspace(name))
        }
    }
}

fn no_workspace(name: &WorkspaceName) -> Error {
    Error::NotFound {
        what: "workspace",
        id: name.to_string(),
    }
}
