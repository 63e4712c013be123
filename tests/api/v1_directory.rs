//! Contacts and groups.

use serde_json::{Value, json};
use wagate_domain::model::{Contact, EventBody};

use crate::answer::assert_answers;
use crate::directory::{bare, family, jid};
use crate::support::TestApp;
use crate::v1_support::get;

const CONTACTS: &str = "/v1/devices/shop/contacts";
const GROUPS: &str = "/v1/devices/shop/groups";

#[tokio::test]
async fn contacts_are_searched_and_come_in_pages() {
    let app = TestApp::start();
    let session = app.paired("shop").await;
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
    session.drop_connection().await;
    let all = get(&app, CONTACTS).await;
    for (search, want) in [("LESTARI", "628111111111"), ("8111", "628111111111")] {
        let found = get(&app, &format!("{CONTACTS}?search={search}")).await.json();
        assert_eq!(found["data"].as_array().unwrap().len(), 1, "{search}");
        assert_eq!(found["data"][0]["phone"], want, "{search}");
    }
    let first = get(&app, &format!("{CONTACTS}?limit=1")).await.json();
    let next = first["next"].as_str().unwrap();
    let second = get(&app, &format!("{CONTACTS}?limit=1&after={next}"))
        .await
        .json();
    assert_eq!(second["next"], Value::Null);
    let both = json!([first["data"][0], second["data"][0]]);
    assert_eq!(both, all.json()["data"]);
    assert_answers("v1_contacts", &[all]);
}

#[tokio::test]
async fn groups_are_listed_without_and_shown_with_their_participants() {
    let app = TestApp::start();
    let session = app.paired("shop").await;
    let mut other = bare();
    other.jid = jid("120363000000000002@g.us");
    other.name = "Sales".into();
    session.set_groups(vec![other, family()]);
    let answers = [
        get(&app, GROUPS).await,
        get(&app, &format!("{GROUPS}?search=fam&limit=1")).await,
        get(&app, &format!("{GROUPS}/120363000000000001@g.us")).await,
        get(&app, &format!("{GROUPS}/120363000000000009@g.us")).await,
    ];
    assert_answers("v1_groups", &answers);
    session.drop_connection().await;
    for path in [GROUPS, &format!("{GROUPS}/120363000000000001@g.us")] {
        assert_eq!(get(&app, path).await.verdict(), "409 session_not_connected");
    }
}
