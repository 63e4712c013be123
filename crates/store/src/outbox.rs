//! The sends as rows, and how far each came.

use std::collections::HashMap;

use async_trait::async_trait;
use diesel::prelude::*;
use wagate_domain::model::event;
use wagate_domain::model::{
    Answer, ChatChange, CursorPage, CursorQuery, DeviceId, Idempotency, MessageId, MessageStatus, StoredSend,
    Timestamp,
};
use wagate_domain::ports::{Express, Outbox, OutboxEntry, Recorded, SendBegin, StatusChange};
use wagate_domain::{Error, Result};

use crate::chats;
use crate::dialect::{Conn, MAX_BINDS, without_nul};
use crate::error::{Failure, stored};
use crate::page::page;
use crate::pool::Database;
use crate::recording;
use crate::schema::sends;

/// [`Outbox`] in a database.
pub struct SqlOutbox {
    pub(crate) database: Database,
}

impl std::fmt::Debug for SqlOutbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SqlOutbox")
    }
}

/// Every status with the number that is stored for it: a later one is larger, with room between them.
const STATUSES: [(MessageStatus, i32); 7] = [
    (MessageStatus::Queued, 0),
    (MessageStatus::Failed, 10),
    (MessageStatus::Unknown, 20),
    (MessageStatus::Sent, 30),
    (MessageStatus::Delivered, 40),
    (MessageStatus::Read, 50),
    (MessageStatus::Played, 60),
];

fn code(status: MessageStatus) -> i32 {
    STATUSES
        .iter()
        .find(|(known, _)| *known == status)
        .map_or(0, |(_, code)| *code)
}

fn status(code: i32) -> Result<MessageStatus> {
    STATUSES
        .iter()
        .find(|(_, known)| *known == code)
        .map(|(status, _)| *status)
        .ok_or_else(|| Error::internal(format!("damaged row: status {code}")))
}

fn failure(stored: Option<&str>) -> Result<Option<event::Failure>> {
    stored
        .map(serde_json::from_str)
        .transpose()
        .map_err(Error::internal)
}

/// How far a message came, and why no further.
type Standing = (MessageStatus, Option<event::Failure>);

/// How far those of the messages came that are ours.
pub(crate) fn standings(
    conn: &mut Conn<'_>,
    device: &str,
    ids: &[&str],
) -> Result<HashMap<String, Standing>, Failure> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let those = sends::table
        .filter(sends::device_id.eq(device))
        .filter(sends::message_id.eq_any(ids.iter().copied()))
        .select((sends::message_id, sends::status, sends::failure));
    let rows: Vec<(String, i32, Option<String>)> = on!(conn, c => those.load(c)?);
    let standing =
        |(id, code, why): (String, i32, Option<String>)| Ok((id, (status(code)?, failure(why.as_deref())?)));
    Ok(rows.into_iter().map(standing).collect::<Result<_>>()?)
}

/// A status never goes back, and a message that is not ours has none. Says whether it did change.
pub(crate) fn raise_status(
    conn: &mut Conn<'_>,
    device: DeviceId,
    change: &StatusChange,
) -> Result<bool, Failure> {
    let failure = change
        .failure
        .as_ref()
        .map(serde_json::to_string)
        .transpose()
        .map_err(Error::internal)?;
    let behind = sends::table
        .find((device.to_string(), &change.message.0))
        .filter(sends::status.lt(code(change.status)));
    let raised = (
        sends::status.eq(code(change.status)),
        sends::failure.eq(failure),
        sends::updated_at.eq(change.at.0),
    );
    let changed = on!(conn, c => diesel::update(behind).set(raised).execute(c)?);
    if changed == 0 {
        return Ok(false);
    }
    if let Some(to) = &change.to {
        let send = sends::table.find((device.to_string(), &change.message.0));
        on!(conn, c => diesel::update(send).set(sends::recipient.eq(to.to_string())).execute(c)?);
    }
    Ok(true)
}

fn begin(conn: &mut Conn<'_>, entry: OutboxEntry, keys_since: Timestamp) -> Result<SendBegin, Failure> {
    let device = entry.device.to_string();
    if let Some(asked) = &entry.idempotency {
        forget_key(conn, &device, asked, keys_since)?;
        if let Some(earlier) = earlier(conn, &device, asked)? {
            return Ok(earlier);
        }
    }
    let idempotency = entry.idempotency.as_ref();
    let row = (
        sends::device_id.eq(&device),
        sends::message_id.eq(&entry.message.0),
        sends::status.eq(code(MessageStatus::Queued)),
        sends::idempotency_key.eq(idempotency.map(|asked| asked.key.as_str())),
        sends::fingerprint.eq(idempotency.map(|asked| &asked.fingerprint[..])),
        sends::created_at.eq(entry.at.0),
        sends::updated_at.eq(entry.at.0),
        sends::recipient.eq(without_nul(&entry.to)),
    );
    on!(conn, c => {
        diesel::insert_into(sends::table)
            .values(row)
            .on_conflict((sends::device_id, sends::message_id))
            .do_nothing()
            .execute(c)
    })
    .map_err(|error| Failure::or_no_device(error, entry.device))?;
    if let Some(said) = entry.said {
        chats::record(conn, [(entry.device, &ChatChange::Wrote(said))])?;
    }
    Ok(SendBegin::Begun(entry.message))
}

/// Frees a key that is too old; the send itself stays.
fn forget_key(
    conn: &mut Conn<'_>,
    device: &str,
    asked: &Idempotency,
    since: Timestamp,
) -> Result<(), Failure> {
    let old = sends::table
        .filter(sends::device_id.eq(device))
        .filter(sends::idempotency_key.eq(asked.key.as_str()))
        .filter(sends::created_at.lt(since.0));
    let forgotten = (
        sends::idempotency_key.eq(None::<String>),
        sends::fingerprint.eq(None::<Vec<u8>>),
        sends::answer.eq(None::<String>),
    );
    on!(conn, c => diesel::update(old).set(forgotten).execute(c)?);
    Ok(())
}

type Earlier = (String, Option<Vec<u8>>, Option<String>);

/// What became of an earlier send with the same key.
fn earlier(conn: &mut Conn<'_>, device: &str, asked: &Idempotency) -> Result<Option<SendBegin>, Failure> {
    let same_key = sends::table
        .filter(sends::device_id.eq(device))
        .filter(sends::idempotency_key.eq(asked.key.as_str()))
        .select((sends::message_id, sends::fingerprint, sends::answer));
    let found: Option<Earlier> = on!(conn, c => same_key.first(c).optional()?);
    let Some((message, fingerprint, answer)) = found else {
        return Ok(None);
    };
    if fingerprint.as_deref() != Some(&asked.fingerprint[..]) {
        return Ok(Some(SendBegin::KeyReused));
    }
    let message = MessageId(message);
    Ok(Some(match answer {
        Some(answer) => {
            let answer: Answer = serde_json::from_str(&answer).map_err(Error::internal)?;
            SendBegin::Answered(message, answer)
        }
        None => SendBegin::Begun(message),
    }))
}

#[async_trait]
impl Outbox for SqlOutbox {
    async fn begin(&self, entry: OutboxEntry, keys_since: Timestamp) -> Result<SendBegin> {
        self.database
            .write_apart(move |conn| begin(conn, entry, keys_since))
            .await
    }

    async fn finish(
        &self,
        device: DeviceId,
        change: StatusChange,
        answer: Option<Answer>,
        express: Express,
    ) -> Result<Recorded> {
        let sealer = self.database.sealer().clone();
        let answer = answer
            .as_ref()
            .map(serde_json::to_string)
            .transpose()
            .map_err(Error::internal)?;
        let finish = move |conn: &mut Conn<'_>| {
            let changed = raise_status(conn, device, &change)?;
            if let Some(answer) = answer {
                let send = sends::table.find((device.to_string(), &change.message.0));
                on!(conn, c => diesel::update(send).set(sends::answer.eq(answer)).execute(c)?);
            }
            let event = change.event.filter(|_| changed);
            recording::append_own(conn, device, event.as_slice(), express, &sealer)
        };
        self.database.write_apart(finish).await
    }

    async fn get(&self, device: DeviceId, message: &MessageId) -> Result<Option<StoredSend>> {
        let message = message.clone();
        let find = move |conn: &mut Conn<'_>| {
            let send = sends::table.find((device.to_string(), &message.0));
            let found: Option<Row> = on!(conn, c => send.select(Row::as_select()).first(c).optional()?);
            Ok(found.map(Row::stored).transpose()?)
        };
        self.database.run(find).await
    }

    async fn list(
        &self,
        device: DeviceId,
        query: CursorQuery<MessageId>,
    ) -> Result<CursorPage<StoredSend, MessageId>> {
        self.database
            .run(move |conn| list(conn, &device.to_string(), &query))
            .await
    }

    async fn unfinished(&self, before: Timestamp, limit: u32) -> Result<Vec<StoredSend>> {
        let find = move |conn: &mut Conn<'_>| {
            let queued = sends::table
                // Written out, because a partial index serves no bound value.
                .filter(diesel::dsl::sql::<diesel::sql_types::Bool>("status = 0"))
                .filter(sends::created_at.lt(before.0))
                .limit(limit.into());
            let rows: Vec<Row> = on!(conn, c => queued.select(Row::as_select()).load(c)?);
            Ok(rows.into_iter().map(Row::stored).collect::<Result<_>>()?)
        };
        self.database.run(find).await
    }

    async fn prune(&self, before: Timestamp, limit: u32) -> Result<u64> {
        let prune = move |conn: &mut Conn<'_>| {
            let old = sends::table
                .filter(sends::created_at.lt(before.0))
                .order(sends::created_at)
                .limit(i64::from(limit).min(i64::try_from(MAX_BINDS / 2).unwrap_or(i64::MAX)))
                .select((sends::device_id, sends::message_id));
            let old: Vec<(String, String)> = on!(conn, c => old.load(c)?);
            for (device, message) in &old {
                on!(conn, c => diesel::delete(sends::table.find((device, message))).execute(c)?);
            }
            Ok(old.len() as u64)
        };
        self.database.write_apart(prune).await
    }
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = sends)]
struct Row {
    device_id: String,
    message_id: String,
    recipient: String,
    status: i32,
    failure: Option<String>,
    created_at: i64,
    updated_at: i64,
}

impl Row {
    fn stored(self) -> Result<StoredSend> {
        Ok(StoredSend {
            id: MessageId(self.message_id),
            device: stored(&self.device_id)?,
            to: self.recipient,
            status: status(self.status)?,
            failure: failure(self.failure.as_deref())?,
            created_at: Timestamp(self.created_at),
            updated_at: Timestamp(self.updated_at),
        })
    }
}

fn list(
    conn: &mut Conn<'_>,
    device: &str,
    query: &CursorQuery<MessageId>,
) -> Result<CursorPage<StoredSend, MessageId>, Failure> {
    let after: Option<i64> = match &query.after {
        Some(after) => {
            let one = sends::table.find((device, &after.0)).select(sends::created_at);
            on!(conn, c => one.first(c).optional()?)
        }
        None => None,
    };
    let rows: Vec<Row> = on!(conn, c => {
        let mut found = sends::table
            .filter(sends::device_id.eq(device))
            .order((sends::created_at.desc(), sends::message_id.desc()))
            .limit(i64::from(query.limit()) + 1)
            .select(Row::as_select())
            .into_boxed();
        if let (Some(at), Some(after)) = (after, &query.after) {
            let same_moment = sends::created_at.eq(at).and(sends::message_id.lt(&after.0));
            found = found.filter(sends::created_at.lt(at).or(same_moment));
        }
        found.load(c)?
    });
    let items = rows.into_iter().map(Row::stored).collect::<Result<Vec<_>>>()?;
    Ok(page(items, query.limit(), |send| send.id.clone()))
}
