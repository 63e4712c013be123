//! Which keys a database is sealed with: checked when it is opened, changed while it runs.

use diesel::prelude::*;
use wagate_domain::{Error, Result};

use crate::dialect::Conn;
use crate::error::Failure;
use crate::pool::Database;
use crate::schema::{devices, keys, meta};
use crate::seal::{Place, Sealer, seal_text, unseal_text};
use crate::{admins, webhooks};

/// The name of a known text that is sealed: who opens it has the right key.
const CHECK: &str = "seal";
const KNOWN: &str = "wagate";

/// Where the value of a key belongs.
pub(crate) fn place<'a>(parts: &'a [&'a [u8]; 3]) -> Place<'a> {
    Place { table: "keys", parts }
}

/// Refuses keys that the database is not sealed with. What was written before there was a seal is sealed now.
pub(crate) fn check(conn: &mut Conn<'_>, sealer: &Sealer) -> Result<()> {
    conn.atomically(|conn| {
        let envelope: Option<String> =
            on!(conn, c => meta::table.find(CHECK).select(meta::value).first(c).optional()?);
        let Some(envelope) = envelope else {
            seal_plain(conn, sealer)?;
            webhooks::seal_plain(conn, sealer)?;
            return mark(conn, sealer);
        };
        match unseal_text(sealer, "meta", CHECK, "value", &envelope) {
            Ok(text) if text == KNOWN => Ok(()),
            _ => Err(Error::invalid(
                "master_key",
                "the master key is not the one that this database was sealed with: give the right one \
                 (WAGATE_MASTER_KEY, or master.key in the data directory), or nothing in it can be read",
            )
            .into()),
        }
    })
    .map_err(Error::from)
}

fn mark(conn: &mut Conn<'_>, sealer: &Sealer) -> Result<(), Failure> {
    let envelope = seal_text(sealer, "meta", CHECK, "value", KNOWN)?;
    on!(conn, c => {
        diesel::insert_into(meta::table)
            .values((meta::name.eq(CHECK), meta::value.eq(&envelope)))
            .on_conflict(meta::name)
            .do_update()
            .set(meta::value.eq(&envelope))
            .execute(c)?
    });
    Ok(())
}

type Row = (String, i32, Vec<u8>, Vec<u8>);

fn seal_plain(conn: &mut Conn<'_>, sealer: &Sealer) -> Result<(), Failure> {
    for device in device_ids(conn)? {
        let rows = rows_of(conn, &device)?;
        for (device, kind, key, value) in rows {
            let number = kind.to_be_bytes();
            let parts = [device.as_bytes(), &number[..], &key[..]];
            let envelope = sealer.seal(&place(&parts), &value)?;
            put(conn, &device, kind, &key, &envelope)?;
        }
    }
    Ok(())
}

fn device_ids(conn: &mut Conn<'_>) -> Result<Vec<String>, Failure> {
    Ok(on!(conn, c => devices::table.select(devices::id).order(devices::id).load(c)?))
}

fn rows_of(conn: &mut Conn<'_>, device: &str) -> Result<Vec<Row>, Failure> {
    let of_device = keys::table.filter(keys::device_id.eq(device)).select((
        keys::device_id,
        keys::kind,
        keys::key,
        keys::value,
    ));
    Ok(on!(conn, c => of_device.load(c)?))
}

fn put(conn: &mut Conn<'_>, device: &str, kind: i32, key: &[u8], envelope: &[u8]) -> Result<(), Failure> {
    let row = keys::table.find((device, kind, key));
    on!(conn, c => diesel::update(row).set(keys::value.eq(envelope)).execute(c)?);
    Ok(())
}

/// Seals a device's keys anew that are not sealed with the current one.
fn reseal_device(conn: &mut Conn<'_>, device: &str, sealer: &Sealer) -> Result<u64, Failure> {
    let mut count = 0;
    for (device, kind, key, value) in rows_of(conn, device)? {
        if sealer.is_current(&value) {
            continue;
        }
        let number = kind.to_be_bytes();
        let parts = [device.as_bytes(), &number[..], &key[..]];
        let plain = sealer.unseal(&place(&parts), &value)?;
        put(conn, &device, kind, &key, &sealer.seal(&place(&parts), &plain)?)?;
        count += 1;
    }
    Ok(count)
}

impl Database {
    /// Seals everything anew that is not sealed with the current key, device by device beside other work.
    /// Says how many values there were.
    pub(crate) async fn reseal(&self) -> Result<u64> {
        let sealer = self.sealer().clone();
        let mut count = 0;
        for device in self.run(device_ids).await? {
            let sealer = sealer.clone();
            count += self
                .write(move |conn| reseal_device(conn, &device, &sealer))
                .await?;
        }
        count += self
            .write(move |conn| {
                let count = webhooks::reseal(conn, &sealer)? + admins::reseal(conn, &sealer)?;
                mark(conn, &sealer)?;
                Ok(count)
            })
            .await?;
        Ok(count)
    }
}
