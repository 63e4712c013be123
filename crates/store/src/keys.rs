//! Protocol state as rows: the busiest table. Single keys go through statements that stay prepared.

use std::collections::BTreeMap;

use async_trait::async_trait;
use bytes::Bytes;
use diesel::prelude::*;
use diesel::upsert::excluded;
use wagate_domain::Result;
use wagate_domain::model::{DeviceId, Timestamp};
use wagate_domain::ports::{KeyEntry, KeyKind, KeyVault};

use crate::dialect::{Conn, MAX_BINDS};
use crate::error::Failure;
use crate::pool::Database;
use crate::schema::keys;
use crate::seal::Sealer;
use crate::sealing::place;

/// [`KeyVault`] in a database.
pub struct SqlKeys {
    pub(crate) database: Database,
}

impl std::fmt::Debug for SqlKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SqlKeys")
    }
}

#[derive(Insertable)]
#[diesel(table_name = keys, treat_none_as_default_value = false)]
struct KeyRow<'a> {
    device_id: &'a str,
    kind: i32,
    key: &'a [u8],
    value: &'a [u8],
    expires_at: Option<i64>,
}

/// Values that a [`KeyRow`] binds.
const COLUMNS: usize = 5;

/// The first key after all those that start with the prefix; `None` when there is none.
fn after_prefix(prefix: &[u8]) -> Option<Vec<u8>> {
    let last = prefix.iter().rposition(|byte| *byte != u8::MAX)?;
    let mut after = prefix[..=last].to_vec();
    after[last] += 1;
    Some(after)
}

/// The rows of one device and kind.
macro_rules! of {
    ($device:expr, $kind:expr) => {
        keys::table
            .filter(keys::device_id.eq($device))
            .filter(keys::kind.eq($kind as i32))
    };
}

type Pairs = Vec<(Vec<u8>, Vec<u8>)>;

/// What was read, opened.
fn open(sealer: &Sealer, device: DeviceId, kind: KeyKind, pairs: Pairs) -> Result<Vec<(Bytes, Bytes)>> {
    pairs
        .into_iter()
        .map(|(key, envelope)| {
            let plain = unseal(sealer, device, kind, &key, &envelope)?;
            Ok((key.into(), plain))
        })
        .collect()
}

fn unseal(sealer: &Sealer, device: DeviceId, kind: KeyKind, key: &[u8], envelope: &[u8]) -> Result<Bytes> {
    let (device, number) = (device.to_string(), (kind as i32).to_be_bytes());
    let parts = [device.as_bytes(), &number[..], key];
    sealer.unseal(&place(&parts), envelope).map(Bytes::from)
}

/// Each value sealed for its row.
fn envelope(sealer: &Sealer, device: DeviceId, entries: Vec<KeyEntry>) -> Result<Vec<KeyEntry>> {
    let device = device.to_string();
    entries
        .into_iter()
        .map(|entry| {
            let number = (entry.kind as i32).to_be_bytes();
            let parts = [device.as_bytes(), &number[..], &entry.key[..]];
            let value = sealer.seal(&place(&parts), &entry.value)?;
            Ok(KeyEntry {
                value: value.into(),
                ..entry
            })
        })
        .collect()
}

fn get_many(conn: &mut Conn<'_>, device: &str, kind: KeyKind, wanted: &[Bytes]) -> Result<Pairs, Failure> {
    if let [key] = wanted {
        let one = of!(device, kind)
            .filter(keys::key.eq(&key[..]))
            .select((keys::key, keys::value));
        return Ok(on!(conn, c => one.load(c)?));
    }
    let mut found = Vec::new();
    // Sorted and without repetition, so that chunks cannot answer the same key twice.
    let wanted: std::collections::BTreeSet<&[u8]> = wanted.iter().map(|key| &key[..]).collect();
    let wanted: Vec<&[u8]> = wanted.into_iter().collect();
    for some in wanted.chunks(MAX_BINDS - 2) {
        let many = of!(device, kind)
            .filter(keys::key.eq_any(some))
            .select((keys::key, keys::value));
        let rows: Pairs = on!(conn, c => many.load(c)?);
        found.extend(rows);
    }
    Ok(found)
}

fn put_many(conn: &mut Conn<'_>, device: DeviceId, entries: &[KeyEntry]) -> Result<(), Failure> {
    let id = device.to_string();
    // The last of several entries for one key counts; one statement must not meet a row twice.
    let last: BTreeMap<(KeyKind, &[u8]), &KeyEntry> = entries
        .iter()
        .map(|entry| ((entry.kind, &entry.key[..]), entry))
        .collect();
    let rows: Vec<KeyRow<'_>> = last
        .into_values()
        .map(|entry| KeyRow {
            device_id: &id,
            kind: entry.kind as i32,
            key: &entry.key,
            value: &entry.value,
            expires_at: entry.expires_at.map(|at| at.0),
        })
        .collect();
    for some in rows.chunks(MAX_BINDS / COLUMNS) {
        insert(conn, some).map_err(|error| Failure::or_no_device(error, device))?;
    }
    Ok(())
}

fn insert(conn: &mut Conn<'_>, rows: &[KeyRow<'_>]) -> QueryResult<usize> {
    /// Adds what both forms share.
    macro_rules! upsert {
        ($insert:expr, $c:expr) => {
            $insert
                .on_conflict((keys::device_id, keys::kind, keys::key))
                .do_update()
                .set((
                    keys::value.eq(excluded(keys::value)),
                    keys::expires_at.eq(excluded(keys::expires_at)),
                ))
                .execute($c)
        };
    }
    on!(conn, c => match rows {
        [row] => upsert!(diesel::insert_into(keys::table).values(row), c),
        rows => upsert!(diesel::insert_into(keys::table).values(rows), c),
    })
}

fn replace_many(conn: &mut Conn<'_>, device: &str, entries: &[KeyEntry]) -> Result<(), Failure> {
    for entry in entries {
        let row = of!(device, entry.kind).filter(keys::key.eq(&entry.key[..]));
        let values = (
            keys::value.eq(&entry.value[..]),
            keys::expires_at.eq(entry.expires_at.map(|at| at.0)),
        );
        on!(conn, c => diesel::update(row).set(values).execute(c)?);
    }
    Ok(())
}

fn delete_many(conn: &mut Conn<'_>, device: &str, kind: KeyKind, unwanted: &[Bytes]) -> Result<(), Failure> {
    if let [key] = unwanted {
        on!(conn, c => diesel::delete(of!(device, kind).filter(keys::key.eq(&key[..]))).execute(c)?);
        return Ok(());
    }
    let unwanted: Vec<&[u8]> = unwanted.iter().map(|key| &key[..]).collect();
    for some in unwanted.chunks(MAX_BINDS - 2) {
        on!(conn, c => diesel::delete(of!(device, kind).filter(keys::key.eq_any(some))).execute(c)?);
    }
    Ok(())
}

fn scan(conn: &mut Conn<'_>, device: &str, kind: KeyKind, prefix: &[u8]) -> Result<Pairs, Failure> {
    let from = of!(device, kind)
        .filter(keys::key.ge(prefix))
        .order(keys::key)
        .select((keys::key, keys::value));
    Ok(on!(conn, c => match after_prefix(prefix) {
        Some(after) => from.filter(keys::key.lt(after)).load(c)?,
        None => from.load(c)?,
    }))
}

fn delete_prefix(conn: &mut Conn<'_>, device: &str, kind: KeyKind, prefix: &[u8]) -> Result<usize, Failure> {
    let from = of!(device, kind).filter(keys::key.ge(prefix));
    Ok(on!(conn, c => match after_prefix(prefix) {
        Some(after) => diesel::delete(from.filter(keys::key.lt(after))).execute(c)?,
        None => diesel::delete(from).execute(c)?,
    }))
}

#[async_trait]
impl KeyVault for SqlKeys {
    async fn get_many(
        &self,
        device: DeviceId,
        kind: KeyKind,
        keys: Vec<Bytes>,
    ) -> Result<Vec<(Bytes, Bytes)>> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let get = move |conn: &mut Conn<'_>| get_many(conn, &device.to_string(), kind, &keys);
        let found = self.database.run(get).await?;
        open(self.database.sealer(), device, kind, found)
    }

    async fn put_many(&self, device: DeviceId, entries: Vec<KeyEntry>) -> Result<()> {
        if entries.is_empty() {
            return Ok(());
        }
        let entries = envelope(self.database.sealer(), device, entries)?;
        self.database
            .write_apart(move |conn| put_many(conn, device, &entries))
            .await
    }

    async fn replace_many(&self, device: DeviceId, entries: Vec<KeyEntry>) -> Result<()> {
        if entries.is_empty() {
            return Ok(());
        }
        let entries = envelope(self.database.sealer(), device, entries)?;
        self.database
            .write_apart(move |conn| replace_many(conn, &device.to_string(), &entries))
            .await
    }

    async fn delete_many(&self, device: DeviceId, kind: KeyKind, keys: Vec<Bytes>) -> Result<()> {
        if keys.is_empty() {
            return Ok(());
        }
        self.database
            .write_apart(move |conn| delete_many(conn, &device.to_string(), kind, &keys))
            .await
    }

    async fn scan(&self, device: DeviceId, kind: KeyKind, prefix: Bytes) -> Result<Vec<(Bytes, Bytes)>> {
        let scan = move |conn: &mut Conn<'_>| scan(conn, &device.to_string(), kind, &prefix);
        let found = self.database.run(scan).await?;
        open(self.database.sealer(), device, kind, found)
    }

    async fn delete_prefix(&self, device: DeviceId, kind: KeyKind, prefix: Bytes) -> Result<u64> {
        let delete = move |conn: &mut Conn<'_>| delete_prefix(conn, &device.to_string(), kind, &prefix);
        self.database.write_apart(delete).await.map(|count| count as u64)
    }

    async fn take(&self, device: DeviceId, kind: KeyKind, key: Bytes) -> Result<Option<Bytes>> {
        let sealer = self.database.sealer().clone();
        let take = move |conn: &mut Conn<'_>| {
            let row = of!(device.to_string(), kind).filter(keys::key.eq(&key[..]));
            let value: Option<Vec<u8>> =
                on!(conn, c => diesel::delete(row).returning(keys::value).get_result(c).optional()?);
            let open = |value: Vec<u8>| unseal(&sealer, device, kind, &key, &value);
            Ok(value.map(open).transpose()?)
        };
        self.database.write_apart(take).await
    }

    async fn expire(&self, device: DeviceId, kind: KeyKind, now: Timestamp) -> Result<u64> {
        let expire = move |conn: &mut Conn<'_>| {
            let expired = of!(device.to_string(), kind).filter(keys::expires_at.le(now.0));
            Ok(on!(conn, c => diesel::delete(expired).execute(c)?))
        };
        self.database.write_apart(expire).await.map(|count| count as u64)
    }

    async fn erase(&self, device: DeviceId) -> Result<()> {
        let erase = move |conn: &mut Conn<'_>| {
            let of_device = keys::table.filter(keys::device_id.eq(device.to_string()));
            on!(conn, c => diesel::delete(of_device).execute(c)?);
            Ok(())
        };
        self.database.write_apart(erase).await
    }
}
