//! Who runs the gateway, and what they prove it with.

use std::fmt;
use std::str::FromStr;

use super::{AdminId, Secret, Timestamp};
use crate::{Error, Result};

/// What an admin signs in by: printable characters, without blanks around them.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct AdminName(String);

impl AdminName {
    /// Longest name, in characters.
    pub const MAX_LEN: usize = 64;

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for AdminName {
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

impl fmt::Display for AdminName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A password that somebody chooses, taken as it is typed. Length is all that is asked of it: rules about its
/// characters make people choose worse ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Password(Secret);

impl Password {
    /// Shortest password, in characters.
    pub const MIN_LEN: usize = 10;
    /// Longest password, in characters.
    pub const MAX_LEN: usize = 256;

    /// Takes it, or says what is wrong with its length.
    pub fn new(text: String) -> Result<Self> {
        if !(Self::MIN_LEN..=Self::MAX_LEN).contains(&text.chars().count()) {
            return Err(Error::invalid(
                "password",
                "password must be 10 to 256 characters",
            ));
        }
        Ok(Self(Secret::new(text)))
    }

    /// The password itself: for whoever hashes it.
    pub fn secret(&self) -> &Secret {
        &self.0
    }
}

/// What is kept of a password: its hash, in a form that says how it was made.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(String);

impl PasswordHash {
    /// Wraps what a [`PasswordHasher`](crate::ports::PasswordHasher) made.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text, for the store and for whoever verifies.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[hash]")
    }
}

/// Somebody who may do everything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Admin {
    /// Our id.
    pub id: AdminId,
    /// What they sign in by; unique.
    pub name: AdminName,
    /// What is kept of their password.
    pub password: PasswordHash,
    /// When they were made.
    pub created_at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_short_and_printable() {
        let longest = "ä".repeat(AdminName::MAX_LEN);
        for (text, want) in [
            ("Siti", Some("Siti")),
            ("  Siti R. ", Some("Siti R.")),
            (longest.as_str(), Some(longest.as_str())),
            ("", None),
            (" \t", None),
            ("a\nb", None),
            ("a\u{0}", None),
            (&"x".repeat(AdminName::MAX_LEN + 1), None),
        ] {
            let name = text.parse::<AdminName>();
            assert_eq!(name.as_ref().ok().map(AdminName::as_str), want, "{text:?}");
        }
    }

    #[test]
    fn passwords_are_measured_in_characters_and_never_shown() {
        for (length, fits) in [(0, false), (9, false), (10, true), (256, true), (257, false)] {
            assert_eq!(Password::new("é".repeat(length)).is_ok(), fits, "{length}");
        }
        let password = Password::new("  correct horse  ".into()).unwrap();
        assert_eq!(password.secret().reveal(), "  correct horse  ");
        let shown = format!("{password:?} {:?}", PasswordHash::new("$argon2id$x"));
        assert!(!shown.contains("horse") && !shown.contains("argon2id"), "{shown}");
    }
}
