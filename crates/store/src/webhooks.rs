//! Webhook endpoints as rows.

use async_trait::async_trait;
use diesel::prelude::*;
use diesel::upsert::excluded;
use wagate_domain::model::{DeviceId, Secret, Timestamp, Webhook};
use wagate_domain::ports::Webhooks;
use wagate_domain::{Error, Result};

use crate::dialect::{Conn, MAX_BINDS};
use crate::error::{Failure, stored};
use crate::pool::Database;
use crate::schema::webhooks;

/// [`Webhooks`] in a database.
pub struct SqlWebhooks {
    pub(crate) database: Database,
}

impl std::fmt::Debug for SqlWebhooks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SqlWebhooks")
    }
}

#[derive(Queryable, Insertable)]
#[diesel(table_name = webhooks, treat_none_as_default_value = false)]
struct WebhookRow {
    id: String,
    device_id: String,
    url: String,
    secret: String,
    created_at: i64,
}

impl From<&Webhook> for WebhookRow {
    fn from(webhook: &Webhook) -> Self {
        Self {
            id: webhook.id.to_string(),
            device_id: webhook.device.to_string(),
            url: webhook.url.clone(),
            secret: webhook.secret.reveal().to_owned(),
            created_at: webhook.created_at.0,
        }
    }
}

impl TryFrom<WebhookRow> for Webhook {
    type Error = Error;

    fn try_from(row: WebhookRow) -> Result<Self> {
        Ok(Self {
            id: stored(&row.id)?,
            device: stored(&row.device_id)?,
            url: row.url,
            secret: Secret::new(row.secret),
            created_at: Timestamp(row.created_at),
        })
    }
}

#[async_trait]
impl Webhooks for SqlWebhooks {
    async fn of_device(&self, device: DeviceId) -> Result<Option<Webhook>> {
        let find = move |conn: &mut Conn<'_>| {
            let found = webhooks::table.filter(webhooks::device_id.eq(device.to_string()));
            let row: Option<WebhookRow> = on!(conn, c => found.first(c).optional()?);
            Ok(row.map(Webhook::try_from).transpose()?)
        };
        self.database.run(find).await
    }

    async fn of_devices(&self, devices: &[DeviceId]) -> Result<Vec<Webhook>> {
        let devices: Vec<String> = devices.iter().map(ToString::to_string).collect();
        let find = move |conn: &mut Conn<'_>| {
            let mut found = Vec::new();
            for some in devices.chunks(MAX_BINDS) {
                let rows: Vec<WebhookRow> =
                    on!(conn, c => webhooks::table.filter(webhooks::device_id.eq_any(some)).load(c)?);
                found.extend(rows);
            }
            Ok(found.into_iter().map(Webhook::try_from).collect::<Result<_>>()?)
        };
        self.database.run(find).await
    }

    async fn put(&self, webhook: Webhook) -> Result<()> {
        let put = move |conn: &mut Conn<'_>| {
            on!(conn, c => {
                diesel::insert_into(webhooks::table)
                    .values(WebhookRow::from(&webhook))
                    .on_conflict(webhooks::device_id)
                    .do_update()
                    .set(webhooks::url.eq(excluded(webhooks::url)))
                    .execute(c)
            })
            .map_err(|error| Failure::or_no_device(error, webhook.device))?;
            Ok(())
        };
        self.database.write(put).await
    }

    async fn delete(&self, device: DeviceId) -> Result<()> {
        let delete = move |conn: &mut Conn<'_>| {
            let of_device = webhooks::table.filter(webhooks::device_id.eq(device.to_string()));
            on!(conn, c => diesel::delete(of_device).execute(c)?);
            Ok(())
        };
        self.database.write(delete).await
    }
}
