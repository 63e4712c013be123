//! API keys as rows: digests, never the keys.

use async_trait::async_trait;
use diesel::prelude::*;
use wagate_domain::model::{ApiKey, ApiKeyId, KeyDigest, KeyReach, KeyScope, Timestamp};
use wagate_domain::ports::IssuedKeys;
use wagate_domain::{Error, Result};

use crate::dialect::Conn;
use crate::error::{stored, stored_option};
use crate::pool::Database;
use crate::schema::api_keys;

/// [`IssuedKeys`] in a database.
pub struct SqlApiKeys {
    pub(crate) database: Database,
}

impl std::fmt::Debug for SqlApiKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SqlApiKeys")
    }
}

#[derive(Queryable, Insertable)]
#[diesel(table_name = api_keys, treat_none_as_default_value = false)]
struct ApiKeyRow {
    id: String,
    name: String,
    prefix: String,
    digest: Vec<u8>,
    actions: String,
    device_id: Option<String>,
    workspace: Option<String>,
    created_at: i64,
    last_used_at: Option<i64>,
}

impl ApiKeyRow {
    fn new(key: &ApiKey) -> Self {
        let (device_id, workspace) = match key.scope.reach() {
            KeyReach::Everything => (None, None),
            KeyReach::Device(id) => (Some(id.to_string()), None),
            KeyReach::Workspace(name) => (None, Some(name.to_string())),
        };
        Self {
            id: key.id.to_string(),
            name: key.name.to_string(),
            prefix: key.prefix.clone(),
            digest: key.digest.0.to_vec(),
            actions: key.scope.words().join(","),
            device_id,
            workspace,
            created_at: key.created_at.0,
            last_used_at: key.last_used_at.map(|at| at.0),
        }
    }

    fn open(self) -> Result<ApiKey> {
        let device = stored_option(self.device_id.as_deref())?;
        let workspace = stored_option(self.workspace.as_deref())?;
        let reach = match (device, workspace) {
            (Some(id), _) => KeyReach::Device(id),
            (None, Some(name)) => KeyReach::Workspace(name),
            (None, None) => KeyReach::Everything,
        };
        let words: Vec<&str> = self.actions.split(',').collect();
        let digest = self.digest.as_slice().try_into();
        Ok(ApiKey {
            id: stored(&self.id)?,
            name: stored(&self.name)?,
            prefix: self.prefix,
            digest: KeyDigest(digest.map_err(|_| Error::internal("damaged row: not a digest"))?),
            scope: KeyScope::parse(&words, reach).map_err(Error::internal)?,
            created_at: Timestamp(self.created_at),
            last_used_at: self.last_used_at.map(Timestamp),
        })
    }
}

#[async_trait]
impl IssuedKeys for SqlApiKeys {
    async fn all(&self) -> Result<Vec<ApiKey>> {
        let all = |conn: &mut Conn<'_>| {
            let rows: Vec<ApiKeyRow> = on!(conn, c => api_keys::table.order(api_keys::id).load(c)?);
            Ok(rows.into_iter().map(ApiKeyRow::open).collect::<Result<_>>()?)
        };
        self.database.run(all).await
    }

    async fn create(&self, key: &ApiKey) -> Result<()> {
        let row = ApiKeyRow::new(key);
        let create = move |conn: &mut Conn<'_>| {
            on!(conn, c => diesel::insert_into(api_keys::table).values(&row).execute(c)?);
            Ok(())
        };
        self.database.write_apart(create).await
    }

    async fn delete(&self, id: ApiKeyId) -> Result<bool> {
        let delete = move |conn: &mut Conn<'_>| {
            let one = api_keys::table.find(id.to_string());
            let count = on!(conn, c => diesel::delete(one).execute(c)?);
            Ok(count > 0)
        };
        self.database.write_apart(delete).await
    }

    async fn note_uses(&self, uses: &[(ApiKeyId, Timestamp)]) -> Result<()> {
        let uses: Vec<(String, i64)> = uses.iter().map(|(id, at)| (id.to_string(), at.0)).collect();
        let note = move |conn: &mut Conn<'_>| {
            for (id, at) in uses {
                let earlier = api_keys::last_used_at
                    .is_null()
                    .or(api_keys::last_used_at.assume_not_null().lt(at));
                let one = api_keys::table.filter(api_keys::id.eq(id)).filter(earlier);
                on!(conn, c => {
                    diesel::update(one).set(api_keys::last_used_at.eq(Some(at))).execute(c)?
                });
            }
            Ok(())
        };
        self.database.write_apart(note).await
    }
}
