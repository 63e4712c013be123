//! WhatsApp addresses: `user[:device]@server`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// The part after the `@`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum JidServer {
    /// A phone number: `s.whatsapp.net`.
    Phone,
    /// A hidden ("linked") identity: `lid`.
    Lid,
    /// A group: `g.us`.
    Group,
    /// Status and broadcast lists: `broadcast`.
    Broadcast,
    /// A channel: `newsletter`.
    Newsletter,
}

impl JidServer {
    /// The text after the `@`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Phone => "s.whatsapp.net",
            Self::Lid => "lid",
            Self::Group => "g.us",
            Self::Broadcast => "broadcast",
            Self::Newsletter => "newsletter",
        }
    }
}

/// A WhatsApp address. `device` 0 is the account itself (its phone).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Jid {
    user: String,
    device: u16,
    server: JidServer,
}

impl Jid {
    /// Longest user part we accept, in characters.
    const MAX_USER: usize = 64;

    /// An account by phone number.
    pub fn phone(digits: impl Into<String>) -> Self {
        Self {
            user: digits.into(),
            device: 0,
            server: JidServer::Phone,
        }
    }

    /// Where stories go.
    pub fn status_broadcast() -> Self {
        Self {
            user: "status".into(),
            device: 0,
            server: JidServer::Broadcast,
        }
    }

    /// The part before the `@`, without the device.
    pub fn user(&self) -> &str {
        &self.user
    }

    /// The companion device, 0 for the phone.
    pub fn device(&self) -> u16 {
        self.device
    }

    /// The part after the `@`.
    pub fn server(&self) -> JidServer {
        self.server
    }

    /// The same account without a device.
    #[must_use]
    pub fn account(&self) -> Self {
        Self {
            user: self.user.clone(),
            device: 0,
            server: self.server,
        }
    }

    /// Whether this names a group.
    pub fn is_group(&self) -> bool {
        self.server == JidServer::Group
    }

    /// Whether this names one person, by phone number or by LID.
    pub fn is_user(&self) -> bool {
        matches!(self.server, JidServer::Phone | JidServer::Lid)
    }
}

impl fmt::Display for Jid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.device == 0 {
            write!(f, "{}@{}", self.user, self.server.as_str())
        } else {
            write!(f, "{}:{}@{}", self.user, self.device, self.server.as_str())
        }
    }
}

impl FromStr for Jid {
    type Err = Error;

    /// Accepts what WhatsApp itself and older gateways write: `c.us` for a phone number, and the
    /// agent part of `user.agent:device`, which is dropped.
    fn from_str(text: &str) -> Result<Self> {
        let bad = || Error::invalid("jid", "not a WhatsApp address: expected user@server");
        let (user, server) = text.trim().split_once('@').ok_or_else(bad)?;
        let server = match server {
            "s.whatsapp.net" | "c.us" => JidServer::Phone,
            "lid" => JidServer::Lid,
            "g.us" => JidServer::Group,
            "broadcast" => JidServer::Broadcast,
            "newsletter" => JidServer::Newsletter,
            _ => return Err(bad()),
        };
        let (user, device) = match user.split_once(':') {
            Some((user, device)) => (user, device.parse().map_err(|_| bad())?),
            None => (user, 0),
        };
        let user = user.split_once('.').map_or(user, |(user, _agent)| user);
        let numeric = matches!(server, JidServer::Phone | JidServer::Lid);
        let well_formed = !user.is_empty()
            && user.len() <= Self::MAX_USER
            && user.bytes().all(|b| {
                if numeric {
                    b.is_ascii_digit()
                } else {
                    b.is_ascii_alphanumeric() || b == b'-'
                }
            });
        if !well_formed || (device != 0 && !numeric) {
            return Err(bad());
        }
        Ok(Self {
            user: user.into(),
            device,
            server,
        })
    }
}

impl Serialize for Jid {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Jid {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn reads_the_forms_that_whatsapp_and_older_gateways_write() {
        let cases = [
            ("628123@s.whatsapp.net", "628123@s.whatsapp.net"),
            ("628123@c.us", "628123@s.whatsapp.net"),
            ("628123:7@s.whatsapp.net", "628123:7@s.whatsapp.net"),
            ("628123.0:7@s.whatsapp.net", "628123:7@s.whatsapp.net"),
            ("1234:0@lid", "1234@lid"),
            ("123-456@g.us", "123-456@g.us"),
            ("status@broadcast", "status@broadcast"),
        ];
        for (text, want) in cases {
            assert_eq!(text.parse::<Jid>().unwrap().to_string(), want);
        }
    }

    #[test]
    fn refuses_what_is_no_address() {
        for text in [
            "",
            "@",
            "a@s.whatsapp.net",
            "1@example.com",
            "1:x@lid",
            "@g.us",
            "1:70000@lid",
            "x:1@g.us",
        ] {
            assert!(text.parse::<Jid>().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn never_panics(text in "\\PC{0,40}") {
            let _ = text.parse::<Jid>();
        }

        #[test]
        fn what_is_written_is_read_back(user in "[0-9]{1,20}", device in 0u16.., lid in any::<bool>()) {
            let server = if lid { "lid" } else { "s.whatsapp.net" };
            let jid: Jid = format!("{user}:{device}@{server}").parse().unwrap();
            prop_assert_eq!(jid.to_string().parse::<Jid>().unwrap(), jid);
        }
    }
}
