//! Conversations as rows: what each commit adds to them, at two statements however much it is.

use std::collections::{BTreeMap, BTreeSet};

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Integer, Text};
use wagate_domain::Result;
use wagate_domain::model::{ChatChange, DeviceId, Jid, Place, Timestamp};
use wagate_domain::ports::Completion;

use crate::chat_rows::{MESSAGE_COLUMNS, MessageRow, media};
use crate::dialect::{Conn, MAX_BINDS, without_nul};
use crate::error::Failure;
use crate::schema::{chats, messages};

#[derive(Insertable)]
#[diesel(table_name = chats, treat_none_as_default_value = false)]
struct ChatRow {
    device_id: String,
    jid: String,
    last_at: i64,
    last_place: String,
    unread: i32,
    read_at: i64,
}

/// Values that a [`ChatRow`] binds.
const CHAT_COLUMNS: usize = 6;

/// What all changes of one conversation in one commit come to.
#[derive(Default)]
struct Sum {
    last: Option<Place>,
    /// Messages since the last one that was read, or all of them.
    unread: i32,
    /// When the account read or wrote there; zero when it did not.
    read_at: i64,
}

impl Sum {
    fn add(&mut self, change: &ChatChange) {
        match change {
            ChatChange::Wrote(message) => {
                self.last = self.last.max(Some(message.place));
                if message.sender.is_none() {
                    self.read(message.place.at);
                } else if message.asks_to_be_read() {
                    self.unread += 1;
                }
            }
            ChatChange::Read { at, .. } => self.read(*at),
        }
    }

    fn read(&mut self, at: Timestamp) {
        self.unread = 0;
        self.read_at = self.read_at.max(at.0);
    }

    fn row(self, (device_id, jid): (String, String)) -> ChatRow {
        ChatRow {
            device_id,
            jid,
            last_at: self.last.map_or(0, |last| last.at.0),
            last_place: self.last.map_or_else(String::new, |last| last.number.to_string()),
            unread: self.unread,
            read_at: self.read_at,
        }
    }
}

/// Puts changes of conversations down, in order, of any number of devices: one statement for all messages and one
/// for all conversations. Messages of the account itself that are there already are left out.
pub(crate) fn record<'a>(
    conn: &mut Conn<'_>,
    changes: impl IntoIterator<Item = (DeviceId, &'a ChatChange)>,
) -> Result<(), Failure> {
    let changes: Vec<(DeviceId, &ChatChange)> = changes.into_iter().collect();
    let new = insert(conn, &changes)?;
    // One statement must not meet the same row twice: PostgreSQL refuses that.
    let mut sums: BTreeMap<(String, String), Sum> = BTreeMap::new();
    for (device, change) in changes {
        let chat = match change {
            ChatChange::Wrote(message) if !new.contains(&message.place.number.to_string()) => continue,
            ChatChange::Wrote(message) => &message.chat,
            ChatChange::Read { chat, .. } => chat,
        };
        let key = (device.to_string(), chat.to_string());
        sums.entry(key).or_default().add(change);
    }
    let rows: Vec<ChatRow> = sums.into_iter().map(|(key, sum)| sum.row(key)).collect();
    upsert(conn, &rows)
}

/// Inserts what is not there yet, and says which that was.
fn insert(conn: &mut Conn<'_>, changes: &[(DeviceId, &ChatChange)]) -> Result<BTreeSet<String>, Failure> {
    let written = changes.iter().filter_map(|(device, change)| match change {
        ChatChange::Wrote(message) => Some(MessageRow::new(*device, message)),
        ChatChange::Read { .. } => None,
    });
    let rows = written.collect::<Result<Vec<_>>>()?;
    let mut new = BTreeSet::new();
    for some in rows.chunks(MAX_BINDS / MESSAGE_COLUMNS) {
        let places: Vec<String> = on!(conn, c => {
            diesel::insert_into(messages::table)
                .values(some)
                .on_conflict_do_nothing()
                .returning(messages::place)
                .get_results(c)?
        });
        new.extend(places);
    }
    Ok(new)
}

/// Whether what comes is newer than what is there.
macro_rules! newer {
    () => {
        "(excluded.last_at > chats.last_at \
          OR (excluded.last_at = chats.last_at AND excluded.last_place > chats.last_place))"
    };
}

fn upsert(conn: &mut Conn<'_>, rows: &[ChatRow]) -> Result<(), Failure> {
    for some in rows.chunks(MAX_BINDS / CHAT_COLUMNS) {
        on!(conn, c => {
            diesel::insert_into(chats::table)
                .values(some)
                .on_conflict((chats::device_id, chats::jid))
                .do_update()
                .set((
                    chats::last_at.eq(sql::<BigInt>(concat!(
                        "CASE WHEN ", newer!(), " THEN excluded.last_at ELSE chats.last_at END"
                    ))),
                    chats::last_place.eq(sql::<Text>(concat!(
                        "CASE WHEN ", newer!(), " THEN excluded.last_place ELSE chats.last_place END"
                    ))),
                    chats::unread.eq(sql::<Integer>(
                        "excluded.unread + CASE WHEN excluded.read_at > 0 AND excluded.read_at >= chats.read_at \
                         THEN 0 ELSE chats.unread END"
                    )),
                    chats::read_at.eq(sql::<BigInt>(
                        "CASE WHEN excluded.read_at > chats.read_at THEN excluded.read_at ELSE chats.read_at END"
                    )),
                ))
                .execute(c)?;
        });
    }
    Ok(())
}

/// Moves a message of ours to where it belongs and describes its file.
pub(crate) fn complete(conn: &mut Conn<'_>, device: DeviceId, told: &Completion) -> Result<(), Failure> {
    let owner = device.to_string();
    let own = messages::table
        .filter(messages::device_id.eq(&owner))
        .filter(messages::id.eq(&told.message.0))
        .filter(messages::sender.is_null());
    let found: Option<MessageRow> = on!(conn, c => own.select(MessageRow::as_select()).first(c).optional()?);
    let Some(before) = found.map(MessageRow::stored).transpose()? else {
        return Ok(());
    };
    let mut after = before.clone();
    after.chat.clone_from(&told.chat);
    if let Some(media) = &told.media {
        after.kind.clone_from(&media.kind);
        after.media = Some(media.clone());
    }
    let changed = (
        messages::chat.eq(after.chat.to_string()),
        messages::kind.eq(&after.kind),
        messages::media.eq(media(after.media.as_ref())?),
    );
    let key = (
        &owner,
        before.chat.to_string(),
        before.place.at.0,
        before.place.number.to_string(),
    );
    on!(conn, c => diesel::update(messages::table.find(key)).set(changed).execute(c)?);
    if before.chat == after.chat {
        return Ok(());
    }
    let mut sum = Sum::default();
    sum.add(&ChatChange::Wrote(Box::new(after)));
    upsert(conn, &[sum.row((owner.clone(), told.chat.to_string()))])?;
    step_back(conn, &owner, &before.chat.to_string())
}

/// What is the newest of a conversation that lost one; nothing is left of one that lost all.
fn step_back(conn: &mut Conn<'_>, device: &str, jid: &str) -> Result<(), Failure> {
    let newest = messages::table
        .filter(messages::device_id.eq(device))
        .filter(messages::chat.eq(jid))
        .order((messages::at.desc(), messages::place.desc()))
        .select((messages::at, messages::place));
    let newest: Option<(i64, String)> = on!(conn, c => newest.first(c).optional()?);
    let chat = chats::table.find((device, jid));
    on!(conn, c => match &newest {
        Some((at, place)) => diesel::update(chat)
            .set((chats::last_at.eq(at), chats::last_place.eq(place)))
            .execute(c)?,
        None => diesel::delete(chat).execute(c)?,
    });
    Ok(())
}

/// Nothing is unread any more.
pub(crate) fn mark_read(
    conn: &mut Conn<'_>,
    device: DeviceId,
    jid: &Jid,
    at: Timestamp,
) -> Result<(), Failure> {
    let (device, jid) = (device.to_string(), jid.to_string());
    let chat = chats::table.find((&device, &jid));
    on!(conn, c => diesel::update(chat).set(chats::unread.eq(0)).execute(c)?);
    let earlier = chat.filter(chats::read_at.lt(at.0));
    on!(conn, c => diesel::update(earlier).set(chats::read_at.eq(at.0)).execute(c)?);
    Ok(())
}

/// Gives those conversations their names that have another one.
pub(crate) fn remember_names(
    conn: &mut Conn<'_>,
    device: DeviceId,
    names: &[(Jid, String)],
) -> Result<(), Failure> {
    let device = device.to_string();
    let wanted: BTreeMap<String, String> = names
        .iter()
        .map(|(jid, name)| (jid.to_string(), without_nul(name)))
        .collect();
    let jids: Vec<&String> = wanted.keys().collect();
    for some in jids.chunks(MAX_BINDS - 1) {
        let of_those = chats::table
            .filter(chats::device_id.eq(&device))
            .filter(chats::jid.eq_any(some.iter().copied()))
            .select((chats::jid, chats::name));
        let known: Vec<(String, Option<String>)> = on!(conn, c => of_those.load(c)?);
        for (jid, name) in known {
            let now = wanted.get(&jid);
            if now != name.as_ref() {
                let chat = chats::table.find((&device, &jid));
                on!(conn, c => diesel::update(chat).set(chats::name.eq(now)).execute(c)?);
            }
        }
    }
    Ok(())
}

/// Removes a few old messages, and once there are no more, conversations of which nothing is left.
pub(crate) fn prune(conn: &mut Conn<'_>, before: Timestamp, limit: u32) -> Result<u64, Failure> {
    let old = messages::table
        .filter(messages::at.lt(before.0))
        .order(messages::at)
        .limit(limit.into())
        .select((messages::at, messages::place));
    let old: Vec<(i64, String)> = on!(conn, c => old.load(c)?);
    if let Some((latest, _)) = old.last() {
        let places: Vec<&String> = old.iter().map(|(_, place)| place).collect();
        let those = messages::table
            .filter(messages::at.le(latest))
            .filter(messages::place.eq_any(places));
        on!(conn, c => diesel::delete(those).execute(c)?);
    }
    if old.len() < limit as usize {
        let empty = chats::table.filter(chats::last_at.lt(before.0));
        on!(conn, c => diesel::delete(empty).execute(c)?);
    }
    Ok(old.len() as u64)
}
