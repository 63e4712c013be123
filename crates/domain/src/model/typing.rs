//! What somebody does in a conversation before there is a message.

use std::fmt;
use std::str::FromStr;

use super::Jid;
use crate::{Error, Result};

/// What somebody is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TypingState {
    /// They type.
    Composing,
    /// They record their voice.
    Recording,
    /// They have stopped.
    Paused,
}

impl TypingState {
    /// Every state.
    pub const ALL: [Self; 3] = [Self::Composing, Self::Recording, Self::Paused];

    /// The name that clients see.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Composing => "composing",
            Self::Recording => "recording",
            Self::Paused => "paused",
        }
    }
}

impl fmt::Display for TypingState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for TypingState {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let found = Self::ALL.into_iter().find(|state| state.as_str() == text);
        found.ok_or_else(|| Error::invalid("state", "state must be composing, recording or paused"))
    }
}

/// Somebody else types, records or has stopped. It is told while it happens and recorded nowhere: nobody takes it back
/// who loses the connection, so it is worth nothing after a few seconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Typing {
    /// The conversation: a person (by phone number when it is known) or a group.
    pub chat: Jid,
    /// Hidden identity of the person, when known.
    pub chat_lid: Option<Jid>,
    /// Who does it, by phone number when it is known.
    pub sender: Jid,
    /// Their hidden identity, when known.
    pub sender_lid: Option<Jid>,
    /// What they do.
    pub state: TypingState,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_are_read_by_their_names_alone() {
        for state in TypingState::ALL {
            assert_eq!(state.to_string().parse::<TypingState>().unwrap(), state);
        }
        for bad in ["", "Composing", "typing", "available"] {
            assert_eq!(
                bad.parse::<TypingState>().unwrap_err().code(),
                "invalid_state",
                "{bad}"
            );
        }
    }
}
