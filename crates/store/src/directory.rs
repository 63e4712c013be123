//! People and number look-ups as rows.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use async_trait::async_trait;
use diesel::prelude::*;
use diesel::sql_types::{Nullable, Text};
use diesel::upsert::excluded;
use wagate_domain::model::{Contact, DeviceId, Jid, PhoneNumber, Timestamp};
use wagate_domain::ports::{Directory, NumberLookup};
use wagate_domain::{Error, Result};

use crate::dialect::{Conn, MAX_BINDS, without_nul};
use crate::error::{Failure, stored, stored_option};
use crate::pool::Database;
use crate::schema::{contacts, number_lookups};

/// [`Directory`] in a database.
pub struct SqlDirectory {
    pub(crate) database: Database,
}

impl std::fmt::Debug for SqlDirectory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SqlDirectory")
    }
}

#[derive(Queryable, Insertable)]
#[diesel(table_name = contacts, treat_none_as_default_value = false)]
struct ContactRow {
    device_id: String,
    jid: String,
    lid: Option<String>,
    first_name: Option<String>,
    full_name: Option<String>,
    push_name: Option<String>,
    business_name: Option<String>,
}

/// Values that a [`ContactRow`] binds.
const CONTACT_COLUMNS: usize = 7;

impl ContactRow {
    fn new(device: DeviceId, contact: Contact) -> Self {
        Self {
            device_id: device.to_string(),
            jid: contact.jid.to_string(),
            lid: contact.lid.map(|lid| lid.to_string()),
            first_name: contact.first_name.as_deref().map(without_nul),
            full_name: contact.full_name.as_deref().map(without_nul),
            push_name: contact.push_name.as_deref().map(without_nul),
            business_name: contact.business_name.as_deref().map(without_nul),
        }
    }
}

impl TryFrom<ContactRow> for Contact {
    type Error = Error;

    fn try_from(row: ContactRow) -> Result<Self> {
        Ok(Self {
            jid: stored(&row.jid)?,
            lid: stored_option(row.lid.as_deref())?,
            first_name: row.first_name,
            full_name: row.full_name,
            push_name: row.push_name,
            business_name: row.business_name,
        })
    }
}

diesel::define_sql_function! {
    /// The first that is not null.
    fn coalesce(one: Nullable<Text>, other: Nullable<Text>) -> Nullable<Text>;
}

/// Those of the contacts that are known, by address as text.
pub(crate) fn of_those(
    conn: &mut Conn<'_>,
    device: &str,
    jids: impl IntoIterator<Item = String>,
) -> Result<HashMap<String, Contact>, Failure> {
    let jids: BTreeSet<String> = jids.into_iter().collect();
    if jids.is_empty() {
        return Ok(HashMap::new());
    }
    let those = contacts::table
        .filter(contacts::device_id.eq(device))
        .filter(contacts::jid.eq_any(jids));
    let rows: Vec<ContactRow> = on!(conn, c => those.load(c)?);
    let by_jid = |row: ContactRow| Ok((row.jid.clone(), Contact::try_from(row)?));
    Ok(rows.into_iter().map(by_jid).collect::<Result<_>>()?)
}

/// Merges as [`Contact::merge`] does: what the newer one does not know stays.
pub(crate) fn merge(conn: &mut Conn<'_>, newer: Vec<(DeviceId, &Contact)>) -> Result<(), Failure> {
    // One statement must not meet the same row twice: PostgreSQL refuses that.
    let mut merged: BTreeMap<(DeviceId, &Jid), Contact> = BTreeMap::new();
    for (device, contact) in newer {
        merged
            .entry((device, &contact.jid))
            .and_modify(|known| known.merge(contact))
            .or_insert_with(|| contact.clone());
    }
    let rows: Vec<ContactRow> = merged
        .into_iter()
        .map(|((device, _), contact)| ContactRow::new(device, contact))
        .collect();
    for some in rows.chunks(MAX_BINDS / CONTACT_COLUMNS) {
        on!(conn, c => {
            diesel::insert_into(contacts::table)
                .values(some)
                .on_conflict((contacts::device_id, contacts::jid))
                .do_update()
                .set((
                    contacts::lid.eq(coalesce(excluded(contacts::lid), contacts::lid)),
                    contacts::first_name.eq(coalesce(excluded(contacts::first_name), contacts::first_name)),
                    contacts::full_name.eq(coalesce(excluded(contacts::full_name), contacts::full_name)),
                    contacts::push_name.eq(coalesce(excluded(contacts::push_name), contacts::push_name)),
                    contacts::business_name.eq(coalesce(excluded(contacts::business_name), contacts::business_name)),
                ))
                .execute(c)?
        });
    }
    Ok(())
}

/// Takes contacts out of the address book; those of whom no other name is known go.
pub(crate) fn remove(conn: &mut Conn<'_>, device: DeviceId, removed: &[Jid]) -> Result<(), Failure> {
    let device = device.to_string();
    let removed: Vec<String> = removed.iter().map(ToString::to_string).collect();
    for some in removed.chunks(MAX_BINDS - 1) {
        let named = contacts::table
            .filter(contacts::device_id.eq(&device))
            .filter(contacts::jid.eq_any(some));
        let nameless = named
            .clone()
            .filter(contacts::push_name.is_null())
            .filter(contacts::business_name.is_null());
        on!(conn, c => {
            diesel::update(named)
                .set((contacts::first_name.eq(None::<String>), contacts::full_name.eq(None::<String>)))
                .execute(c)?;
            diesel::delete(nameless).execute(c)?;
        });
    }
    Ok(())
}

#[async_trait]
impl Directory for SqlDirectory {
    async fn contacts(&self, device: DeviceId) -> Result<Vec<Contact>> {
        let of_device = move |conn: &mut Conn<'_>| {
            let of_device = contacts::table.filter(contacts::device_id.eq(device.to_string()));
            let mut rows: Vec<ContactRow> = on!(conn, c => of_device.load(c)?);
            // Here, because every database sorts text in its own way.
            rows.sort_by(|a, b| a.jid.cmp(&b.jid));
            Ok(rows.into_iter().map(Contact::try_from).collect::<Result<_>>()?)
        };
        self.database.run(of_device).await
    }

    async fn lookup(&self, phone: &PhoneNumber) -> Result<Option<NumberLookup>> {
        let phone = phone.clone();
        let find = move |conn: &mut Conn<'_>| {
            let row: Option<(String, Option<String>, i64)> =
                on!(conn, c => number_lookups::table.find(phone.digits()).first(c).optional()?);
            let Some((_, jid, checked_at)) = row else {
                return Ok(None);
            };
            Ok(Some(NumberLookup {
                phone,
                jid: stored_option(jid.as_deref())?,
                checked_at: Timestamp(checked_at),
            }))
        };
        self.database.run(find).await
    }

    async fn remember_lookup(&self, lookup: &NumberLookup) -> Result<()> {
        let phone = lookup.phone.to_string();
        let jid = lookup.jid.as_ref().map(ToString::to_string);
        let checked_at = lookup.checked_at.0;
        let remember = move |conn: &mut Conn<'_>| {
            on!(conn, c => {
                diesel::insert_into(number_lookups::table)
                    .values((
                        number_lookups::phone.eq(phone),
                        number_lookups::jid.eq(jid),
                        number_lookups::checked_at.eq(checked_at),
                    ))
                    .on_conflict(number_lookups::phone)
                    .do_update()
                    .set((
                        number_lookups::jid.eq(excluded(number_lookups::jid)),
                        number_lookups::checked_at.eq(excluded(number_lookups::checked_at)),
                    ))
                    .execute(c)?;
            });
            Ok(())
        };
        self.database.write_apart(remember).await
    }
}
