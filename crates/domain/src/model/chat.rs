//! Conversations as people read them: who wrote what, in the order in which it came.

use std::fmt;
use std::str::FromStr;

use ulid::Ulid;

use super::event::Failure;
use super::message::ReceivedMedia;
use super::{Contact, Jid, MessageId, MessageStatus, ReceivedMessage, Timestamp};
use crate::{Error, Result};

/// Milliseconds in a second.
const SECOND: i64 = 1_000;

/// Kinds that say something about another message: they do not ask to be read.
const ASIDES: [&str; 7] = [
    "reaction",
    "pollVote",
    "pin",
    "keep",
    "edited",
    "revoked",
    "eventResponse",
];

/// Where something stands in time: by WhatsApp's clock, which has whole seconds, and within one of them in the order
/// in which it came to us. Reads and writes as `SECONDS-ULID`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// When it was written; whole seconds.
    pub at: Timestamp,
    /// A number that is larger for what came later.
    pub number: Ulid,
}

impl Place {
    /// The place of something written at `at`, with a number from [`IdSource`](crate::ports::IdSource).
    pub fn new(at: Timestamp, number: Ulid) -> Self {
        Self {
            at: Timestamp::from_secs(at.as_secs()),
            number,
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.at.as_secs(), self.number)
    }
}

impl FromStr for Place {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let read = || {
            let (seconds, number) = text.rsplit_once('-')?;
            let seconds: i64 = seconds.parse().ok()?;
            let number = Ulid::from_string(number).ok()?;
            seconds.checked_mul(SECOND).map(|at| Self {
                at: Timestamp(at),
                number,
            })
        };
        read().ok_or_else(|| Error::invalid("after", "not the next of a page"))
    }
}

/// Letter by letter in lower case: what is searched for, and where.
pub fn fold(text: &str) -> String {
    text.chars().flat_map(char::to_lowercase).collect()
}

/// A message in its conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChatMessage {
    /// WhatsApp's id.
    pub id: MessageId,
    /// The conversation: a person (by phone number when it is known), a group or a channel.
    pub chat: Jid,
    /// Where it stands there.
    pub place: Place,
    /// Who wrote it; `None` for the account itself, here or on another of its devices.
    pub sender: Option<Jid>,
    /// Name that the writer showed to others.
    pub name: Option<String>,
    /// What kind of message, as in [`ReceivedMessage::kind`]; `file` for one of ours whose file was not fetched yet.
    pub kind: String,
    /// Text or caption; empty when there is none.
    pub text: String,
    /// The attached file.
    pub media: Option<ReceivedMedia>,
}

impl ChatMessage {
    /// What of a received message belongs in its conversation; `None` for stories, which are none.
    pub fn of_received(message: &ReceivedMessage, number: Ulid) -> Option<Self> {
        if message.chat == Jid::status_broadcast() {
            return None;
        }
        Some(Self {
            id: message.id.clone(),
            chat: message.chat.account(),
            place: Place::new(message.at, number),
            sender: (!message.from_me).then(|| message.sender.account()),
            name: message.push_name.clone().filter(|_| !message.from_me),
            kind: message.kind.clone(),
            text: message.text.clone(),
            media: message.media.clone(),
        })
    }

    /// Whether it has the text, which is [`fold`]ed, in what it says or in the name of its file.
    pub fn says(&self, folded: &str) -> bool {
        let file_name = self.media.as_ref().and_then(|media| media.file_name.as_deref());
        [Some(self.text.as_str()), file_name]
            .into_iter()
            .flatten()
            .any(|text| fold(text).contains(folded))
    }

    /// Whether it counts as unread when it comes in.
    pub fn asks_to_be_read(&self) -> bool {
        self.sender.is_some() && !ASIDES.contains(&self.kind.as_str())
    }
}

/// What happens to a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChatChange {
    /// Somebody wrote; when it was the account itself, it has read what was there.
    Wrote(Box<ChatMessage>),
    /// The account opened it on another of its devices.
    Read {
        /// The conversation.
        chat: Jid,
        /// When.
        at: Timestamp,
    },
}

/// A message as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownMessage {
    /// What it says.
    pub message: ChatMessage,
    /// The best name of who wrote it: from the address book, else as they showed it.
    pub sender_name: Option<String>,
    /// How far it came; `None` for messages of others, and for those written on another device.
    pub status: Option<MessageStatus>,
    /// Why it failed; `None` unless it has.
    pub failure: Option<Failure>,
}

/// A conversation in the list of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chat {
    /// The person, group or channel.
    pub jid: Jid,
    /// The person's best name, or the group's subject when it was seen.
    pub name: Option<String>,
    /// Messages of others since the account last read or wrote there.
    pub unread: u32,
    /// The newest message.
    pub last: ShownMessage,
}

impl Chat {
    /// Whether it has the text, which is [`fold`]ed, in a name or in its number; of the contact behind it all names
    /// count.
    pub fn is_called(&self, contact: Option<&Contact>, folded: &str) -> bool {
        let names = contact.into_iter().flat_map(Contact::names);
        names
            .chain(self.name.as_deref())
            .chain([self.jid.user()])
            .any(|name| fold(name).contains(folded))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_in_the_order_of_time_and_then_of_arrival() {
        let place = |at, number| Place::new(Timestamp(at), Ulid::from_parts(0, number));
        assert!(place(1_000, 9) < place(2_000, 1));
        assert!(
            place(1_900, 1) < place(1_100, 2),
            "within one second arrival decides"
        );
        let there = place(1_767_225_600_123, 7);
        assert_eq!(there.to_string(), "1767225600-00000000000000000000000007");
        assert_eq!(there.to_string().parse::<Place>().unwrap(), there);
        let early = place(-1_500, 7);
        assert_eq!(early.to_string().parse::<Place>().unwrap(), early);
        for bad in [
            "",
            "1",
            "1-",
            "x-00000000000000000000000007",
            "9223372036854775807-00000000000000000000000007",
        ] {
            assert_eq!(bad.parse::<Place>().unwrap_err().code(), "invalid_after", "{bad}");
        }
    }
}
