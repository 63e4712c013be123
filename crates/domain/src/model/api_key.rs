//! Keys that programs call with: what one may do, and what is kept of it.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use super::{ApiKeyId, DeviceId, Secret, Timestamp, WorkspaceName};
use crate::{Error, Result};

/// SHA-256 of an API key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyDigest(pub [u8; 32]);

impl KeyDigest {
    /// The digest of a key as somebody presents it.
    pub fn of(key: &[u8]) -> Self {
        Self(Sha256::digest(key).into())
    }
}

/// What people call a key: 1 to 64 characters without control characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKeyName(String);

impl ApiKeyName {
    /// Longest name, in characters.
    pub const MAX_LEN: usize = 64;

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ApiKeyName {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let text = text.trim();
        if text.is_empty() || text.chars().count() > Self::MAX_LEN || text.chars().any(char::is_control) {
            return Err(Error::invalid(
                "name",
                "name must be 1 to 64 printable characters",
            ));
        }
        Ok(Self(text.into()))
    }
}

impl fmt::Display for ApiKeyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a key lets do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KeyAction {
    /// Looking: devices, messages, contacts, events, webhooks and their deliveries.
    Read,
    /// Sending messages.
    Send,
    /// Changing devices, sessions and webhooks. A webhook receives what happens: this is more than looking.
    Manage,
}

impl KeyAction {
    /// Each of them.
    pub const ALL: [Self; 3] = [Self::Read, Self::Send, Self::Manage];

    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Send => "send",
            Self::Manage => "manage",
        }
    }
}

/// What a key reaches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyReach {
    /// Every device, and what belongs to none.
    Everything,
    /// One device, for as long as there is one with this id.
    Device(DeviceId),
    /// The devices that are in a workspace at the moment of the request.
    Workspace(WorkspaceName),
}

/// What whoever has a key may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyScope {
    /// Everything, and making keys.
    All,
    /// These actions, and no others.
    Limited {
        /// At least one, sorted, each once.
        actions: Vec<KeyAction>,
        /// On what.
        reach: KeyReach,
    },
}

impl KeyScope {
    /// The word for everything.
    pub const ALL: &str = "all";

    /// Reads the words of a scope: `all` alone, or names of actions.
    pub fn parse<T: AsRef<str>>(words: &[T], reach: KeyReach) -> Result<Self> {
        if let [word] = words
            && word.as_ref() == Self::ALL
        {
            return match reach {
                KeyReach::Everything => Ok(Self::All),
                _ => Err(Error::invalid(
                    "scope",
                    "a key for one device or workspace cannot have the scope \"all\": name what it may do",
                )),
            };
        }
        let mut actions = words
            .iter()
            .map(|word| action(word.as_ref()))
            .collect::<Result<Vec<_>>>()?;
        actions.sort_unstable();
        actions.dedup();
        if actions.is_empty() {
            return Err(unknown_scope());
        }
        Ok(Self::Limited { actions, reach })
    }

    /// Its words.
    pub fn words(&self) -> Vec<&'static str> {
        match self {
            Self::All => vec![Self::ALL],
            Self::Limited { actions, .. } => actions.iter().map(|action| action.as_str()).collect(),
        }
    }

    /// What it reaches.
    pub fn reach(&self) -> &KeyReach {
        match self {
            Self::All => &KeyReach::Everything,
            Self::Limited { reach, .. } => reach,
        }
    }
}

fn action(word: &str) -> Result<KeyAction> {
    let known = KeyAction::ALL.into_iter().find(|action| action.as_str() == word);
    known.ok_or_else(unknown_scope)
}

fn unknown_scope() -> Error {
    Error::invalid(
        "scope",
        "scope must be [\"all\"], or some of \"read\", \"send\" and \"manage\"",
    )
}

/// A key as it is kept: everything but the key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKey {
    /// Its id.
    pub id: ApiKeyId,
    /// What people call it.
    pub name: ApiKeyName,
    /// How it begins, by which people tell it from others.
    pub prefix: String,
    /// By which it is known when somebody presents it.
    pub digest: KeyDigest,
    /// What it may do.
    pub scope: KeyScope,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last used, to a minute; `None` when it never was.
    pub last_used_at: Option<Timestamp>,
}

/// A key that is being made: `wg_` and 32 bytes that nobody can guess, in base64.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlainKey(Secret);

impl PlainKey {
    /// By this people and scanners know whose key it is.
    const MARK: &str = "wg_";
    /// How much of a key is shown for good, in characters: its mark and 36 of its 256 bits.
    const SHOWN: usize = 9;

    /// A key of these bytes.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        let random = BASE64_URL_SAFE_NO_PAD.encode(bytes);
        Self(Secret::new(format!("{}{random}", Self::MARK)))
    }

    /// The key itself: call it only where it is shown on purpose, which happens once.
    pub fn reveal(&self) -> &str {
        self.0.reveal()
    }

    /// How it begins.
    pub fn prefix(&self) -> String {
        self.reveal().chars().take(Self::SHOWN).collect()
    }

    /// What is kept of it.
    pub fn digest(&self) -> KeyDigest {
        KeyDigest::of(self.reveal().as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_long_and_shows_a_little_of_itself() {
        let key = PlainKey::from_bytes([0xfb; 32]);
        assert_eq!(key.reveal().len(), 3 + 43);
        assert_eq!(key.prefix(), "wg_-_v7-_");
        assert!(key.reveal().starts_with(&key.prefix()));
        assert_eq!(key.digest(), KeyDigest::of(key.reveal().as_bytes()));
        assert_eq!(format!("{key:?}"), "PlainKey([secret])");
    }

    #[test]
    fn a_scope_is_everything_or_a_list_of_actions() {
        let parse = |words: &[&str]| KeyScope::parse(words, KeyReach::Everything);
        assert_eq!(parse(&["all"]).unwrap(), KeyScope::All);
        assert_eq!(
            parse(&["send", "read", "send"]).unwrap().words(),
            ["read", "send"]
        );
        for wrong in [&[][..], &[""], &["ALL"], &["all", "read"], &["read", "write"]] {
            assert_eq!(parse(wrong).unwrap_err().code(), "invalid_scope", "{wrong:?}");
        }
        let shop = KeyReach::Workspace("Shop".parse().unwrap());
        assert_eq!(
            KeyScope::parse(&["all"], shop.clone()).unwrap_err().code(),
            "invalid_scope"
        );
        assert_eq!(KeyScope::parse(&["read"], shop.clone()).unwrap().reach(), &shop);
    }
}
