//! Contacts and groups.

use serde_json::json;
use wagate_domain::model::{Contact, EventBody, Group, Jid, Participant, ParticipantRole, Timestamp};

use crate::answer::assert_answers;
use crate::support::TestApp;

pub fn jid(text: &str) -> Jid {
    text.parse().unwrap()
}

#[tokio::test]
async fn contacts_are_an_object_by_jid() {
    let app = TestApp::start();
    let session = app.paired("shop").await;
    let empty = app.get("/api/contacts?token=shop").await;
    let mut ayu = Contact::new(jid("628111111111@s.whatsapp.net"));
    ayu.lid = Some(jid("111@lid"));
    ayu.first_name = Some("Ayu".into());
    ayu.full_name = Some("Ayu Lestari".into());
    let mut shop = Contact::new(jid("222@lid"));
    shop.push_name = Some("<b>Toko</b>".into());
    shop.business_name = Some("Toko Budi".into());
    session
        .receive(EventBody::ContactsChanged(vec![ayu, shop]))
        .await
        .unwrap();
    assert_answers("contacts", &[empty, app.get("/api/contacts?token=shop").await]);
}

#[tokio::test]
async fn contacts_can_be_read_while_offline() {
    let app = TestApp::start();
    let session = app.paired("shop").await;
    session.drop_connection().await;
    assert_eq!(app.get("/api/contacts?token=shop").await.json(), json!({}));
}

#[tokio::test]
async fn groups_have_every_field_that_old_clients_know() {
    let app = TestApp::start();
    let session = app.paired("shop").await;
    let empty = app.get("/api/groups?token=shop").await;
    session.set_groups(vec![family(), bare()]);
    assert_answers("groups", &[empty, app.get("/api/groups?token=shop").await]);
    session.drop_connection().await;
    assert_eq!(
        app.get("/api/groups?token=shop").await.verdict(),
        "409 session_not_connected"
    );
}

pub fn family() -> Group {
    let owner = Participant {
        jid: jid("333@lid"),
        phone: Some(jid("628333333333@s.whatsapp.net")),
        lid: Some(jid("333@lid")),
        role: ParticipantRole::SuperAdmin,
    };
    let member = Participant {
        jid: jid("444@lid"),
        phone: None,
        lid: None,
        role: ParticipantRole::Member,
    };
    Group {
        owner: Some(jid("333@lid")),
        owner_phone: Some(jid("628333333333@s.whatsapp.net")),
        name: "Family".into(),
        name_set_at: Some(Timestamp(1_767_225_600_000)),
        name_set_by: Some(jid("333@lid")),
        topic: Some("Dinner".into()),
        topic_id: Some("3EB0".into()),
        is_locked: true,
        is_announce: true,
        disappearing_timer: 86_400,
        join_approval: true,
        linked_parent: Some(jid("120363000000000009@g.us")),
        addressed_by_lid: true,
        created_at: Some(Timestamp(1_767_225_600_000)),
        participants: vec![owner, member],
        ..bare()
    }
}

pub fn bare() -> Group {
    Group {
        jid: jid("120363000000000001@g.us"),
        owner: None,
        owner_phone: None,
        name: String::new(),
        name_set_at: None,
        name_set_by: None,
        topic: None,
        topic_id: None,
        is_locked: false,
        is_announce: false,
        disappearing_timer: 0,
        join_approval: false,
        is_parent: false,
        linked_parent: None,
        addressed_by_lid: false,
        created_at: None,
        participants: Vec::new(),
    }
}
