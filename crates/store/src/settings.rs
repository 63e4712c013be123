//! Chosen settings, among the marks of the database.

use async_trait::async_trait;
use diesel::prelude::*;
use wagate_domain::model::{ChosenSettings, RegionChoice, Retention};
use wagate_domain::ports::Settings;
use wagate_domain::{Error, Result};

use crate::dialect::Conn;
use crate::error::{Failure, stored};
use crate::pool::Database;
use crate::schema::meta;

/// The names of the marks.
const REGION: &str = "settings.default_region";
const RETENTION: &str = "settings.retention_hours";

/// What stands for the country of the account.
const ACCOUNT: &str = "account";

/// [`Settings`] in a database.
pub struct SqlSettings {
    pub(crate) database: Database,
}

impl std::fmt::Debug for SqlSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SqlSettings")
    }
}

fn region(text: &str) -> Result<RegionChoice> {
    match text {
        ACCOUNT => Ok(RegionChoice::Account),
        code => stored(code).map(RegionChoice::Region),
    }
}

fn retention(text: &str) -> Result<Retention> {
    let hours = text.parse().map_err(Error::internal)?;
    Retention::from_hours(hours).map_err(Error::internal)
}

fn value(conn: &mut Conn<'_>, name: &str) -> Result<Option<String>, Failure> {
    Ok(on!(conn, c => meta::table.find(name).select(meta::value).first(c).optional()?))
}

fn put(conn: &mut Conn<'_>, name: &str, value: Option<String>) -> Result<(), Failure> {
    on!(conn, c => diesel::delete(meta::table.find(name)).execute(c)?);
    if let Some(value) = value {
        let mark = (meta::name.eq(name), meta::value.eq(value));
        on!(conn, c => diesel::insert_into(meta::table).values(mark).execute(c)?);
    }
    Ok(())
}

#[async_trait]
impl Settings for SqlSettings {
    async fn load(&self) -> Result<ChosenSettings> {
        let load = |conn: &mut Conn<'_>| {
            let (chosen_region, chosen_retention) = (value(conn, REGION)?, value(conn, RETENTION)?);
            Ok(ChosenSettings {
                default_region: chosen_region.as_deref().map(region).transpose()?,
                retention: chosen_retention.as_deref().map(retention).transpose()?,
            })
        };
        self.database.run(load).await
    }

    async fn save(&self, chosen: &ChosenSettings) -> Result<()> {
        let region = chosen.default_region.map(|choice| match choice {
            RegionChoice::Account => ACCOUNT.to_owned(),
            RegionChoice::Region(region) => region.to_string(),
        });
        let retention = chosen.retention.map(|retention| retention.hours().to_string());
        let save = move |conn: &mut Conn<'_>| {
            put(conn, REGION, region)?;
            put(conn, RETENTION, retention)
        };
        self.database.write_apart(save).await
    }
}
