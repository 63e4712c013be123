//! Reading what was said, and searching through it.

use std::collections::HashMap;

use diesel::prelude::*;
use wagate_domain::Result;
use wagate_domain::model::chat::fold;
use wagate_domain::model::{
    ChatMessage, Contact, CursorPage, CursorQuery, Jid, MessageId, Place, ShownMessage,
};

use crate::chat_rows::MessageRow;
use crate::dialect::Conn;
use crate::error::Failure;
use crate::schema::{chats, messages};
use crate::{directory, outbox};

/// Rows that a search looks at together.
const CHUNK: u32 = 500;
/// Rows that one call of a search looks at before it gives what it found.
const PATIENCE: usize = 5_000;

/// Reads on, newest first, until there are enough of those that are wanted.
pub(crate) fn sift<T>(
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

/// People by address as text.
pub(crate) type People = HashMap<String, Contact>;

/// What to call somebody.
pub(crate) fn name_of(people: &People, jid: &Jid) -> Option<String> {
    let contact = people.get(&jid.to_string())?;
    contact.best_name().map(Into::into)
}

/// Adds what other tables know of messages: names, and how far those of ours came.
pub(crate) fn shown(
    conn: &mut Conn<'_>,
    device: &str,
    found: Vec<ChatMessage>,
    people: &People,
) -> Result<Vec<ShownMessage>, Failure> {
    let own = found.iter().filter(|message| message.sender.is_none());
    let own: Vec<&str> = own.map(|message| message.id.0.as_str()).collect();
    let mut standings = outbox::standings(conn, device, &own)?;
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

/// Messages of a conversation, newest first.
pub(crate) fn history(
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

/// Those that count as unread, newest first.
pub(crate) fn unread(
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
