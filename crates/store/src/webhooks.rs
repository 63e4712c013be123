//! Webhook endpoints as rows.

use async_trait::async_trait;
use diesel::prelude::*;
use diesel::upsert::excluded;
use wagate_domain::model::{
    CursorPage, CursorQuery, CustomHeader, Device, DeviceId, EventFilter, RetiringSecret, Timestamp, Webhook,
    WebhookId, WebhookScope, WebhookState,
};
use wagate_domain::ports::Webhooks;
use wagate_domain::{Error, Result};

use crate::dialect::{Conn, MAX_BINDS};
use crate::error::{Failure, stored, stored_option};
use crate::pool::Database;
use crate::queue;
use crate::schema::webhooks;
use crate::seal::{Sealer, is_current_text, is_sealed_text, seal_text, unseal_text};

/// [`Webhooks`] in a database.
pub struct SqlWebhooks {
    pub(crate) database: Database,
}

impl std::fmt::Debug for SqlWebhooks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SqlWebhooks")
    }
}

/// The name of the table, which sealed values are bound to.
const TABLE: &str = "webhooks";

#[derive(Queryable, Selectable, Insertable, AsChangeset, Identifiable)]
#[diesel(table_name = webhooks, treat_none_as_default_value = false, treat_none_as_null = true)]
pub(crate) struct WebhookRow {
    pub(crate) id: String,
    device_id: Option<String>,
    seed_device_id: Option<String>,
    workspace: Option<String>,
    pub(crate) url: String,
    format: String,
    events: String,
    headers: String,
    secret: String,
    retiring_secret: Option<String>,
    retiring_until: Option<i64>,
    pub(crate) state: String,
    disabled_reason: Option<String>,
    disabled_at: Option<i64>,
    failing_since: Option<i64>,
    created_at: i64,
}

impl WebhookRow {
    fn new(webhook: &Webhook, sealer: &Sealer) -> Result<Self> {
        let id = webhook.id.to_string();
        let seal = |column: &str, text: &str| seal_text(sealer, TABLE, &id, column, text);
        let device = webhook.scope.device().map(|device| device.to_string());
        let retiring = webhook.retiring.as_ref();
        let (disabled_reason, disabled_at) = match &webhook.state {
            WebhookState::Disabled { reason, at } => (Some(reason.clone()), Some(at.0)),
            WebhookState::Active | WebhookState::Paused => (None, None),
        };
        let events: Vec<&str> = webhook.events.patterns().collect();
        let headers: Vec<(&str, &str)> = webhook
            .headers
            .iter()
            .map(|header| (header.name(), header.value().reveal()))
            .collect();
        Ok(Self {
            seed_device_id: device
                .clone()
                .filter(|_| matches!(webhook.scope, WebhookScope::Seed(_))),
            device_id: device,
            workspace: match &webhook.scope {
                WebhookScope::Workspace(name) => Some(name.to_string()),
                _ => None,
            },
            url: webhook.url.clone(),
            format: webhook.format.as_str().into(),
            events: serde_json::to_string(&events).map_err(Error::internal)?,
            headers: seal(
                "headers",
                &serde_json::to_string(&headers).map_err(Error::internal)?,
            )?,
            secret: seal("secret", webhook.secret.reveal())?,
            retiring_secret: retiring
                .map(|retiring| seal("retiring_secret", retiring.secret.reveal()))
                .transpose()?,
            retiring_until: retiring.map(|retiring| retiring.until.0),
            state: webhook.state.as_str().into(),
            disabled_reason,
            disabled_at,
            failing_since: webhook.failing_since.map(|at| at.0),
            created_at: webhook.created_at.0,
            id,
        })
    }

    fn scope(&self) -> Result<WebhookScope> {
        let device: Option<DeviceId> = stored_option(self.device_id.as_deref())?;
        Ok(match (device, &self.workspace) {
            (Some(device), _) if self.seed_device_id.is_some() => WebhookScope::Seed(device),
            (Some(device), _) => WebhookScope::Device(device),
            (None, Some(name)) => WebhookScope::Workspace(stored(name)?),
            (None, None) => WebhookScope::Global,
        })
    }

    fn state(&self) -> WebhookState {
        match self.state.as_str() {
            "paused" => WebhookState::Paused,
            "disabled" => WebhookState::Disabled {
                reason: self.disabled_reason.clone().unwrap_or_default(),
                at: Timestamp(self.disabled_at.unwrap_or_default()),
            },
            _ => WebhookState::Active,
        }
    }

    pub(crate) fn is_active(&self) -> bool {
        self.state() == WebhookState::Active
    }

    pub(crate) fn open(self, sealer: &Sealer) -> Result<Webhook> {
        let unseal = |column: &str, envelope: &str| unseal_text(sealer, TABLE, &self.id, column, envelope);
        let events: Vec<String> = serde_json::from_str(&self.events).map_err(Error::internal)?;
        let headers: Vec<(String, String)> = match self.headers.as_str() {
            "" => Vec::new(),
            envelope => serde_json::from_str(&unseal("headers", envelope)?).map_err(Error::internal)?,
        };
        let retiring = match (&self.retiring_secret, self.retiring_until) {
            (Some(envelope), Some(until)) => Some(RetiringSecret {
                secret: stored(&unseal("retiring_secret", envelope)?)?,
                until: Timestamp(until),
            }),
            _ => None,
        };
        Ok(Webhook {
            id: stored(&self.id)?,
            scope: self.scope()?,
            format: stored(&self.format)?,
            events: EventFilter::parse(&events)?,
            headers: headers
                .into_iter()
                .map(|(name, value)| CustomHeader::new(&name, value))
                .collect::<Result<_>>()?,
            secret: stored(&unseal("secret", &self.secret)?)?,
            retiring,
            state: self.state(),
            failing_since: self.failing_since.map(Timestamp),
            created_at: Timestamp(self.created_at),
            url: self.url,
        })
    }

    /// Whether everything secret in it is sealed with the current key.
    fn is_current(&self, sealer: &Sealer) -> bool {
        let current = |text: &str| text.is_empty() || is_current_text(sealer, text);
        current(&self.secret) && current(&self.headers) && self.retiring_secret.as_deref().is_none_or(current)
    }
}

/// The endpoints with these ids, by id.
pub(crate) fn rows(conn: &mut Conn<'_>, ids: &[String]) -> Result<Vec<WebhookRow>, Failure> {
    let mut found = Vec::new();
    for some in ids.chunks(MAX_BINDS) {
        let rows: Vec<WebhookRow> =
            on!(conn, c => webhooks::table.filter(webhooks::id.eq_any(some)).load(c)?);
        found.extend(rows);
    }
    Ok(found)
}

/// Seals anew what is not sealed with the current key; says how many endpoints there were.
pub(crate) fn reseal(conn: &mut Conn<'_>, sealer: &Sealer) -> Result<u64, Failure> {
    let rows: Vec<WebhookRow> = on!(conn, c => webhooks::table.load(c)?);
    let mut count = 0;
    for row in rows.into_iter().filter(|row| !row.is_current(sealer)) {
        let fresh = WebhookRow::new(&row.open(sealer)?, sealer)?;
        on!(conn, c => diesel::update(&fresh).set(&fresh).execute(c)?);
        count += 1;
    }
    Ok(count)
}

/// Seals what was written before there was a seal.
pub(crate) fn seal_plain(conn: &mut Conn<'_>, sealer: &Sealer) -> Result<(), Failure> {
    let secrets = webhooks::table.select((webhooks::id, webhooks::secret));
    let rows: Vec<(String, String)> = on!(conn, c => secrets.load(c)?);
    for (id, secret) in rows.iter().filter(|(_, secret)| !is_sealed_text(secret)) {
        let envelope = seal_text(sealer, TABLE, id, "secret", secret)?;
        on!(conn, c => diesel::update(webhooks::table.find(id)).set(webhooks::secret.eq(envelope)).execute(c)?);
    }
    Ok(())
}

fn no_webhook(id: WebhookId) -> Error {
    Error::NotFound {
        what: "webhook",
        id: id.to_string(),
    }
}

/// A row that hangs on a device could not be stored: the device is gone.
fn or_no_device(error: diesel::result::Error, webhook: &Webhook) -> Failure {
    match webhook.scope.device() {
        Some(device) => Failure::or_no_device(error, device),
        None => error.into(),
    }
}

fn insert(conn: &mut Conn<'_>, webhook: &Webhook, sealer: &Sealer) -> Result<(), Failure> {
    let row = WebhookRow::new(webhook, sealer)?;
    on!(conn, c => diesel::insert_into(webhooks::table).values(&row).execute(c))
        .map_err(|error| or_no_device(error, webhook))?;
    Ok(())
}

fn put_seed(conn: &mut Conn<'_>, webhook: &Webhook, now: Timestamp, sealer: &Sealer) -> Result<(), Failure> {
    let row = WebhookRow::new(webhook, sealer)?;
    on!(conn, c => {
        diesel::insert_into(webhooks::table)
            .values(&row)
            .on_conflict(webhooks::seed_device_id)
            .do_update()
            .set(webhooks::url.eq(excluded(webhooks::url)))
            .execute(c)
    })
    .map_err(|error| or_no_device(error, webhook))?;
    let of_device = webhooks::table.filter(webhooks::seed_device_id.eq(&row.seed_device_id));
    let kept: WebhookRow = on!(conn, c => of_device.first(c)?);
    if matches!(kept.state(), WebhookState::Disabled { .. }) {
        let awake = (
            webhooks::state.eq(WebhookState::Active.as_str()),
            webhooks::disabled_reason.eq(None::<String>),
            webhooks::disabled_at.eq(None::<i64>),
            webhooks::failing_since.eq(None::<i64>),
        );
        on!(conn, c => diesel::update(webhooks::table.find(&kept.id)).set(awake).execute(c)?);
        queue::release(conn, &kept.id, now)?;
    }
    Ok(())
}

fn update(conn: &mut Conn<'_>, webhook: &Webhook, now: Timestamp, sealer: &Sealer) -> Result<(), Failure> {
    let id = webhook.id.to_string();
    let found: Option<WebhookRow> = on!(conn, c => webhooks::table.find(&id).first(c).optional()?);
    let before = found.ok_or_else(|| no_webhook(webhook.id))?;
    let wakes = !before.is_active() && webhook.state == WebhookState::Active;
    let row = WebhookRow {
        device_id: before.device_id.clone(),
        seed_device_id: before.seed_device_id.clone(),
        workspace: before.workspace.clone(),
        created_at: before.created_at,
        failing_since: before.failing_since.filter(|_| !wakes),
        ..WebhookRow::new(webhook, sealer)?
    };
    on!(conn, c => diesel::update(&row).set(&row).execute(c)?);
    match (before.is_active(), row.is_active()) {
        (true, false) => queue::hold(conn, &id),
        (false, true) => queue::release(conn, &id, now),
        _ => Ok(()),
    }
}

#[async_trait]
impl Webhooks for SqlWebhooks {
    async fn get(&self, id: WebhookId) -> Result<Option<Webhook>> {
        let sealer = self.database.sealer().clone();
        let get = move |conn: &mut Conn<'_>| {
            let row: Option<WebhookRow> =
                on!(conn, c => webhooks::table.find(id.to_string()).first(c).optional()?);
            Ok(row.map(|row| row.open(&sealer)).transpose()?)
        };
        self.database.run(get).await
    }

    async fn seed_of(&self, device: DeviceId) -> Result<Option<Webhook>> {
        Ok(self.seeds_of(&[device]).await?.pop())
    }

    async fn seeds_of(&self, devices: &[DeviceId]) -> Result<Vec<Webhook>> {
        let devices: Vec<String> = devices.iter().map(ToString::to_string).collect();
        let sealer = self.database.sealer().clone();
        let find = move |conn: &mut Conn<'_>| {
            let mut found = Vec::new();
            for some in devices.chunks(MAX_BINDS) {
                let of_devices = webhooks::table.filter(webhooks::seed_device_id.eq_any(some));
                let rows: Vec<WebhookRow> = on!(conn, c => of_devices.load(c)?);
                found.extend(rows);
            }
            Ok(open_all(found, &sealer)?)
        };
        self.database.run(find).await
    }

    async fn receiving(&self, device: &Device) -> Result<Vec<Webhook>> {
        let version = match self.database.memo().receiving(device) {
            Ok(known) => return Ok(known.to_vec()),
            Err(version) => version,
        };
        let id = device.id.to_string();
        let workspace = device.workspace.as_ref().map(ToString::to_string);
        let sealer = self.database.sealer().clone();
        let find = move |conn: &mut Conn<'_>| {
            let own = webhooks::device_id.eq(Some(id)).assume_not_null();
            let of_workspace = webhooks::workspace.is_not_null().and(
                webhooks::workspace
                    .assume_not_null()
                    .eq(workspace.unwrap_or_default()),
            );
            let global = webhooks::device_id.is_null().and(webhooks::workspace.is_null());
            let receiving = webhooks::table
                .filter(own.or(of_workspace).or(global))
                .order(webhooks::id);
            let rows: Vec<WebhookRow> = on!(conn, c => receiving.load(c)?);
            Ok(open_all(rows, &sealer)?)
        };
        let found = self.database.run(find).await?;
        self.database.memo().keep_receiving(version, device, &found);
        Ok(found)
    }

    async fn list(&self, query: CursorQuery<WebhookId>) -> Result<CursorPage<Webhook, WebhookId>> {
        let sealer = self.database.sealer().clone();
        let list = move |conn: &mut Conn<'_>| {
            let after = query.after.map(|id| id.to_string()).unwrap_or_default();
            let listed = webhooks::table
                .filter(webhooks::id.gt(after))
                .order(webhooks::id)
                .limit(i64::from(query.limit()) + 1);
            let rows: Vec<WebhookRow> = on!(conn, c => listed.load(c)?);
            let items = open_all(rows, &sealer)?;
            Ok(crate::page::page(items, query.limit(), |webhook: &Webhook| {
                webhook.id
            }))
        };
        self.database.run(list).await
    }

    async fn create(&self, webhook: &Webhook) -> Result<()> {
        let (webhook, sealer) = (webhook.clone(), self.database.sealer().clone());
        self.database
            .write(move |conn| insert(conn, &webhook, &sealer))
            .await
    }

    async fn put_seed(&self, webhook: &Webhook, now: Timestamp) -> Result<()> {
        let (webhook, sealer) = (webhook.clone(), self.database.sealer().clone());
        self.database
            .write(move |conn| put_seed(conn, &webhook, now, &sealer))
            .await
    }

    async fn update(&self, webhook: &Webhook, now: Timestamp) -> Result<()> {
        let (webhook, sealer) = (webhook.clone(), self.database.sealer().clone());
        self.database
            .write(move |conn| update(conn, &webhook, now, &sealer))
            .await
    }

    async fn delete(&self, id: WebhookId) -> Result<()> {
        let delete = move |conn: &mut Conn<'_>| {
            on!(conn, c => diesel::delete(webhooks::table.find(id.to_string())).execute(c)?);
            Ok(())
        };
        self.database.write(delete).await
    }
}

fn open_all(rows: Vec<WebhookRow>, sealer: &Sealer) -> Result<Vec<Webhook>> {
    rows.into_iter().map(|row| row.open(sealer)).collect()
}
