//! Devices as rows.

use async_trait::async_trait;
use diesel::prelude::*;
use wagate_domain::model::{
    Device, DeviceFilter, DeviceId, DeviceLabel, DeviceQuery, DeviceStanding, EndReason, Page, Timestamp,
    Token,
};
use wagate_domain::ports::Devices;
use wagate_domain::{Error, Result};

use crate::dialect::{Conn, without_nul};
use crate::error::{Failure, no_device, stored, stored_option};
use crate::pool::Database;
use crate::schema::devices;

/// [`Devices`] in a database.
pub struct SqlDevices {
    pub(crate) database: Database,
}

impl std::fmt::Debug for SqlDevices {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SqlDevices")
    }
}

#[derive(Queryable, Selectable, Insertable, AsChangeset, Identifiable)]
#[diesel(table_name = devices, treat_none_as_default_value = false, treat_none_as_null = true)]
struct DeviceRow {
    id: String,
    token: String,
    label: Option<String>,
    jid: Option<String>,
    lid: Option<String>,
    push_name: Option<String>,
    picture_url: Option<String>,
    workspace: Option<String>,
    calls: String,
    ended: Option<String>,
    search: String,
    created_at: i64,
}

/// Parts the fields of the search column; nobody types it.
const SEPARATOR: &str = "\u{1f}";

/// Letter by letter, because lower-casing a whole text looks at what stands around a letter. Databases
/// fold only ASCII, or whatever their locale says.
fn fold(text: &str) -> String {
    text.chars().flat_map(char::to_lowercase).collect()
}

/// A pattern that finds the text anywhere and takes it literally.
fn containing(text: &str) -> String {
    let mut pattern = String::from("%");
    for c in fold(text).chars() {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}

impl DeviceRow {
    fn new(device: &Device) -> Result<Self> {
        let named = [
            Some(device.token.as_str()),
            device.label.as_ref().map(DeviceLabel::as_str),
            device.push_name.as_deref(),
            device.phone(),
        ];
        let search: Vec<String> = named.into_iter().flatten().map(fold).collect();
        Ok(Self {
            id: device.id.to_string(),
            token: device.token.to_string(),
            label: device.label.as_ref().map(ToString::to_string),
            jid: device.jid.as_ref().map(ToString::to_string),
            lid: device.lid.as_ref().map(ToString::to_string),
            push_name: device.push_name.as_deref().map(without_nul),
            picture_url: device.picture_url.as_deref().map(without_nul),
            workspace: device.workspace.as_ref().map(ToString::to_string),
            calls: serde_json::to_string(&device.calls).map_err(Error::internal)?,
            ended: device
                .ended
                .as_ref()
                .map(serde_json::to_string)
                .transpose()
                .map_err(Error::internal)?,
            search: without_nul(&search.join(SEPARATOR)),
            created_at: device.created_at.0,
        })
    }
}

impl TryFrom<DeviceRow> for Device {
    type Error = Error;

    fn try_from(row: DeviceRow) -> Result<Self> {
        Ok(Self {
            id: stored(&row.id)?,
            token: stored(&row.token)?,
            label: stored_option(row.label.as_deref())?,
            jid: stored_option(row.jid.as_deref())?,
            lid: stored_option(row.lid.as_deref())?,
            push_name: row.push_name,
            picture_url: row.picture_url,
            workspace: stored_option(row.workspace.as_deref())?,
            calls: serde_json::from_str(&row.calls).map_err(Error::internal)?,
            ended: ended(row.ended.as_deref())?,
            created_at: Timestamp(row.created_at),
        })
    }
}

fn ended(stored: Option<&str>) -> Result<Option<EndReason>> {
    stored
        .map(serde_json::from_str)
        .transpose()
        .map_err(Error::internal)
}

/// The query for the devices that match, of one database.
macro_rules! matching {
    ($filter:expr) => {{
        let filter: &DeviceFilter = $filter;
        let mut matching = devices::table.into_boxed();
        if let Some(text) = &filter.text {
            matching = matching.filter(devices::search.like(containing(text)).escape('\\'));
        }
        if let Some(workspace) = &filter.workspace {
            matching = matching.filter(devices::workspace.eq(workspace.as_str()));
        }
        matching
    }};
}

/// Overwrites a device; `NotFound` when it is gone.
pub(crate) fn overwrite(conn: &mut Conn<'_>, device: &Device) -> Result<(), Failure> {
    let row = DeviceRow::new(device)?;
    let changed = on!(conn, c => diesel::update(&row).set(&row).execute(c)?);
    if changed == 0 {
        Err(no_device(device.id).into())
    } else {
        Ok(())
    }
}

fn create(conn: &mut Conn<'_>, device: &Device) -> Result<Device, Failure> {
    let row = DeviceRow::new(device)?;
    let row: DeviceRow = on!(conn, c => {
        diesel::insert_into(devices::table)
            .values(&row)
            .on_conflict(devices::token)
            .do_nothing()
            .execute(c)?;
        devices::table.filter(devices::token.eq(&row.token)).first(c)?
    });
    Ok(row.try_into()?)
}

fn list(conn: &mut Conn<'_>, query: &DeviceQuery) -> Result<Page<Device>, Failure> {
    let (total, rows): (i64, Vec<DeviceRow>) = on!(conn, c => {
        let rows = matching!(&query.filter)
            .order((devices::created_at, devices::id))
            .offset(i64::try_from(query.page.offset()).unwrap_or(i64::MAX))
            .limit(query.page.limit().into())
            .load(c)?;
        (matching!(&query.filter).count().get_result(c)?, rows)
    });
    let items = rows.into_iter().map(Device::try_from).collect::<Result<_>>()?;
    Ok(Page {
        items,
        total: u64::try_from(total).unwrap_or(0),
    })
}

fn standings(conn: &mut Conn<'_>, filter: &DeviceFilter) -> Result<Vec<DeviceStanding>, Failure> {
    let rows: Vec<(String, Option<String>)> = on!(conn, c => {
        matching!(filter)
            .order(devices::id.desc())
            .select((devices::id, devices::ended))
            .load(c)?
    });
    let standing = |(id, reason): (String, Option<String>)| {
        Ok(DeviceStanding {
            id: stored(&id)?,
            ended: ended(reason.as_deref())?,
        })
    };
    Ok(rows.into_iter().map(standing).collect::<Result<_>>()?)
}

#[async_trait]
impl Devices for SqlDevices {
    async fn find(&self, token: &Token) -> Result<Option<Device>> {
        let token = token.to_string();
        let find = move |conn: &mut Conn<'_>| {
            let found = devices::table.filter(devices::token.eq(token));
            let row: Option<DeviceRow> = on!(conn, c => found.first(c).optional()?);
            Ok(row.map(Device::try_from).transpose()?)
        };
        self.database.run(find).await
    }

    async fn get(&self, id: DeviceId) -> Result<Option<Device>> {
        let version = match self.database.memo().device(id) {
            Ok(known) => return Ok(Some(known.as_ref().clone())),
            Err(version) => version,
        };
        let get = move |conn: &mut Conn<'_>| {
            let row: Option<DeviceRow> =
                on!(conn, c => devices::table.find(id.to_string()).first(c).optional()?);
            Ok(row.map(Device::try_from).transpose()?)
        };
        let found = self.database.run(get).await?;
        if let Some(device) = &found {
            self.database.memo().keep_device(version, device);
        }
        Ok(found)
    }

    async fn all(&self) -> Result<Vec<Device>> {
        let all = |conn: &mut Conn<'_>| {
            let ordered = devices::table.order((devices::created_at, devices::id));
            let rows: Vec<DeviceRow> = on!(conn, c => ordered.load(c)?);
            Ok(rows.into_iter().map(Device::try_from).collect::<Result<_>>()?)
        };
        self.database.run(all).await
    }

    async fn list(&self, query: &DeviceQuery) -> Result<Page<Device>> {
        let query = query.clone();
        self.database
            .run(move |conn| conn.atomically(|conn| list(conn, &query)))
            .await
    }

    async fn standings(&self, filter: &DeviceFilter) -> Result<Vec<DeviceStanding>> {
        let filter = filter.clone();
        self.database.run(move |conn| standings(conn, &filter)).await
    }

    async fn get_many(&self, ids: &[DeviceId]) -> Result<Vec<Device>> {
        let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
        let get_many = move |conn: &mut Conn<'_>| {
            let named = devices::table
                .filter(devices::id.eq_any(&ids))
                .order(devices::id.desc());
            let rows: Vec<DeviceRow> = on!(conn, c => named.load(c)?);
            Ok(rows.into_iter().map(Device::try_from).collect::<Result<_>>()?)
        };
        self.database.run(get_many).await
    }

    async fn create(&self, device: Device) -> Result<Device> {
        self.database.write(move |conn| create(conn, &device)).await
    }

    async fn update(&self, device: &Device) -> Result<()> {
        let device = device.clone();
        self.database.write(move |conn| overwrite(conn, &device)).await
    }

    async fn delete(&self, id: DeviceId) -> Result<()> {
        let delete = move |conn: &mut Conn<'_>| {
            on!(conn, c => diesel::delete(devices::table.find(id.to_string())).execute(c)?);
            Ok(())
        };
        self.database.write(delete).await
    }
}
