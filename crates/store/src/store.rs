//! The door of the crate: opens the database and hands out one implementation per port.

use std::sync::Arc;

use diesel::{IntoSql, RunQueryDsl};
use tokio::sync::watch;
use wagate_domain::Result;
use wagate_domain::ports::{
    Admins, Chats, DeliveryLog, DeliveryQueue, Devices, Directory, EventStore, IssuedKeys, KeyVault, Outbox,
    Settings, SignIns, Webhooks, Workspaces,
};

use crate::connection::Target;
use crate::pool::Database;
use crate::seal::Sealer;
use crate::stamp::{self, Kind};
use crate::{
    SqlAdmins, SqlApiKeys, SqlChats, SqlDeliveries, SqlDeliveryLog, SqlDevices, SqlDirectory, SqlEvents,
    SqlKeys, SqlOutbox, SqlSettings, SqlSignIns, SqlWebhooks, SqlWorkspaces,
};

/// Where the database is and how it is used.
#[derive(Clone, PartialEq, Eq)]
pub struct StoreSettings {
    /// `sqlite://` and the path of the file (`sqlite://data/wagate.db`, or `sqlite:///var/lib/…`), or
    /// `postgres://user:password@host:port/database`, with libpq's options such as `?sslmode=verify-full`.
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

    /// Which database it is: `sqlite` or `postgres`.
    pub fn database(&self) -> &'static str {
        if self.url.starts_with("postgres") {
            "postgres"
        } else {
            "sqlite"
        }
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
    /// start-up may. `Invalid` for a bad address, for a database that a newer version made and for one that
    /// was sealed with other keys; `Unavailable` when it cannot be reached, or another gateway works on it.
    pub fn open(settings: &StoreSettings, sealer: Sealer) -> Result<Self> {
        let target = Target::parse(&settings.url)?;
        Ok(Self {
            database: Database::open(target, settings.readers.max(1), sealer)?,
        })
    }

    /// Seals everything anew that is not sealed with the current key, beside other work. Says how many values
    /// there were; after it the former keys are of no use any more.
    pub async fn reseal(&self) -> Result<u64> {
        self.database.reseal().await
    }

    /// Turns true when the disk failed under a commit. The store takes no writes any more then, and the process
    /// must end at once without closing it: what lies in the system's cache cannot be trusted.
    pub fn broken(&self) -> watch::Receiver<bool> {
        self.database.broken()
    }

    /// Commits what is queued and closes the database. Later calls fail with `Unavailable`.
    pub async fn close(&self) {
        self.database.close().await;
    }

    /// Whether both reading and writing work now: writes a row and waits until it is on disk.
    pub async fn ping(&self) -> Result<()> {
        self.database.write_apart(stamp::beat).await?;
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

    /// Conversations.
    pub fn chats(&self) -> Arc<dyn Chats> {
        Arc::new(SqlChats {
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

    /// What became of it.
    pub fn delivery_log(&self) -> Arc<dyn DeliveryLog> {
        Arc::new(SqlDeliveryLog {
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

    /// Who may sign in.
    pub fn admins(&self) -> Arc<dyn Admins> {
        Arc::new(SqlAdmins {
            database: self.database.clone(),
        })
    }

    /// What programs call with.
    pub fn api_keys(&self) -> Arc<dyn IssuedKeys> {
        Arc::new(SqlApiKeys {
            database: self.database.clone(),
        })
    }

    /// What was chosen while the gateway ran.
    pub fn settings(&self) -> Arc<dyn Settings> {
        Arc::new(SqlSettings {
            database: self.database.clone(),
        })
    }

    /// Who is signed in.
    pub fn sign_ins(&self) -> Arc<dyn SignIns> {
        Arc::new(SqlSignIns {
            database: self.database.clone(),
        })
    }
}
