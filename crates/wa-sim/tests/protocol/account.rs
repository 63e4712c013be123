//! What belongs to an account: its address book, its name, its profile, its other devices.

use crate::client::{Device, LIMIT, assert_clean, phone_gets, pn};
use crate::support::{ANNA, BEN, start};
use wa_sim::ledger::Line;
use wacore::types::events::Event;

fn contact_named(event: &Event, name: &str) -> Option<String> {
    match event {
        Event::ContactUpdate(update) if update.action.full_name.as_deref() == Some(name) => {
            Some(update.jid.to_string())
        }
        _ => None,
    }
}

#[tokio::test]
async fn saved_contacts_reach_the_devices() {
    let sim = start().await;
    sim.world.create_phone(ANNA, "Anna").unwrap();
    sim.world.create_phone(BEN, "Ben").unwrap();
    sim.world.save_contact(ANNA, BEN, "Ben before").unwrap();
    let anna = Device::paired(&sim, ANNA, "Anna").await;
    anna.wait("first contact", |event| contact_named(event, "Ben before"))
        .await;
    sim.world.save_contact(ANNA, BEN, "Ben after").unwrap();
    let jid = anna
        .wait("second contact", |event| contact_named(event, "Ben after"))
        .await;
    assert_eq!(jid, pn(BEN).to_string());
    assert_clean(&sim);
    sim.stop().await.unwrap();
}

#[tokio::test]
async fn a_device_learns_its_own_name() {
    let sim = start().await;
    let anna = Device::paired(&sim, ANNA, "Anna of the North").await;
    assert_eq!(anna.client.push_name(), "Anna of the North");
    assert_clean(&sim);
    sim.stop().await.unwrap();
}

#[tokio::test]
async fn two_devices_of_one_account_see_the_same() {
    let sim = start().await;
    sim.world.create_phone(BEN, "Ben").unwrap();
    let first = Device::paired(&sim, ANNA, "Anna").await;
    let second = Device::paired(&sim, ANNA, "Anna").await;
    first.say(&pn(BEN), "from the first").await;
    second.text("from the first").await;
    phone_gets(&sim.world, BEN, "from the first").await;
    sim.world.send_text(BEN, ANNA, "to both").unwrap();
    first.text("to both").await;
    second.text("to both").await;
    sim.world.send_text(ANNA, BEN, "from the phone").unwrap();
    first.text("from the phone").await;
    second.text("from the phone").await;
    assert_clean(&sim);
    sim.stop().await.unwrap();
}

#[tokio::test]
async fn numbers_are_looked_up() {
    let sim = start().await;
    sim.world.create_phone(BEN, "Ben").unwrap();
    let anna = Device::paired(&sim, ANNA, "Anna").await;
    let found = anna
        .client
        .contacts()
        .is_on_whatsapp(&[pn(BEN), pn("4915559999")])
        .await
        .unwrap();
    let known: Vec<bool> = found.iter().map(|found| found.is_registered).collect();
    assert_eq!(known, [true, false]);
    assert_clean(&sim);
    sim.stop().await.unwrap();
}

#[tokio::test]
async fn two_devices_write_to_one_collection() {
    let sim = start().await;
    sim.world.create_phone(BEN, "Ben").unwrap();
    let first = Device::paired(&sim, ANNA, "Anna").await;
    let second = Device::paired(&sim, ANNA, "Anna").await;
    sim.world.save_contact(ANNA, BEN, "Ben").unwrap();
    first.client.chat_actions().pin_chat(&pn(BEN)).await.unwrap();
    second
        .wait("the pin", |event| {
            matches!(event, Event::PinUpdate(_)).then_some(())
        })
        .await;
    second.client.chat_actions().mute_chat(&pn(BEN)).await.unwrap();
    first
        .wait("the mute", |event| {
            matches!(event, Event::MuteUpdate(_)).then_some(())
        })
        .await;
    assert_clean(&sim);
    sim.stop().await.unwrap();
}

#[tokio::test]
async fn profile_changes_are_told() {
    let sim = start().await;
    let anna = Device::paired(&sim, ANNA, "Anna").await;
    let ben = Device::paired(&sim, BEN, "Ben").await;
    anna.client.profile().set_status_text("at sea").await.unwrap();
    let about = ben
        .wait("about", |event| match event {
            Event::UserAboutUpdate(update) => Some(update.status.clone()),
            _ => None,
        })
        .await;
    assert_eq!(about, "at sea");
    let set = anna
        .client
        .profile()
        .set_profile_picture(vec![0xff, 0xd8, 0xff])
        .await
        .unwrap();
    for device in [&ben, &anna] {
        device
            .wait("picture", |event| {
                matches!(event, Event::PictureUpdate(_)).then_some(())
            })
            .await;
    }
    let found = ben
        .client
        .contacts()
        .get_profile_picture(&pn(ANNA), false)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(found.id, set.id);
    assert_clean(&sim);
    sim.stop().await.unwrap();
}

#[tokio::test]
async fn a_trusted_contact_writes_with_the_token_made_for_it() {
    let sim = start().await;
    let anna = Device::paired(&sim, ANNA, "Anna").await;
    let ben = Device::paired(&sim, BEN, "Ben").await;
    let (lid, issuer) = (ben.client.lid().unwrap().to_non_ad(), anna.client.lid().unwrap());
    let made = anna.client.tc_token().issue_tokens(&[lid]).await.unwrap();
    let kept = async {
        loop {
            if let Some(kept) = ben.client.tc_token().get(issuer.user.as_str()).await.unwrap() {
                return kept;
            }
            tokio::task::yield_now().await;
        }
    };
    let kept = tokio::time::timeout(LIMIT, kept).await.unwrap();
    assert_eq!(kept.token, made[0].token);
    let id = ben.say(&pn(ANNA), "you know me").await;
    let told = |line: &Line| line.entry.id.as_ref() == Some(&id) && line.entry.summary.contains("<tctoken>");
    sim.ledger.wait_for(told, LIMIT).await.unwrap();
    anna.text("you know me").await;
    assert_clean(&sim);
    sim.stop().await.unwrap();
}

#[tokio::test]
async fn presence_is_told_to_those_who_ask() {
    let sim = start().await;
    let anna = Device::paired(&sim, ANNA, "Anna").await;
    let ben = Device::paired(&sim, BEN, "Ben").await;
    anna.client.presence().set_available().await.unwrap();
    ben.client.presence().subscribe(pn(ANNA)).await.unwrap();
    ben.wait("online", |event| {
        matches!(event, Event::Presence(update) if !update.unavailable).then_some(())
    })
    .await;
    anna.client.presence().set_unavailable().await.unwrap();
    ben.wait("offline", |event| {
        matches!(event, Event::Presence(update) if update.unavailable).then_some(())
    })
    .await;
    assert_clean(&sim);
    sim.stop().await.unwrap();
}

#[tokio::test]
async fn a_blocked_contact_is_not_heard() {
    let sim = start().await;
    sim.world.create_phone(BEN, "Ben").unwrap();
    let anna = Device::paired(&sim, ANNA, "Anna").await;
    // A client blocks by LID, which it learns with the first message.
    sim.world.send_text(BEN, ANNA, "hello").unwrap();
    anna.text("hello").await;
    anna.client.blocking().block(&pn(BEN)).await.unwrap();
    assert_eq!(anna.client.blocking().get_blocklist().await.unwrap().len(), 1);
    sim.world.send_text(BEN, ANNA, "let me in").unwrap();
    anna.client.blocking().unblock(&pn(BEN)).await.unwrap();
    sim.world.send_text(BEN, ANNA, "thank you").unwrap();
    anna.text("thank you").await;
    let heard = sim.world.messages(ANNA).unwrap();
    assert!(
        heard
            .iter()
            .all(|message| message.text.as_deref() != Some("let me in"))
    );
    assert_clean(&sim);
    sim.stop().await.unwrap();
}
