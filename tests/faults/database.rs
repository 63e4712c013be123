//! On which database a story runs. Each is written once and registered for all of them by [`on_each_database!`].

use std::path::Path;

use wagate_tests::postgres::{Cluster, ClusterSettings};

/// A kind of database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Database {
    /// The file in the data directory.
    Sqlite,
    /// A private cluster.
    Postgres,
}

/// A database that is there.
#[derive(Debug)]
pub enum Storage {
    /// The gateway makes the file.
    Sqlite,
    /// The cluster that the gateway is told to use.
    Postgres(Box<Cluster>),
}

/// The database of every cluster.
const NAME: &str = "wagate";

impl Storage {
    pub fn start(kind: Database) -> Self {
        match kind {
            Database::Sqlite => Self::Sqlite,
            Database::Postgres => {
                let cluster = Cluster::start_new(ClusterSettings::default());
                cluster.create_database(NAME);
                Self::Postgres(Box::new(cluster))
            }
        }
    }

    /// What `WAGATE_DATABASE_URL` has to be; empty for the gateway's own default.
    pub fn url(&self) -> String {
        match self {
            Self::Sqlite => String::new(),
            Self::Postgres(cluster) => cluster.url(NAME),
        }
    }

    /// The cluster, in stories that only make sense with one.
    pub fn cluster(&mut self) -> &mut Cluster {
        match self {
            Self::Sqlite => panic!("this story is about PostgreSQL"),
            Self::Postgres(cluster) => cluster,
        }
    }
}

/// The file of SQLite in a gateway's data directory.
pub fn sqlite_file(data: &Path) -> std::path::PathBuf {
    data.join("wagate.db")
}

/// Registers stories, `async fn(Database)`, for every database that the gateway speaks to.
macro_rules! on_each_database {
    ($($(#[$meta:meta])* $story:ident),+ $(,)?) => {
        mod sqlite {
            $(
                $(#[$meta])*
                #[tokio::test(flavor = "multi_thread")]
                async fn $story() {
                    super::$story(crate::database::Database::Sqlite).await;
                }
            )+
        }
        on_postgres!($($(#[$meta])* $story),+);
    };
}

/// Registers stories for PostgreSQL alone.
macro_rules! on_postgres {
    ($($(#[$meta:meta])* $story:ident),+ $(,)?) => {
        mod postgres {
            $(
                $(#[$meta])*
                #[tokio::test(flavor = "multi_thread")]
                async fn $story() {
                    super::$story(crate::database::Database::Postgres).await;
                }
            )+
        }
    };
}
