//! Groups as WhatsApp describes them.

use wagate_domain::model::{Group, JidServer, Participant, ParticipantRole, Timestamp};
use whatsapp_rust::wacore::types::message::AddressingMode;
use whatsapp_rust::{GroupMetadata, GroupParticipant, Jid as WaJid, ParticipantType};

use super::jid::to_account;

/// One group; `None` when its address is none that the domain knows.
pub(crate) fn to_domain(group: &GroupMetadata) -> Option<Group> {
    let account = |jid: &Option<WaJid>| jid.as_ref().and_then(to_account);
    let time = |secs: Option<u64>| {
        secs.and_then(|secs| i64::try_from(secs).ok())
            .map(Timestamp::from_secs)
    };
    let owner = account(&group.creator);
    let owner_phone =
        account(&group.creator_pn).or_else(|| owner.clone().filter(|jid| jid.server() == JidServer::Phone));
    Some(Group {
        jid: to_account(&group.id)?,
        owner,
        owner_phone,
        name: group.subject.clone(),
        name_set_at: time(group.subject_time),
        name_set_by: account(&group.subject_owner),
        topic: group.description.clone(),
        topic_id: group.description_id.clone(),
        is_locked: group.is_locked,
        is_announce: group.is_announcement,
        disappearing_timer: group
            .ephemeral
            .as_ref()
            .and_then(|ephemeral| ephemeral.expiration)
            .unwrap_or(0),
        join_approval: group.membership_approval,
        is_parent: group.is_parent_group,
        linked_parent: account(&group.parent_group_jid),
        addressed_by_lid: group.addressing_mode == AddressingMode::Lid,
        created_at: time(group.creation_time),
        participants: group.participants.iter().filter_map(participant).collect(),
    })
}

fn participant(member: &GroupParticipant) -> Option<Participant> {
    let jid = to_account(&member.jid)?;
    let is = |server: JidServer| Some(&jid).filter(|jid| jid.server() == server).cloned();
    let phone = member
        .phone_number
        .as_ref()
        .and_then(to_account)
        .or_else(|| is(JidServer::Phone));
    let lid = member
        .lid
        .as_ref()
        .and_then(to_account)
        .or_else(|| is(JidServer::Lid));
    let role = match member.participant_type {
        ParticipantType::Member => ParticipantRole::Member,
        ParticipantType::Admin => ParticipantRole::Admin,
        ParticipantType::SuperAdmin => ParticipantRole::SuperAdmin,
    };
    Some(Participant {
        jid,
        phone,
        lid,
        role,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_known_by_both_addresses() {
        let member = |jid: &str, phone: Option<&str>, participant_type| GroupParticipant {
            jid: jid.parse().unwrap(),
            phone_number: phone.map(|text| text.parse().unwrap()),
            lid: None,
            username: None,
            participant_type,
            details: None,
        };
        let group = GroupMetadata {
            id: "12345@g.us".parse().unwrap(),
            subject: "Team".into(),
            creator: Some("77@lid".parse().unwrap()),
            creator_pn: Some("628111@s.whatsapp.net".parse().unwrap()),
            creation_time: Some(1_700_000_000),
            addressing_mode: AddressingMode::Lid,
            participants: vec![
                member(
                    "77@lid",
                    Some("628111@s.whatsapp.net"),
                    ParticipantType::SuperAdmin,
                ),
                member("628222@s.whatsapp.net", None, ParticipantType::Member),
            ],
            ..Default::default()
        };
        let group = to_domain(&group).unwrap();
        assert_eq!(group.name, "Team");
        assert!(group.addressed_by_lid);
        assert_eq!(group.owner.unwrap().to_string(), "77@lid");
        assert_eq!(group.owner_phone.unwrap().to_string(), "628111@s.whatsapp.net");
        assert_eq!(group.created_at, Some(Timestamp::from_secs(1_700_000_000)));
        assert_eq!(group.disappearing_timer, 0);
        let [first, second] = &group.participants[..] else {
            panic!("two members")
        };
        assert_eq!(first.role, ParticipantRole::SuperAdmin);
        assert_eq!(first.phone.as_ref().unwrap().to_string(), "628111@s.whatsapp.net");
        assert_eq!(first.lid.as_ref().unwrap().to_string(), "77@lid");
        assert_eq!(second.phone.as_ref(), Some(&second.jid));
        assert_eq!(second.lid, None);
    }
}
