//! Groups made by devices and by phones, and who reads what in them.

use crate::client::{Device, assert_clean, phone_gets, pn, until};
use crate::support::{ANNA, BEN, start};
use wa_sim::world::view::ParticipantChanges;
use wacore::types::events::Event;
use whatsapp_rust::Jid;
use whatsapp_rust::features::{GroupCreateOptions, GroupParticipantOptions};

const CARL: &str = "4915550003";

fn is_group_notification(event: &Event) -> Option<()> {
    matches!(event, Event::GroupUpdate(_)).then_some(())
}

#[tokio::test]
async fn a_phone_makes_a_group_and_all_talk() {
    let sim = start().await;
    sim.world.create_phone(BEN, "Ben").unwrap();
    let anna = Device::paired(&sim, ANNA, "Anna").await;
    let carl = Device::paired(&sim, CARL, "Carl").await;
    let group = sim
        .world
        .create_group(BEN, "Hiking", &[ANNA.to_owned(), CARL.to_owned()])
        .unwrap();
    let jid: Jid = group.parse().unwrap();
    anna.wait("the group", is_group_notification).await;

    sim.world.send_text(BEN, &group, "who is in?").unwrap();
    let (_, chat, _) = anna.text("who is in?").await;
    assert_eq!(chat, jid);
    carl.text("who is in?").await;

    anna.say(&jid, "me").await;
    carl.text("me").await;
    assert_eq!(phone_gets(&sim.world, BEN, "me").await.chat, group);
    sim.world.send_text(BEN, &group, "fine").unwrap();
    carl.text("fine").await;
    assert_clean(&sim);
    sim.stop().await.unwrap();
}

#[tokio::test]
async fn a_device_makes_a_group_and_changes_it() {
    let sim = start().await;
    sim.world.create_phone(BEN, "Ben").unwrap();
    let anna = Device::paired(&sim, ANNA, "Anna").await;
    let carl = Device::paired(&sim, CARL, "Carl").await;
    let options = GroupCreateOptions {
        subject: "Chess".to_owned(),
        participants: vec![GroupParticipantOptions::new(pn(BEN))],
        ..Default::default()
    };
    let group = anna
        .client
        .groups()
        .create_group(options)
        .await
        .unwrap()
        .metadata
        .id;
    anna.say(&group, "first move").await;
    phone_gets(&sim.world, BEN, "first move").await;

    let added = anna
        .client
        .groups()
        .add_participants(&group, &[pn(CARL)])
        .await
        .unwrap();
    assert_eq!(added[0].status.as_deref(), Some("200"));
    carl.wait("the group", is_group_notification).await;
    anna.say(&group, "welcome Carl").await;
    carl.text("welcome Carl").await;
    sim.world.send_text(BEN, &group.to_string(), "hi Carl").unwrap();
    carl.text("hi Carl").await;

    let found = carl.client.groups().get_metadata(&group).await.unwrap();
    assert_eq!(found.subject, "Chess");
    assert_eq!(found.participants.len(), 3);
    assert_clean(&sim);
    sim.stop().await.unwrap();
}

#[tokio::test]
async fn whoever_was_removed_reads_no_more() {
    let sim = start().await;
    sim.world.create_phone(BEN, "Ben").unwrap();
    let anna = Device::paired(&sim, ANNA, "Anna").await;
    let group = sim.world.create_group(BEN, "Short", &[ANNA.to_owned()]).unwrap();
    sim.world.send_text(BEN, &group, "before").unwrap();
    anna.text("before").await;
    let changes = ParticipantChanges {
        remove: vec![ANNA.to_owned()],
        ..Default::default()
    };
    sim.world.change_participants(BEN, &group, &changes).unwrap();
    anna.wait("removal", is_group_notification).await;
    sim.world.send_text(BEN, &group, "after").unwrap();
    sim.world.send_text(BEN, ANNA, "alone").unwrap();
    anna.text("alone").await;
    let messages = until(&sim.world, "phone copies", |world| {
        Some(world.messages(ANNA).unwrap())
    })
    .await;
    assert!(
        messages
            .iter()
            .all(|message| message.text.as_deref() != Some("after"))
    );
    assert_clean(&sim);
    sim.stop().await.unwrap();
}
