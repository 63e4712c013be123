//! Groups: listed as they are, written to, read from.

use serde_json::json;
use wagate_tests::{Receiver, Sandbox};

use crate::{ALICE, BOB, CAROL};

const PEOPLE: &[(&str, &str)] = &[(ALICE, "Alice"), (BOB, "Bob"), (CAROL, "Carol")];

#[tokio::test(flavor = "multi_thread")]
async fn a_group_is_listed_written_to_and_heard_from() {
    let sandbox = Sandbox::start(PEOPLE).await;
    let receiver = Receiver::start();
    sandbox.pair("shop", ALICE).await;
    sandbox
        .api
        .post("/api/webhook", json!({ "token": "shop", "url": receiver.url() }))
        .await
        .ok();
    assert_eq!(sandbox.api.get("/api/groups?token=shop").await.ok(), json!([]));

    let people = [ALICE.to_owned(), CAROL.to_owned()];
    let group = sandbox.world.create_group(BOB, "Friends", &people).unwrap();
    let groups = sandbox.api.get("/api/groups?token=shop").await.ok();
    let listed = &groups[0];
    assert_eq!(
        (&listed["JID"], &listed["Name"], &listed["ParticipantCount"]),
        (&json!(group), &json!("Friends"), &json!(3))
    );
    let admins: Vec<_> = listed["Participants"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|p| p["IsAdmin"] == true)
        .collect();
    assert_eq!(admins.len(), 1, "{listed}");
    assert_eq!(admins[0]["PhoneNumber"], format!("{BOB}@s.whatsapp.net"));

    let id = sandbox.api.send_text("shop", &group, "hello all").await;
    for phone in [BOB, CAROL] {
        let got = sandbox.wait_for_text(phone, "hello all").await;
        assert_eq!((&got.id, &got.chat), (&id, &group));
    }

    sandbox.world.send_text(CAROL, &group, "hello Alice").unwrap();
    let heard = receiver
        .wait_for("group message", |body| body["text"] == "hello Alice")
        .await;
    assert_eq!(heard.body["chat"], json!(group));
    assert_eq!(heard.body["group"], true);
    assert_eq!(heard.body["phone"], CAROL);
    assert_eq!(heard.body["pushName"], "Carol");
    sandbox.finish().await;
}
