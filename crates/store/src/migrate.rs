//! Brings the database to the schema of this program, and refuses one that is ahead of it.

use diesel::migration::{Migration, MigrationSource};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};
use wagate_domain::{Error, Result};

use crate::dialect::Conn;

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("../../migrations");

/// Runs what is pending, each migration in one transaction.
pub(crate) fn migrate(conn: &mut Conn<'_>) -> Result<()> {
    on!(conn, c => {
        let known = names(&MIGRATIONS).map_err(Error::internal)?;
        let applied = c.applied_migrations().map_err(Error::internal)?;
        let unknown = applied.iter().map(ToString::to_string).find(|version| !known.contains(version));
        if let Some(version) = unknown {
            return Err(Error::invalid(
                "database",
                format!(
                    "this database was made by a newer wagate (it has migration {version}): \
                     start that version, or restore a backup made by this one"
                ),
            ));
        }
        c.run_pending_migrations(MIGRATIONS).map_err(Error::internal)?;
        Ok(())
    })
}

type Failed = Box<dyn std::error::Error + Send + Sync>;

/// The versions that this program knows. They are the same for every database.
fn names(source: &EmbeddedMigrations) -> Result<Vec<String>, Failed> {
    let migrations: Vec<Box<dyn Migration<diesel::sqlite::Sqlite>>> = source.migrations()?;
    Ok(migrations
        .iter()
        .map(|migration| migration.name().version().to_string())
        .collect())
}

#[cfg(test)]
mod tests {
    use diesel::connection::{Connection, SimpleConnection};
    use diesel::sqlite::SqliteConnection;

    use super::*;

    fn memory() -> SqliteConnection {
        SqliteConnection::establish(":memory:").unwrap()
    }

    #[test]
    fn goes_up_and_down_and_up_again() {
        let mut c = memory();
        migrate(&mut Conn::Sqlite(&mut c)).unwrap();
        migrate(&mut Conn::Sqlite(&mut c)).unwrap();
        c.revert_all_migrations(MIGRATIONS).unwrap();
        c.batch_execute("CREATE TABLE devices (id TEXT)").unwrap();
        c.batch_execute("DROP TABLE devices").unwrap();
        migrate(&mut Conn::Sqlite(&mut c)).unwrap();
    }

    #[test]
    fn refuses_a_database_that_is_ahead() {
        let mut c = memory();
        migrate(&mut Conn::Sqlite(&mut c)).unwrap();
        c.batch_execute("INSERT INTO __diesel_schema_migrations (version) VALUES ('9999')")
            .unwrap();
        let error = migrate(&mut Conn::Sqlite(&mut c)).unwrap_err().to_string();
        assert!(
            error.contains("newer wagate") && error.contains("9999"),
            "{error}"
        );
    }
}
