//! Admins as rows. What is kept of their passwords is sealed: a database alone is nothing to guess on.

use async_trait::async_trait;
use diesel::dsl::exists;
use diesel::prelude::*;
use wagate_domain::Result;
use wagate_domain::model::{Admin, AdminName, PasswordHash, Timestamp};
use wagate_domain::ports::Admins;

use crate::dialect::Conn;
use crate::error::{Failure, stored};
use crate::pool::Database;
use crate::schema::admins;
use crate::seal::{Sealer, is_current_text, seal_text, unseal_text};

/// [`Admins`] in a database.
pub struct SqlAdmins {
    pub(crate) database: Database,
}

impl std::fmt::Debug for SqlAdmins {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SqlAdmins")
    }
}

/// The name of the table, which sealed values are bound to.
const TABLE: &str = "admins";

#[derive(Queryable, Insertable)]
#[diesel(table_name = admins)]
struct AdminRow {
    id: String,
    name: String,
    password: String,
    created_at: i64,
}

impl AdminRow {
    fn new(admin: &Admin, sealer: &Sealer) -> Result<Self> {
        let id = admin.id.to_string();
        Ok(Self {
            password: seal(sealer, &id, admin.password.as_str())?,
            name: admin.name.to_string(),
            created_at: admin.created_at.0,
            id,
        })
    }

    fn open(self, sealer: &Sealer) -> Result<Admin> {
        Ok(Admin {
            id: stored(&self.id)?,
            name: stored(&self.name)?,
            password: PasswordHash::new(unseal(sealer, &self.id, &self.password)?),
            created_at: Timestamp(self.created_at),
        })
    }
}

fn seal(sealer: &Sealer, id: &str, hash: &str) -> Result<String> {
    seal_text(sealer, TABLE, id, "password", hash)
}

fn unseal(sealer: &Sealer, id: &str, envelope: &str) -> Result<String> {
    unseal_text(sealer, TABLE, id, "password", envelope)
}

/// Seals anew what is not sealed with the current key; says how many admins there were.
pub(crate) fn reseal(conn: &mut Conn<'_>, sealer: &Sealer) -> Result<u64, Failure> {
    let passwords = admins::table.select((admins::id, admins::password));
    let rows: Vec<(String, String)> = on!(conn, c => passwords.load(c)?);
    let mut count = 0;
    for (id, envelope) in rows
        .iter()
        .filter(|(_, envelope)| !is_current_text(sealer, envelope))
    {
        let fresh = seal(sealer, id, &unseal(sealer, id, envelope)?)?;
        on!(conn, c => diesel::update(admins::table.find(id)).set(admins::password.eq(fresh)).execute(c)?);
        count += 1;
    }
    Ok(count)
}

/// Whether there is one.
fn any(conn: &mut Conn<'_>) -> Result<bool, Failure> {
    Ok(on!(conn, c => diesel::select(exists(admins::table.select(admins::id))).get_result(c)?))
}

#[async_trait]
impl Admins for SqlAdmins {
    async fn any(&self) -> Result<bool> {
        self.database.run(any).await
    }

    async fn find(&self, name: &AdminName) -> Result<Option<Admin>> {
        let (name, sealer) = (name.to_string(), self.database.sealer().clone());
        let find = move |conn: &mut Conn<'_>| {
            let named = admins::table.filter(admins::name.eq(name));
            let row: Option<AdminRow> = on!(conn, c => named.first(c).optional()?);
            Ok(row.map(|row| row.open(&sealer)).transpose()?)
        };
        self.database.run(find).await
    }

    async fn create_first(&self, admin: &Admin) -> Result<bool> {
        let row = AdminRow::new(admin, self.database.sealer())?;
        // One writer at a time: nobody comes between the look and the insert.
        let create = move |conn: &mut Conn<'_>| {
            if any(conn)? {
                return Ok(false);
            }
            on!(conn, c => diesel::insert_into(admins::table).values(&row).execute(c)?);
            Ok(true)
        };
        self.database.write_apart(create).await
    }
}
