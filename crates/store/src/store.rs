//! The door of the crate: opens the database and hands out one implementation per port.

use std::path::PathBuf;
use std::sync::Arc;

use diesel::{IntoSql, RunQueryDsl};
use wagate_domain::ports::{
    DeliveryQueue, Devices, Directory, EventStore, KeyVault, Outbox, Webhooks, Workspaces,
};
use wagate_domain::{Error, Result};

use crate::pool::Database;
use crate::stamp::{self, Kind};
use crate::{
    SqlDeliveries, SqlDevices, SqlDirectory, SqlEvents, SqlKeys, SqlOutbox, SqlWebhooks, SqlWorkspaces,
};

/// Where the database is and how it is used.
#[derive(Clone, PartialEq, Eq)]
pub struct StoreSettings {
    /// `sqlite://` and the path of the file: `sqlite://data/wagate.db`, or `sqlite:///var/lib/…`.
    pub url: String,
    /// Most reads at the same time; at least 1.
    pub readers: u32,
}

impl StoreSettings {
    /// Reads at the same time unless somebody says otherwise.
    pub const READERS: u32 = 4;

    /// The usual settings for the database at this address.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            readers: Self::READERS,
        }
    }

    fn path(&self) -> Result<PathBuf> {
        let bad = |reason: &str| Error::invalid("database_url", reason);
        let path = self.url.strip_prefix("sqlite://").ok_or_else(|| {
            bad("the database must be sqlite:// and the path of a file; PostgreSQL is not built in yet")
        })?;
        if path.is_empty() || path.contains(['?', '#']) {
            return Err(bad(
                "sqlite:// is followed by the path of a file, and nothing else",
            ));
        }
        Ok(path.into())
    }
}

/// An address may carry a password.
impl std::fmt::Debug for StoreSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StoreSettings")
            .field("readers", &self.readers)
            .finish_non_exhaustive()
    }
}

/// The storage of one gateway. Clones are the same storage.
#[derive(Clone)]
pub struct Store {
    database: Database,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Store")
    }
}

impl Store {
    /// Opens the database, makes it when there is none, and brings its schema up to date. Blocks, as
    /// start-up may. `Invalid` for a bad address and for a database that a newer version made,
    /// `Unavailable` when the file cannot be used.
    pub fn open(settings: &StoreSettings) -> Result<Self> {
        Ok(Self {
            database: Database::open(settings.path()?, settings.readers.max(1))?,
        })
    }

    /// Commits what is queued and closes the database. Later calls fail with `Unavailable`.
    pub async fn close(&self) {
        self.database.close().await;
    }

    /// Whether both reading and writing work now.
    pub async fn ping(&self) -> Result<()> {
        self.database.write(|_| Ok(())).await?;
        let read = |conn: &mut crate::dialect::Conn<'_>| {
            on!(conn, c => {
                diesel::select(1.into_sql::<diesel::sql_types::Integer>()).get_result::<i32>(c)?;
                Ok(())
            })
        };
        self.database.run(read).await
    }

    /// Marks an empty database as belonging to this kind of WhatsApp; `Invalid` when it belongs to the
    /// other kind, whose keys must never meet this one's servers.
    pub async fn stamp(&self, kind: Kind) -> Result<()> {
        self.database.write(move |conn| stamp::stamp(conn, kind)).await
    }

    /// Stored devices.
    pub fn devices(&self) -> Arc<dyn Devices> {
        Arc::new(SqlDevices {
            database: self.database.clone(),
        })
    }

    /// Names on devices.
    pub fn workspaces(&self) -> Arc<dyn Workspaces> {
        Arc::new(SqlWorkspaces {
            database: self.database.clone(),
        })
    }

    /// Where events go.
    pub fn webhooks(&self) -> Arc<dyn Webhooks> {
        Arc::new(SqlWebhooks {
            database: self.database.clone(),
        })
    }

    /// People.
    pub fn directory(&self) -> Arc<dyn Directory> {
        Arc::new(SqlDirectory {
            database: self.database.clone(),
        })
    }

    /// What happened.
    pub fn events(&self) -> Arc<dyn EventStore> {
        Arc::new(SqlEvents {
            database: self.database.clone(),
        })
    }

    /// What is on its way.
    pub fn deliveries(&self) -> Arc<dyn DeliveryQueue> {
        Arc::new(SqlDeliveries {
            database: self.database.clone(),
        })
    }

    /// Protocol state.
    pub fn keys(&self) -> Arc<dyn KeyVault> {
        Arc::new(SqlKeys {
            database: self.database.clone(),
        })
    }

    /// Sends.
    pub fn outbox(&self) -> Arc<dyn Outbox> {
        Arc::new(SqlOutbox {
            database: self.database.clone(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_name_a_file() {
        let path = |url: &str| StoreSettings::new(url).path();
        assert_eq!(
            path("sqlite://data/wagate.db").unwrap(),
            PathBuf::from("data/wagate.db")
        );
        assert_eq!(
            path("sqlite:///var/wagate.db").unwrap(),
            PathBuf::from("/var/wagate.db")
        );
        for bad in [
            "",
            "wagate.db",
            "sqlite://",
            "sqlite://a?mode=ro",
            "postgres://user:secret@host/db",
        ] {
            let error = path(bad).unwrap_err();
            assert_eq!(error.code(), "invalid_database_url");
            assert!(!error.to_string().contains("secret"));
        }
    }
}
