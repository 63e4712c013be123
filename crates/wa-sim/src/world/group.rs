//! A group and its participants.

use crate::world::account::Picture;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use wacore_binary::Jid;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Rank {
    Member,
    Admin,
    SuperAdmin,
}

impl Rank {
    /// Value of a participant's `type` attribute, which plain members lack.
    pub fn wire(self) -> Option<&'static str> {
        match self {
            Self::Member => None,
            Self::Admin => Some("admin"),
            Self::SuperAdmin => Some("superadmin"),
        }
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Group {
    /// User part of the group's JID.
    pub id: String,
    pub subject: String,
    /// Phone number and Unix seconds of the last change of the subject.
    pub subject_by: (String, u64),
    pub description: Option<Description>,
    pub owner: String,
    pub created: u64,
    /// Rank by phone number.
    pub members: BTreeMap<String, Rank>,
    pub settings: GroupSettings,
    pub invite_code: String,
    pub picture: Option<Picture>,
    /// Phone numbers that asked to join, with the time of asking.
    pub requests: BTreeMap<String, u64>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Description {
    pub id: String,
    pub body: String,
    pub by: String,
    pub at: u64,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct GroupSettings {
    /// Only admins change the group's data.
    pub locked: bool,
    /// Only admins write.
    pub announcement: bool,
    /// Seconds until messages disappear.
    pub ephemeral: Option<u64>,
    pub join_approval: bool,
    /// `admin_add` or `all_member_add`.
    pub member_add_mode: Option<String>,
    /// `admin_link` or `all_member_link`.
    pub member_link_mode: Option<String>,
}

impl Group {
    pub fn jid(&self) -> Jid {
        Jid::group(self.id.as_str())
    }

    pub fn is_admin(&self, phone: &str) -> bool {
        self.members.get(phone).is_some_and(|rank| *rank > Rank::Member)
    }
}
