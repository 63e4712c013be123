//! Workspaces: the names that devices carry.

use async_trait::async_trait;
use diesel::prelude::*;
use wagate_domain::Result;
use wagate_domain::model::WorkspaceName;
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
    async fn names(&self) -> Result<Vec<WorkspaceName>> {
        let names = |conn: &mut Conn<'_>| {
            let used = devices::table
                .filter(devices::workspace.is_not_null())
                .select(devices::workspace)
                .distinct();
            let names: Vec<Option<String>> = on!(conn, c => used.load(c)?);
            let mut names: Vec<WorkspaceName> = names
                .iter()
                .flatten()
                .map(|name| stored(name))
                .collect::<Result<_>>()?;
            // Here, because every database sorts text in its own way.
            names.sort();
            Ok(names)
        };
        self.database.run(names).await
    }
}
