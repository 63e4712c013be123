//! The list of conversations, and the port.

use async_trait::async_trait;
use diesel::prelude::*;
use wagate_domain::Result;
use wagate_domain::model::chat::fold;
use wagate_domain::model::{
    Chat, CursorPage, CursorQuery, DeviceId, Jid, MessageId, Place, ShownMessage, Timestamp,
};
use wagate_domain::ports::{Chats, Completion};

use crate::chat_history::{People, history, name_of, shown, sift, unread};
use crate::chat_rows::MessageRow;
use crate::chats as rows;
use crate::dialect::Conn;
use crate::directory;
use crate::error::Failure;
use crate::pool::Database;
use crate::schema::{chats, messages};

/// [`Chats`] in a database.
pub struct SqlChats {
    pub(crate) database: Database,
}

impl std::fmt::Debug for SqlChats {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SqlChats")
    }
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
            let judge = |chat: Chat| {
                let contact = people.get(&chat.jid.to_string());
                let wanted = |folded: &String| chat.is_called(contact, folded);
                let wanted = folded.as_ref().is_none_or(wanted);
                (chat, wanted)
            };
            Ok(chats.into_iter().map(judge).collect())
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
            .write_apart(move |conn| rows::complete(conn, device, &completion))
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
            .write_apart(move |conn| rows::mark_read(conn, device, &chat, at))
            .await
    }

    async fn remember_names(&self, device: DeviceId, names: &[(Jid, String)]) -> Result<()> {
        let names = names.to_vec();
        self.database
            .write_apart(move |conn| rows::remember_names(conn, device, &names))
            .await
    }

    async fn prune(&self, before: Timestamp, limit: u32) -> Result<u64> {
        self.database
            .write_apart(move |conn| rows::prune(conn, before, limit))
            .await
    }
}
