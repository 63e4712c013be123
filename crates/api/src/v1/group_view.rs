//! What clients see of groups.

use serde::Serialize;
use utoipa::ToSchema;
use wagate_domain::model::{Group, Jid, Participant, ParticipantRole};

use super::contact_view::phone;
use super::view::time;

/// A group that the account is in.
#[derive(Serialize, ToSchema)]
#[schema(as = Group)]
pub(super) struct GroupView {
    /// Its address.
    id: String,
    /// Its subject.
    name: String,
    /// Its description.
    #[schema(required = true)]
    description: Option<String>,
    /// Who made it, by number when known, else as the group addresses them.
    #[schema(required = true)]
    owner: Option<String>,
    /// Only admins write.
    announce: bool,
    /// Only admins change the group's info.
    locked: bool,
    /// It is a community.
    community: bool,
    /// The community that it belongs to.
    #[schema(required = true)]
    parent: Option<String>,
    /// When it was made.
    #[schema(required = true, format = DateTime)]
    created_at: Option<String>,
    /// How many are in it.
    participant_count: usize,
}

/// A group with those who are in it.
#[derive(Serialize, ToSchema)]
#[schema(as = GroupDetail)]
pub(super) struct GroupDetailView {
    #[serde(flatten)]
    group: GroupView,
    /// Who is in it.
    participants: Vec<ParticipantView>,
}

/// Somebody in a group.
#[derive(Serialize, ToSchema)]
#[schema(as = Participant)]
struct ParticipantView {
    /// As the group addresses them.
    jid: String,
    /// Their number, when known.
    #[schema(required = true)]
    phone: Option<String>,
    /// Their hidden identity, when known.
    #[schema(required = true)]
    lid: Option<String>,
    /// `member`, `admin` or `super_admin`.
    role: &'static str,
}

impl From<&Group> for GroupView {
    fn from(group: &Group) -> Self {
        let owner = group.owner_phone.as_ref().or(group.owner.as_ref());
        Self {
            id: group.jid.to_string(),
            name: group.name.clone(),
            description: group.topic.clone(),
            owner: owner.map(Jid::to_string),
            announce: group.is_announce,
            locked: group.is_locked,
            community: group.is_parent,
            parent: group.linked_parent.as_ref().map(Jid::to_string),
            created_at: group.created_at.map(time),
            participant_count: group.participants.len(),
        }
    }
}

impl From<Group> for GroupDetailView {
    fn from(group: Group) -> Self {
        Self {
            group: GroupView::from(&group),
            participants: group.participants.iter().map(ParticipantView::from).collect(),
        }
    }
}

impl From<&Participant> for ParticipantView {
    fn from(participant: &Participant) -> Self {
        let by_number = participant.phone.as_ref().unwrap_or(&participant.jid);
        Self {
            jid: participant.jid.to_string(),
            phone: phone(by_number),
            lid: participant.lid.as_ref().map(Jid::to_string),
            role: match participant.role {
                ParticipantRole::Member => "member",
                ParticipantRole::Admin => "admin",
                ParticipantRole::SuperAdmin => "super_admin",
            },
        }
    }
}
