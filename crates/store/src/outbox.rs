//! The sends as rows, and how far each came.

use async_trait::async_trait;
use diesel::prelude::*;
use wagate_domain::model::{Answer, DeviceId, Idempotency, MessageId, MessageStatus, Timestamp};
use wagate_domain::ports::{Attempt, Outbox, OutboxEntry};
use wagate_domain::{Error, Result};

use crate::dialect::Conn;
use crate::error::Failure;
use crate::pool::Database;
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

/// A status never goes back, and a message that is not ours has none.
pub(crate) fn raise_status(
    conn: &mut Conn<'_>,
    device: DeviceId,
    message: &MessageId,
    status: MessageStatus,
) -> Result<(), Failure> {
    let behind = sends::table
        .find((device.to_string(), &message.0))
        .filter(sends::status.lt(code(status)));
    on!(conn, c => diesel::update(behind).set(sends::status.eq(code(status))).execute(c)?);
    Ok(())
}

fn begin(conn: &mut Conn<'_>, entry: OutboxEntry, keys_since: Timestamp) -> Result<Attempt, Failure> {
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
    );
    on!(conn, c => {
        diesel::insert_into(sends::table)
            .values(row)
            .on_conflict((sends::device_id, sends::message_id))
            .do_nothing()
            .execute(c)
    })
    .map_err(|error| Failure::or_no_device(error, entry.device))?;
    Ok(Attempt::Begun(entry.message))
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
fn earlier(conn: &mut Conn<'_>, device: &str, asked: &Idempotency) -> Result<Option<Attempt>, Failure> {
    let same_key = sends::table
        .filter(sends::device_id.eq(device))
        .filter(sends::idempotency_key.eq(asked.key.as_str()))
        .select((sends::message_id, sends::fingerprint, sends::answer));
    let found: Option<Earlier> = on!(conn, c => same_key.first(c).optional()?);
    let Some((message, fingerprint, answer)) = found else {
        return Ok(None);
    };
    if fingerprint.as_deref() != Some(&asked.fingerprint[..]) {
        return Ok(Some(Attempt::KeyReused));
    }
    let message = MessageId(message);
    Ok(Some(match answer {
        Some(answer) => {
            let answer: Answer = serde_json::from_str(&answer).map_err(Error::internal)?;
            Attempt::Answered(message, answer)
        }
        None => Attempt::Begun(message),
    }))
}

#[async_trait]
impl Outbox for SqlOutbox {
    async fn begin(&self, entry: OutboxEntry, keys_since: Timestamp) -> Result<Attempt> {
        self.database
            .write(move |conn| begin(conn, entry, keys_since))
            .await
    }

    async fn finish(
        &self,
        device: DeviceId,
        message: &MessageId,
        status: MessageStatus,
        answer: Option<Answer>,
    ) -> Result<()> {
        let message = message.clone();
        let answer = answer
            .as_ref()
            .map(serde_json::to_string)
            .transpose()
            .map_err(Error::internal)?;
        let finish = move |conn: &mut Conn<'_>| {
            raise_status(conn, device, &message, status)?;
            if let Some(answer) = answer {
                let send = sends::table.find((device.to_string(), &message.0));
                on!(conn, c => diesel::update(send).set(sends::answer.eq(answer)).execute(c)?);
            }
            Ok(())
        };
        self.database.write(finish).await
    }

    async fn status(&self, device: DeviceId, message: &MessageId) -> Result<Option<MessageStatus>> {
        let message = message.clone();
        let find = move |conn: &mut Conn<'_>| {
            let send = sends::table
                .find((device.to_string(), &message.0))
                .select(sends::status);
            let found: Option<i32> = on!(conn, c => send.first(c).optional()?);
            let Some(found) = found else { return Ok(None) };
            let known = STATUSES
                .iter()
                .find(|(_, code)| *code == found)
                .map(|(status, _)| *status);
            Ok(Some(known.ok_or_else(|| {
                Error::internal(format!("damaged row: status {found}"))
            })?))
        };
        self.database.run(find).await
    }
}
