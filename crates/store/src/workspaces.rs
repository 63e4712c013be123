//! Workspaces: the names that devices carry.

use async_trait::async_trait;
use diesel::dsl::count_star;
use diesel::prelude::*;
use wagate_domain::Result;
use wagate_domain::model::Workspace;
use wagate_domain::ports::Workspaces;

use crate::dialect::Conn;
use crate::error::stored;
use crate::pool::Database;
use crate::schema::devices;

/// [`Workspaces`] in a database.
pub struct SqlWorkspaces {
    pub(crate) database: Database,
}

impl std::fmt::Debug for SqlWorkspaces {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SqlWorkspaces")
    }
}

#[async_trait]
impl Workspaces for SqlWorkspaces {
    async fn list(&self) -> Result<Vec<Workspace>> {
        let list = |conn: &mut Conn<'_>| {
            let used = devices::table
                .filter(devices::workspace.is_not_null())
                .group_by(devices::workspace)
                .select((devices::workspace, count_star()));
            let counts: Vec<(Option<String>, i64)> = on!(conn, c => used.load(c)?);
            let workspace = |(name, devices): (Option<String>, i64)| {
                Ok(Workspace {
                    name: stored(name.as_deref().unwrap_or_default())?,
                    devices: u64::try_from(devices).unwrap_or(0),
                })
            };
            let mut workspaces = counts.into_iter().map(workspace).collect::<Result<Vec<_>>>()?;
            // Here, because every database sorts text in its own way.
            workspaces.sort_by(|a, b| a.name.cmp(&b.name));
            Ok(workspaces)
        };
        self.database.run(list).await
    }
}
