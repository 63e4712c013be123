//! Workspaces: the names that devices carry.

use async_trait::async_trait;
use diesel::dsl::{count_star, exists, select};
use diesel::prelude::*;
use wagate_domain::model::{Workspace, WorkspaceName};
use wagate_domain::ports::Workspaces;
use wagate_domain::{Error, Result};

use crate::dialect::Conn;
use crate::error::{Failure, stored};
use crate::pool::Database;
use crate::schema::{api_keys, devices, webhooks};

/// [`Workspaces`] in a database.
pub struct SqlWorkspaces {
    pub(crate) database: Database,
}

impl std::fmt::Debug for SqlWorkspaces {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SqlWorkspaces")
    }
}

fn has_devices(conn: &mut Conn<'_>, name: &str) -> Result<bool, Failure> {
    let carriers = devices::table.filter(devices::workspace.eq(Some(name)));
    Ok(on!(conn, c => select(exists(carriers)).get_result(c)?))
}

fn in_use(conn: &mut Conn<'_>, name: &str) -> Result<bool, Failure> {
    let receiving = webhooks::table.filter(webhooks::workspace.eq(Some(name)));
    let opening = api_keys::table.filter(api_keys::workspace.eq(Some(name)));
    Ok(has_devices(conn, name)?
        || on!(conn, c => select(exists(receiving)).get_result(c)?)
        || on!(conn, c => select(exists(opening)).get_result(c)?))
}

fn rename(conn: &mut Conn<'_>, from: &str, to: &str) -> Result<bool, Failure> {
    if !has_devices(conn, from)? {
        return Ok(false);
    }
    if in_use(conn, to)? {
        return Err(Failure::Domain(Error::AlreadyExists {
            what: "workspace",
            id: to.into(),
        }));
    }
    let (from, to) = (Some(from), Some(to));
    on!(conn, c => {
        let of_devices = devices::table.filter(devices::workspace.eq(from));
        diesel::update(of_devices).set(devices::workspace.eq(to)).execute(c)?;
        let of_webhooks = webhooks::table.filter(webhooks::workspace.eq(from));
        diesel::update(of_webhooks).set(webhooks::workspace.eq(to)).execute(c)?;
        let of_keys = api_keys::table.filter(api_keys::workspace.eq(from));
        diesel::update(of_keys).set(api_keys::workspace.eq(to)).execute(c)?;
    });
    Ok(true)
}

fn delete(conn: &mut Conn<'_>, name: &str) -> Result<bool, Failure> {
    let name = Some(name);
    Ok(on!(conn, c => {
        let of_devices = devices::table.filter(devices::workspace.eq(name));
        let left = diesel::update(of_devices).set(devices::workspace.eq(None::<String>)).execute(c)?;
        if left > 0 {
            diesel::delete(webhooks::table.filter(webhooks::workspace.eq(name))).execute(c)?;
            diesel::delete(api_keys::table.filter(api_keys::workspace.eq(name))).execute(c)?;
        }
        left > 0
    }))
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

    async fn rename(&self, from: &WorkspaceName, to: &WorkspaceName) -> Result<bool> {
        let (from, to) = (from.to_string(), to.to_string());
        self.database.write(move |conn| rename(conn, &from, &to)).await
    }

    async fn delete(&self, name: &WorkspaceName) -> Result<bool> {
        let name = name.to_string();
        self.database.write(move |conn| delete(conn, &name)).await
    }
}
