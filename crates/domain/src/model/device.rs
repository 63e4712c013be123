//! A device: the gateway's side of one linked WhatsApp number, known to clients by its token.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{DeviceId, EndReason, Jid, PageQuery, PhoneNumber, Timestamp};
use crate::{Error, Result};

/// The name under which clients address a device: 1 to 128 characters of `A–Z a–z 0–9 . _ - @ :`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Token(String);

impl Token {
    /// Longest token, in characters.
    pub const MAX_LEN: usize = 128;

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Token {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        if text.is_empty() {
            return Err(Error::invalid("token", "token is required"));
        }
        let ok = text.len() <= Self::MAX_LEN
            && text
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-' | b'@' | b':'));
        if ok {
            Ok(Self(text.into()))
        } else {
            Err(Error::invalid(
                "token",
                "token must be 1 to 128 characters of A-Z a-z 0-9 . _ - @ :",
            ))
        }
    }
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A group of devices, by name: 1 to 100 characters without control characters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WorkspaceName(String);

impl WorkspaceName {
    /// Longest name, in characters.
    pub const MAX_LEN: usize = 100;

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for WorkspaceName {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let text = text.trim();
        if text.is_empty() || text.chars().count() > Self::MAX_LEN || text.chars().any(char::is_control) {
            return Err(Error::invalid(
                "workspace",
                "workspace must be 1 to 100 printable characters",
            ));
        }
        Ok(Self(text.into()))
    }
}

impl fmt::Display for WorkspaceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A workspace in use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Workspace {
    /// Its name.
    pub name: WorkspaceName,
    /// How many devices carry it.
    pub devices: u64,
}

/// What people call a device: 1 to 100 characters without control characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceLabel(String);

impl DeviceLabel {
    /// Longest label, in characters.
    pub const MAX_LEN: usize = 100;

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for DeviceLabel {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let text = text.trim();
        if text.is_empty() || text.chars().count() > Self::MAX_LEN || text.chars().any(char::is_control) {
            return Err(Error::invalid(
                "name",
                "name must be 1 to 100 printable characters",
            ));
        }
        Ok(Self(text.into()))
    }
}

impl fmt::Display for DeviceLabel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What to do with incoming calls. Stored, so that it survives a restart.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct CallSettings {
    /// Reject every incoming call.
    pub reject: bool,
    /// Callers that are let through, as digits.
    pub exclude: Vec<String>,
    /// Text sent to a rejected caller; none when empty.
    pub message: Option<String>,
}

impl CallSettings {
    /// Whether a call from this number is to be rejected; a caller whose number is unknown is.
    pub fn rejects(&self, caller: Option<&PhoneNumber>) -> bool {
        self.reject && !caller.is_some_and(|number| self.exclude.iter().any(|other| other == number.digits()))
    }
}

/// One linked number, or one waiting to be linked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// Our id; the protocol keys hang on it.
    pub id: DeviceId,
    /// The clients' name for it; unique.
    pub token: Token,
    /// What people call it, if they gave it a name.
    pub label: Option<DeviceLabel>,
    /// The companion's address once paired, with its device number.
    pub jid: Option<Jid>,
    /// The account's hidden identity once known.
    pub lid: Option<Jid>,
    /// Name that the account shows to others.
    pub push_name: Option<String>,
    /// Address of the account's profile picture, as WhatsApp last gave it.
    pub picture_url: Option<String>,
    /// The workspace it is assigned to.
    pub workspace: Option<WorkspaceName>,
    /// What to do with calls.
    pub calls: CallSettings,
    /// Why WhatsApp ended the link or the connection for good, until it is started again.
    pub ended: Option<EndReason>,
    /// When the device was made.
    pub created_at: Timestamp,
}

impl Device {
    /// A device that nobody has linked yet.
    pub fn new(id: DeviceId, token: Token, created_at: Timestamp) -> Self {
        Self {
            id,
            token,
            label: None,
            jid: None,
            lid: None,
            push_name: None,
            picture_url: None,
            workspace: None,
            calls: CallSettings::default(),
            ended: None,
            created_at,
        }
    }

    /// Whether the device is linked to an account.
    pub fn is_paired(&self) -> bool {
        self.jid.is_some()
    }

    /// The account's number, once paired.
    pub fn phone(&self) -> Option<&str> {
        self.jid.as_ref().map(Jid::user)
    }
}

/// Which devices: optional filters that all must match.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DeviceFilter {
    /// Part of the token, label, name or phone, case-insensitive.
    pub text: Option<String>,
    /// Exact workspace.
    pub workspace: Option<WorkspaceName>,
}

/// What to list: a numbered page of the devices that match.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceQuery {
    /// Which page.
    pub page: PageQuery,
    /// Which devices.
    pub filter: DeviceFilter,
}

/// As much of a device as says what its session is doing while none is open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceStanding {
    /// Which.
    pub id: DeviceId,
    /// Why WhatsApp ended it for good.
    pub ended: Option<EndReason>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_parsed_at_the_door() {
        for good in ["a", "my-token", "A.b_c-d@e:1", &"x".repeat(128)] {
            assert_eq!(good.parse::<Token>().unwrap().as_str(), good);
        }
        for bad in ["", " ", "a b", "ä", "a/b", &"x".repeat(129)] {
            assert!(bad.parse::<Token>().is_err(), "{bad}");
        }
    }

    #[test]
    fn labels_are_trimmed_and_printable() {
        assert_eq!(
            " Corner shop ".parse::<DeviceLabel>().unwrap().as_str(),
            "Corner shop"
        );
        for bad in ["", "  ", "a\nb", &"x".repeat(101)] {
            assert_eq!(
                bad.parse::<DeviceLabel>().unwrap_err().code(),
                "invalid_name",
                "{bad}"
            );
        }
    }

    #[test]
    fn excluded_callers_get_through() {
        let calls = CallSettings {
            reject: true,
            exclude: vec!["628111".into()],
            message: None,
        };
        let number = |text| PhoneNumber::parse(text, None).unwrap();
        assert!(!calls.rejects(Some(&number("628111"))));
        assert!(calls.rejects(Some(&number("628222"))));
        assert!(calls.rejects(None));
        assert!(!CallSettings::default().rejects(None));
    }
}
