//! Reading conversations: the list of them, and what was said.

use std::collections::HashMap;

use async_trait::async_trait;
use diesel::prelude::*;
use wagate_domain::Result;
use wagate_domain::model::chat::fold;
use wagate_domain::model::event::Failure as SendFailure;
use wagate_domain::model::{
    Chat, ChatMessage, Contact, CursorPage, CursorQuery, DeviceId, Jid, MessageId, MessageStatus, Place,
    ShownMessage, Timestamp,
};
use wagate_domain::ports::{Chats, Completion};

use crate::chats::{self as rows, MessageRow};
use crate::dialect::Conn;
use crate::error::Failure;
use crate::pool::Database;
use crate::schema::{chats, messages};
use crate::{directory, outbox};

/// Rows that a search looks at together.
const CHUNK: u32 = 500;
/// Rows that one call of a search looks at before it gives what it found.
const PATIENCE: usize = 5_000;

/// [`Chats`] in a database.
pub struct SqlChats {
    pub(crate) database: Database,
}

impl std::fmt::Debug for SqlChats {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SqlChats")
    }
}

/// Reads on, newest first, until there are enough of those that are wanted.
fn sift<T>(
    query: &CursorQuery<Place>,
    searching: bool,
    place: impl Fn(&T) -> Place,
    mut read: impl FnMut(Option<Place>, u32) -> Result<Vec<T>, Failure>,
    wanted: impl Fn(&T) -> bool,
) -> Result<CursorPage<T, Place>, Failure> {
    let limit = query.limit() as usize;
    let chunk = if searching { CHUNK } else { query.limit() + 1 };
    let mut items: Vec<T> = Vec::new();
    let mut seen = 0;
    let mut after = query.after;
    loop {
        let some = read(after, chunk)?;
        let last = some.len() < chunk as usize;
        seen += some.len();
        after = some.last().map(&place).or(after);
        items.extend(some.into_iter().filter(&wanted));
        if items.len() > limit {
            items.truncate(limit);
            let next = items.last().map(&place);
            return Ok(CursorPage { items, next });
        }
        if last || seen >= PATIENCE {
            let next = after.filter(|_| !last);
            return Ok(CursorPage { items, next });
        }
    }
}

/// What somebody may be called: all names for a search, and the best one to show.
type People = HashMap<String, Contact>;

fn has(chat: &Chat, people: &People, folded: &str) -> bool {
    let contact = people.get(&chat.jid.to_string());
    let names = contact.map(|known| {
        [
            &known.full_name,
            &known.first_name,
            &known.push_name,
            &known.business_name,
        ]
    });
    let names = names.into_iter().flatten().filter_map(|name| name.as_deref());
    names
        .chain(chat.name.as_deref())
        .chain([chat.jid.user()])
        .any(|name| fold(name).contains(folded))
}

fn name_of(people: &People, jid: &Jid) -> Option<String> {
    let contact = people.get(&jid.to_string())?;
    contact.best_name().map(Into::into)
}

/// Adds what other tables know of messages: names, and how far those of ours came.
fn shown(
    conn: &mut Conn<'_>,
    device: &str,
    found: Vec<ChatMessage>,
    people: &People,
) -> Result<Vec<ShownMessage>, Failure> {
    let own = found.iter().filter(|message| message.sender.is_none());
    let own: Vec<&str> = own.map(|message| message.id.0.as_str()).collect();
    let mut standings: HashMap<String, (MessageStatus, Option<SendFailure>)> =
        outbox::standings(conn, device, &own)?;
    let show = |message: ChatMessage| {
        let standing = match &message.sender {
            None => standings.remove(&message.id.0),
            Some(_) => None,
        };
        let (status, failure) = standing.map_or((None, None), |(status, failure)| (Some(status), failure));
        let known = message.sender.as_ref().and_then(|sender| name_of(people, sender));
        ShownMessage {
            sender_name: known.or_else(|| message.name.clone()),
            status,
            failure,
            message,
        }
    };
    Ok(found.into_iter().map(show).collect())
}

type ListedRow = (Option<String>, i32, MessageRow);

fn listed(
    conn: &mut Conn<'_>,
    device: &str,
    only: Option<&str>,
    after: Option<Place>,
    limit: u32,
) -> Result<Vec<ListedRow>, Failure> {
    let newest = messages::device_id
        .eq(chats::device_id)
        .and(messages::chat.eq(chats::jid))
        .and(messages::at.eq(chats::last_at))
        .and(messages::place.eq(chats::last_place));
    let rows: Vec<ListedRow> = on!(conn, c => {
        let mut found = chats::table
            .inner_join(messages::table.on(newest))
            .filter(chats::device_id.eq(device))
            .order((chats::last_at.desc(), chats::last_place.desc()))
            .limit(limit.into())
            .select((chats::name, chats::unread, MessageRow::as_select()))
            .into_boxed();
        if let Some(only) = only {
            found = found.filter(chats::jid.eq(only));
        }
        if let Some(after) = after {
            let number = after.number.to_string();
            found = found
                .filter(chats::last_at.le(after.at.0))
                .filter(chats::last_at.lt(after.at.0).or(chats::last_place.lt(number)));
        }
        found.load(c)?
    });
    Ok(rows)
}

/// Conversations with all that is shown of them.
fn read_chats(
    conn: &mut Conn<'_>,
    device: &str,
    rows: Vec<ListedRow>,
    people: &People,
) -> Result<Vec<Chat>, Failure> {
    let (heads, found): (Vec<_>, Vec<_>) = rows
        .into_iter()
        .map(|(name, unread, row)| ((name, unread), row))
        .unzip();
    let found = found
        .into_iter()
        .map(MessageRow::stored)
        .collect::<Result<Vec<_>>>()?;
    let last = shown(conn, device, found, people)?;
    let chat = |((name, unread), last): ((Option<String>, i32), ShownMessage)| Chat {
        jid: last.message.chat.clone(),
        name: name_of(people, &last.message.chat).or(name),
        unread: u32::try_from(unread).unwrap_or(0),
        last,
    };
    Ok(heads.into_iter().zip(last).map(chat).collect())
}

/// The contacts behind conversations and behind who wrote last in them.
fn people_in(conn: &mut Conn<'_>, device: &str, rows: &[ListedRow]) -> Result<People, Failure> {
    let jids = rows.iter().flat_map(|(_, _, row)| row.people());
    directory::of_those(conn, device, jids)
}

fn list(
    conn: &mut Conn<'_>,
    device: &str,
    search: Option<&str>,
    query: CursorQuery<Place>,
) -> Result<CursorPage<Chat, Place>, Failure> {
    let folded = search.map(fold);
    let page = sift(
        &query,
        folded.is_some(),
        |(chat, _): &(Chat, bool)| chat.last.message.place,
        |after, limit| {
            let rows = listed(conn, device, None, after, limit)?;
            let people = people_in(conn, device, &rows)?;
            let chats = read_chats(conn, device, rows, &people)?;
            let wanted = |chat: &Chat| folded.as_ref().is_none_or(|folded| has(chat, &people, folded));
            Ok(chats
                .into_iter()
                .map(|chat| {
                    let wanted = wanted(&chat);
                    (chat, wanted)
                })
                .collect())
        },
        |(_, wanted)| *wanted,
    )?;
    Ok(CursorPage {
        items: page.items.into_iter().map(|(chat, _)| chat).collect(),
        next: page.next,
    })
}

fn get(conn: &mut Conn<'_>, device: &str, jid: &str) -> Result<Option<Chat>, Failure> {
    let rows = listed(conn, device, Some(jid), None, 1)?;
    let people = people_in(conn, device, &rows)?;
    Ok(read_chats(conn, device, rows, &people)?.pop())
}

fn said(
    conn: &mut Conn<'_>,
    (device, chat): (&str, &str),
    after: Option<Place>,
    limit: u32,
) -> Result<Vec<ChatMessage>, Failure> {
    let rows: Vec<MessageRow> = on!(conn, c => {
        let mut found = messages::table
            .filter(messages::device_id.eq(device))
            .filter(messages::chat.eq(chat))
            .order((messages::at.desc(), messages::place.desc()))
            .limit(limit.into())
            .select(MessageRow::as_select())
            .into_boxed();
        if let Some(after) = after {
            let number = after.number.to_string();
            // The first half is what an index can begin at.
            found = found
                .filter(messages::at.le(after.at.0))
                .filter(messages::at.lt(after.at.0).or(messages::place.lt(number)));
        }
        found.load(c)?
    });
    Ok(rows.into_iter().map(MessageRow::stored).collect::<Result<_>>()?)
}

fn history(
    conn: &mut Conn<'_>,
    (device, chat): (&str, &str),
    search: Option<&str>,
    query: CursorQuery<Place>,
) -> Result<CursorPage<ShownMessage, Place>, Failure> {
    let folded = search.map(fold);
    let page = sift(
        &query,
        folded.is_some(),
        |message: &ChatMessage| message.place,
        |after, limit| said(conn, (device, chat), after, limit),
        |message| folded.as_ref().is_none_or(|folded| message.says(folded)),
    )?;
    let senders = page.items.iter().filter_map(|message| message.sender.as_ref());
    let people = directory::of_those(conn, device, senders.map(Jid::to_string))?;
    Ok(CursorPage {
        items: shown(conn, device, page.items, &people)?,
        next: page.next,
    })
}

fn unread(
    conn: &mut Conn<'_>,
    (device, jid): (&str, &str),
    limit: u32,
) -> Result<Vec<(MessageId, Jid)>, Failure> {
    let count = chats::table.find((device, jid)).select(chats::unread);
    let count: Option<i32> = on!(conn, c => count.first(c).optional()?);
    let count = count.map_or(0, |count| usize::try_from(count).unwrap_or(0));
    let newest = messages::table
        .filter(messages::device_id.eq(device))
        .filter(messages::chat.eq(jid))
        .filter(messages::sender.is_not_null())
        .order((messages::at.desc(), messages::place.desc()))
        .limit(limit.into());
    let newest: Vec<MessageRow> = on!(conn, c => newest.select(MessageRow::as_select()).load(c)?);
    let newest = newest
        .into_iter()
        .map(MessageRow::stored)
        .collect::<Result<Vec<_>>>()?;
    let asking = newest.into_iter().filter(ChatMessage::asks_to_be_read);
    Ok(asking
        .filter_map(|message| Some((message.id, message.sender?)))
        .take(count)
        .collect())
}

#[async_trait]
impl Chats for SqlChats {
    async fn list(
        &self,
        device: DeviceId,
        search: Option<&str>,
        query: CursorQuery<Place>,
    ) -> Result<CursorPage<Chat, Place>> {
        let (device, search) = (device.to_string(), search.map(ToOwned::to_owned));
        let read = move |conn: &mut Conn<'_>| list(conn, &device, search.as_deref(), query);
        self.database.run(|conn| conn.atomically(read)).await
    }

    async fn get(&self, device: DeviceId, chat: &Jid) -> Result<Option<Chat>> {
        let (device, chat) = (device.to_string(), chat.to_string());
        let read = move |conn: &mut Conn<'_>| get(conn, &device, &chat);
        self.database.run(|conn| conn.atomically(read)).await
    }

    async fn history(
        &self,
        device: DeviceId,
        chat: &Jid,
        search: Option<&str>,
        query: CursorQuery<Place>,
    ) -> Result<CursorPage<ShownMessage, Place>> {
        let (device, chat) = (device.to_string(), chat.to_string());
        let search = search.map(ToOwned::to_owned);
        let read = move |conn: &mut Conn<'_>| history(conn, (&device, &chat), search.as_deref(), query);
        self.database.run(|conn| conn.atomically(read)).await
    }

    async fn complete(&self, device: DeviceId, completion: &Completion) -> Result<()> {
        let completion = completion.clone();
        self.database
            .write(move |conn| rows::complete(conn, device, &completion))
            .await
    }

    async fn unread(&self, device: DeviceId, chat: &Jid, limit: u32) -> Result<Vec<(MessageId, Jid)>> {
        let (device, chat) = (device.to_string(), chat.to_string());
        self.database
            .run(move |conn| unread(conn, (&device, &chat), limit))
            .await
    }

    async fn mark_read(&self, device: DeviceId, chat: &Jid, at: Timestamp) -> Result<()> {
        let chat = chat.clone();
        self.database
            .write(move |conn| rows::mark_read(conn, device, &chat, at))
            .await
    }

    async fn remember_names(&self, device: DeviceId, names: &[(Jid, String)]) -> Result<()> {
        let names = names.to_vec();
        self.database
            .write(move |conn| rows::remember_names(conn, device, &names))
            .await
    }

    async fn prune(&self, before: Timestamp, limit: u32) -> Result<u64> {
        self.database
            .write(move |conn| rows::prune(conn, before, limit))
            .await
    }
}
