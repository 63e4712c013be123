//! Contacts come from the phone's address book and from names on messages.

use serde_json::json;
use wagate_tests::Sandbox;

use crate::{ALICE, BOB, CAROL};

#[tokio::test(flavor = "multi_thread")]
async fn contacts_are_what_the_phone_synced_and_names_that_were_seen() {
    let sandbox = Sandbox::start(&[(ALICE, "Alice"), (BOB, "Bob"), (CAROL, "Carol")]).await;
    sandbox.world.save_contact(ALICE, BOB, "Bob the Builder").unwrap();
    sandbox.pair("shop", ALICE).await;
    let bob = format!("{BOB}@s.whatsapp.net");
    let contacts = |name: &'static str| {
        let (sandbox, bob) = (&sandbox, bob.clone());
        async move {
            let mut ticks = tokio::time::interval(std::time::Duration::from_millis(20));
            tokio::time::timeout(wagate_tests::sandbox::PATIENCE, async {
                loop {
                    ticks.tick().await;
                    let contacts = sandbox.api.get("/api/contacts?token=shop").await.ok();
                    if contacts[&bob]["FullName"] == name {
                        return contacts;
                    }
                }
            })
            .await
            .unwrap()
        }
    };
    // Saved before the device was linked, and changed afterwards.
    let first = contacts("Bob the Builder").await;
    assert_eq!(first[&bob]["Found"], true);
    assert_eq!(first[&bob]["Phone"], BOB);
    sandbox.world.save_contact(ALICE, BOB, "Bob Builder").unwrap();
    contacts("Bob Builder").await;

    // Carol is in nobody's address book; her messages carry her name.
    sandbox.world.send_text(CAROL, ALICE, "it's me").unwrap();
    let carol = format!("{CAROL}@s.whatsapp.net");
    let mut ticks = tokio::time::interval(std::time::Duration::from_millis(20));
    tokio::time::timeout(wagate_tests::sandbox::PATIENCE, async {
        while sandbox.api.get("/api/contacts?token=shop").await.ok()[&carol]["PushName"] != json!("Carol") {
            ticks.tick().await;
        }
    })
    .await
    .unwrap();
    sandbox.finish().await;
}
