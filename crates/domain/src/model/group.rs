//! Groups as WhatsApp describes them.

use super::{Jid, Timestamp};

/// What a participant may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParticipantRole {
    /// An ordinary member.
    Member,
    /// May change the group.
    Admin,
    /// Made the group.
    SuperAdmin,
}

/// One member of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Participant {
    /// The member as the group addresses it.
    pub jid: Jid,
    /// By phone number, when known.
    pub phone: Option<Jid>,
    /// By hidden identity, when known.
    pub lid: Option<Jid>,
    /// What the member may do.
    pub role: ParticipantRole,
}

/// One group.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent switches of WhatsApp's own"
)]
pub struct Group {
    /// The group.
    pub jid: Jid,
    /// Who made it, as the group addresses them.
    pub owner: Option<Jid>,
    /// Who made it, by phone number.
    pub owner_phone: Option<Jid>,
    /// Its subject.
    pub name: String,
    /// When the subject was set.
    pub name_set_at: Option<Timestamp>,
    /// Who set the subject.
    pub name_set_by: Option<Jid>,
    /// Its description.
    pub topic: Option<String>,
    /// Id of the description.
    pub topic_id: Option<String>,
    /// Only admins change the group's info.
    pub is_locked: bool,
    /// Only admins write.
    pub is_announce: bool,
    /// Seconds after which messages disappear; 0 for never.
    pub disappearing_timer: u32,
    /// New members need an admin's approval.
    pub join_approval: bool,
    /// The group is a community.
    pub is_parent: bool,
    /// The community it belongs to.
    pub linked_parent: Option<Jid>,
    /// Addresses its members by LID rather than by phone number.
    pub addressed_by_lid: bool,
    /// When it was made.
    pub created_at: Option<Timestamp>,
    /// Its members.
    pub participants: Vec<Participant>,
}
