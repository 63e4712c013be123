//! Browsers that are signed in, as rows.

use async_trait::async_trait;
use diesel::prelude::*;
use diesel::result::{DatabaseErrorKind, Error as DieselError};
use wagate_domain::model::{Account, KeyDigest, SignIn, Timestamp, TokenDigest};
use wagate_domain::ports::SignIns;
use wagate_domain::{Error, Result};

use crate::dialect::{Conn, MAX_BINDS};
use crate::error::{Failure, stored};
use crate::pool::Database;
use crate::schema::{admins, sign_ins};

/// [`SignIns`] in a database.
pub struct SqlSignIns {
    pub(crate) database: Database,
}

impl std::fmt::Debug for SqlSignIns {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SqlSignIns")
    }
}

#[derive(Queryable, Insertable)]
#[diesel(table_name = sign_ins, treat_none_as_default_value = false)]
struct SignInRow {
    token: Vec<u8>,
    admin_id: Option<String>,
    api_key: Option<Vec<u8>>,
    created_at: i64,
    expires_at: i64,
}

impl SignInRow {
    fn new(sign_in: &SignIn) -> Self {
        let (admin_id, api_key) = match &sign_in.account {
            Account::Admin { id, .. } => (Some(id.to_string()), None),
            Account::ApiKey(key) => (None, Some(key.0.to_vec())),
        };
        Self {
            token: sign_in.token.0.to_vec(),
            admin_id,
            api_key,
            created_at: sign_in.created_at.0,
            expires_at: sign_in.expires_at.0,
        }
    }

    fn open(self, admin_name: Option<&str>) -> Result<SignIn> {
        let account = match (&self.admin_id, admin_name, &self.api_key) {
            (Some(id), Some(name), None) => Account::Admin {
                id: stored(id)?,
                name: stored(name)?,
            },
            (None, _, Some(key)) => Account::ApiKey(KeyDigest(digest(key)?)),
            _ => return Err(Error::internal("damaged row: a sign-in of nobody")),
        };
        Ok(SignIn {
            token: TokenDigest(digest(&self.token)?),
            account,
            created_at: Timestamp(self.created_at),
            expires_at: Timestamp(self.expires_at),
        })
    }
}

fn digest(bytes: &[u8]) -> Result<[u8; 32]> {
    bytes
        .try_into()
        .map_err(|_| Error::internal("damaged row: not a digest"))
}

/// A row that hangs on an admin could not be stored: the admin is gone.
fn or_no_admin(error: DieselError, row: &SignInRow) -> Failure {
    match (error, &row.admin_id) {
        (DieselError::DatabaseError(DatabaseErrorKind::ForeignKeyViolation, _), Some(id)) => {
            Failure::Domain(Error::NotFound {
                what: "admin",
                id: id.clone(),
            })
        }
        (other, _) => other.into(),
    }
}

#[async_trait]
impl SignIns for SqlSignIns {
    async fn create(&self, sign_in: &SignIn) -> Result<()> {
        let row = SignInRow::new(sign_in);
        let create = move |conn: &mut Conn<'_>| {
            on!(conn, c => diesel::insert_into(sign_ins::table).values(&row).execute(c))
                .map_err(|error| or_no_admin(error, &row))?;
            Ok(())
        };
        self.database.write_apart(create).await
    }

    async fn find(&self, token: &TokenDigest) -> Result<Option<SignIn>> {
        let token = token.0.to_vec();
        let find = move |conn: &mut Conn<'_>| {
            let found = sign_ins::table
                .left_join(admins::table)
                .filter(sign_ins::token.eq(token))
                .select((sign_ins::all_columns, admins::name.nullable()));
            let row: Option<(SignInRow, Option<String>)> = on!(conn, c => found.first(c).optional()?);
            let opened = row.map(|(row, name)| row.open(name.as_deref()));
            Ok(opened.transpose()?)
        };
        self.database.run(find).await
    }

    async fn extend(&self, token: &TokenDigest, expires_at: Timestamp) -> Result<bool> {
        let token = token.0.to_vec();
        let extend = move |conn: &mut Conn<'_>| {
            let one = sign_ins::table.find(token);
            let count = on!(conn, c => {
                diesel::update(one).set(sign_ins::expires_at.eq(expires_at.0)).execute(c)?
            });
            Ok(count > 0)
        };
        self.database.write_apart(extend).await
    }

    async fn delete(&self, token: &TokenDigest) -> Result<()> {
        let token = token.0.to_vec();
        let delete = move |conn: &mut Conn<'_>| {
            on!(conn, c => diesel::delete(sign_ins::table.find(token)).execute(c)?);
            Ok(())
        };
        self.database.write_apart(delete).await
    }

    async fn prune(&self, now: Timestamp, limit: u32) -> Result<u64> {
        let prune = move |conn: &mut Conn<'_>| {
            let expired = sign_ins::table
                .filter(sign_ins::expires_at.le(now.0))
                .order(sign_ins::expires_at)
                .limit(i64::from(limit).min(i64::try_from(MAX_BINDS).unwrap_or(i64::MAX)))
                .select(sign_ins::token);
            let expired: Vec<Vec<u8>> = on!(conn, c => expired.load(c)?);
            let pruned = sign_ins::table.filter(sign_ins::token.eq_any(&expired));
            on!(conn, c => diesel::delete(pruned).execute(c)?);
            Ok(expired.len() as u64)
        };
        self.database.write_apart(prune).await
    }
}
