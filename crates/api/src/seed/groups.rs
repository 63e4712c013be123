//! `GET /api/groups`: the groups that the account is in, in the field names of older clients. What
//! WhatsApp's answer does not tell us stands there with the value that those clients take for unknown.

use actix_web::web::{Data, Json};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use wagate_domain::model::{Group, Jid, Participant, ParticipantRole};

use super::go_time::go_time;
use crate::extract::{SeedInput, TokenOnly};
use crate::problem::Problem;
use crate::state::ApiState;

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
#[expect(clippy::struct_excessive_bools, reason = "the shape is that of older clients")]
#[schema(as = SeedGroup)]
pub(super) struct GroupView {
    #[serde(rename = "JID")]
    jid: String,
    #[serde(rename = "OwnerJID")]
    owner_jid: String,
    #[serde(rename = "OwnerPN")]
    owner_pn: String,
    name: String,
    name_set_at: String,
    name_set_by: String,
    #[serde(rename = "NameSetByPN")]
    name_set_by_pn: String,
    topic: String,
    #[serde(rename = "TopicID")]
    topic_id: String,
    topic_set_at: String,
    topic_set_by: String,
    #[serde(rename = "TopicSetByPN")]
    topic_set_by_pn: String,
    topic_deleted: bool,
    is_locked: bool,
    is_announce: bool,
    #[serde(rename = "AnnounceVersionID")]
    announce_version_id: String,
    is_ephemeral: bool,
    disappearing_timer: u32,
    is_incognito: bool,
    is_parent: bool,
    default_membership_approval_mode: String,
    #[serde(rename = "LinkedParentJID")]
    linked_parent_jid: String,
    is_default_sub_group: bool,
    is_join_approval_required: bool,
    addressing_mode: &'static str,
    group_created: String,
    creator_country_code: String,
    #[serde(rename = "ParticipantVersionID")]
    participant_version_id: String,
    participants: Vec<ParticipantView>,
    participant_count: usize,
    member_add_mode: String,
    suspended: bool,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
#[schema(as = SeedParticipant)]
struct ParticipantView {
    #[serde(rename = "JID")]
    jid: String,
    phone_number: String,
    #[serde(rename = "LID")]
    lid: String,
    is_admin: bool,
    is_super_admin: bool,
    display_name: String,
    error: u32,
    #[schema(value_type = Option<Object>)]
    add_request: Value,
}

/// Lists the groups that the account is in.
#[utoipa::path(
    get,
    path = "/api/groups",
    tag = "seed",
    responses((status = 200, description = "The groups", body = Vec<GroupView>)),
)]
pub(super) async fn list_groups(
    state: Data<ApiState>,
    input: SeedInput<TokenOnly>,
) -> Result<Json<Vec<GroupView>>, Problem> {
    let groups = state.gateway.all_groups(&input.token).await?;
    Ok(Json(groups.into_iter().map(GroupView::from).collect()))
}

impl From<Group> for GroupView {
    fn from(group: Group) -> Self {
        let participants: Vec<_> = group.participants.iter().map(ParticipantView::from).collect();
        Self {
            jid: group.jid.to_string(),
            owner_jid: or_empty(group.owner.as_ref()),
            owner_pn: or_empty(group.owner_phone.as_ref()),
            name: group.name,
            name_set_at: go_time(group.name_set_at),
            name_set_by: or_empty(group.name_set_by.as_ref()),
            name_set_by_pn: String::new(),
            topic: group.topic.unwrap_or_default(),
            topic_id: group.topic_id.unwrap_or_default(),
            topic_set_at: go_time(None),
            topic_set_by: String::new(),
            topic_set_by_pn: String::new(),
            topic_deleted: false,
            is_locked: group.is_locked,
            is_announce: group.is_announce,
            announce_version_id: String::new(),
            is_ephemeral: group.disappearing_timer > 0,
            disappearing_timer: group.disappearing_timer,
            is_incognito: false,
            is_parent: group.is_parent,
            default_membership_approval_mode: String::new(),
            linked_parent_jid: or_empty(group.linked_parent.as_ref()),
            is_default_sub_group: false,
            is_join_approval_required: group.join_approval,
            addressing_mode: if group.addressed_by_lid { "lid" } else { "pn" },
            group_created: go_time(group.created_at),
            creator_country_code: String::new(),
            participant_version_id: String::new(),
            participant_count: participants.len(),
            participants,
            member_add_mode: String::new(),
            suspended: false,
        }
    }
}

impl From<&Participant> for ParticipantView {
    fn from(participant: &Participant) -> Self {
        Self {
            jid: participant.jid.to_string(),
            phone_number: or_empty(participant.phone.as_ref()),
            lid: or_empty(participant.lid.as_ref()),
            is_admin: participant.role != ParticipantRole::Member,
            is_super_admin: participant.role == ParticipantRole::SuperAdmin,
            display_name: String::new(),
            error: 0,
            add_request: Value::Null,
        }
    }
}

fn or_empty(jid: Option<&Jid>) -> String {
    jid.map(Jid::to_string).unwrap_or_default()
}
