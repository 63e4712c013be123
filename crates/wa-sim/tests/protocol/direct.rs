//! Messages between two people, their devices and their phones.

use crate::client::{Device, assert_clean, phone_gets, pn, until};
use crate::support::{ANNA, BEN, start};
use wa_sim::world::view::{CallState, Script, TypingState};
use wacore::types::events::Event;
use wacore::types::presence::ReceiptType;

#[tokio::test]
async fn a_device_and_a_phone_write_to_each_other() {
    let sim = start().await;
    sim.world.create_phone(BEN, "Ben").unwrap();
    let anna = Device::paired(&sim, ANNA, "Anna").await;

    anna.say(&pn(BEN), "hello Ben").await;
    let message = phone_gets(&sim.world, BEN, "hello Ben").await;
    assert_eq!(message.chat, pn(ANNA).to_string());
    assert!(!message.from_me);
    // Her own phone sees what her device wrote.
    assert!(phone_gets(&sim.world, ANNA, "hello Ben").await.from_me);

    let id = sim.world.send_text(BEN, ANNA, "hello Anna").unwrap();
    let (received, _, _) = anna.text("hello Anna").await;
    assert_eq!(received, id);
    anna.say(&pn(BEN), "and again").await;
    phone_gets(&sim.world, BEN, "and again").await;
    until(&sim.world, "delivery receipt", |world| {
        let messages = world.messages(BEN).unwrap();
        messages
            .iter()
            .any(|message| message.id == id && message.status == "delivered")
            .then_some(())
    })
    .await;
    assert_clean(&sim);
    sim.stop().await.unwrap();
}

#[tokio::test]
async fn two_devices_write_to_each_other() {
    let sim = start().await;
    let anna = Device::paired(&sim, ANNA, "Anna").await;
    let ben = Device::paired(&sim, BEN, "Ben").await;
    anna.say(&pn(BEN), "one").await;
    let (_, chat, _) = ben.text("one").await;
    ben.say(&chat, "two").await;
    let (_, chat, _) = anna.text("two").await;
    anna.say(&chat, "three").await;
    ben.text("three").await;
    assert!(phone_gets(&sim.world, BEN, "three").await.chat.starts_with(ANNA));
    assert_clean(&sim);
    sim.stop().await.unwrap();
}

#[tokio::test]
async fn a_reading_phone_sends_receipts() {
    let sim = start().await;
    sim.world.create_phone(BEN, "Ben").unwrap();
    let anna = Device::paired(&sim, ANNA, "Anna").await;
    let id = anna.say(&pn(BEN), "read me").await;
    let arrived = |kind: ReceiptType| {
        let id = id.clone();
        move |event: &Event| match event {
            Event::Receipt(receipt) if receipt.r#type == kind => {
                receipt.message_ids.contains(&id).then_some(())
            }
            _ => None,
        }
    };
    anna.wait("delivery receipt", arrived(ReceiptType::Delivered))
        .await;
    sim.world.mark_read(BEN, ANNA, &id).unwrap();
    anna.wait("read receipt", arrived(ReceiptType::Read)).await;
    assert_clean(&sim);
    sim.stop().await.unwrap();
}

#[tokio::test]
async fn an_echoing_phone_answers() {
    let sim = start().await;
    sim.world.create_phone(BEN, "Ben").unwrap();
    sim.world.set_script(BEN, Script::Echo).unwrap();
    let anna = Device::paired(&sim, ANNA, "Anna").await;
    anna.say(&pn(BEN), "is there anybody?").await;
    let (_, _, author) = anna
        .wait("echo", |event| {
            let echo = event.messages().find(|message| !message.info.source.is_from_me)?;
            let text = echo.message.conversation.clone()?;
            Some((text, echo.info.id.clone(), echo.info.source.sender.clone()))
        })
        .await;
    assert_ne!(author, anna.client.lid().unwrap());
    assert_clean(&sim);
    sim.stop().await.unwrap();
}

#[tokio::test]
async fn what_came_while_a_device_was_away_comes_in_order() {
    let sim = start().await;
    sim.world.create_phone(BEN, "Ben").unwrap();
    let anna = Device::paired(&sim, ANNA, "Anna").await.stop().await;
    let sent: Vec<String> = (0..5)
        .map(|count| {
            sim.world
                .send_text(BEN, ANNA, &format!("missed {count}"))
                .unwrap()
        })
        .collect();
    let anna = anna.again(&sim).await;
    let mut received = Vec::new();
    while received.len() < sent.len() {
        let ids = anna
            .wait("missed messages", |event| {
                let ids: Vec<String> = event.messages().map(|message| message.info.id.clone()).collect();
                (!ids.is_empty()).then_some(ids)
            })
            .await;
        received.extend(ids);
    }
    assert_eq!(received, sent);
    // Acknowledged once, they do not come again.
    until(&sim.world, "all delivered", |world| {
        let messages = world.messages(BEN).unwrap();
        messages
            .iter()
            .all(|message| message.status == "delivered")
            .then_some(())
    })
    .await;
    let anna = anna.stop().await.again(&sim).await;
    anna.ready().await;
    assert!(
        anna.events
            .try_recv()
            .into_iter()
            .all(|event| event.messages().count() == 0)
    );
    assert_clean(&sim);
    sim.stop().await.unwrap();
}

#[tokio::test]
async fn an_offline_phone_reads_later() {
    let sim = start().await;
    sim.world.create_phone(BEN, "Ben").unwrap();
    let anna = Device::paired(&sim, ANNA, "Anna").await;
    sim.world.set_offline(BEN).unwrap();
    anna.say(&pn(BEN), "later").await;
    phone_gets(&sim.world, ANNA, "later").await;
    assert!(sim.world.messages(BEN).unwrap().is_empty());
    sim.world.set_online(BEN).unwrap();
    phone_gets(&sim.world, BEN, "later").await;
    assert_clean(&sim);
    sim.stop().await.unwrap();
}

#[tokio::test]
async fn typing_reaches_a_device_that_is_there_or_comes_back_until_the_text_is_written() {
    let sim = start().await;
    sim.world.create_phone(BEN, "Ben").unwrap();
    let typing = |event: &Event| matches!(event, Event::ChatPresence(_)).then_some(());
    let anna = Device::paired(&sim, ANNA, "Anna").await;
    sim.world.typing(BEN, ANNA, TypingState::Composing).unwrap();
    anna.wait("typing", typing).await;
    let anna = anna.stop().await.again(&sim).await;
    anna.wait("typing again", typing).await;
    sim.world.send_text(BEN, ANNA, "written").unwrap();
    anna.text("written").await;
    let before = sim.ledger.last_seq();
    let anna = anna.stop().await.again(&sim).await;
    anna.ready().await;
    let after = sim.ledger.after(before, usize::MAX);
    assert!(
        after.iter().all(|line| line.entry.tag != "chatstate"),
        "{after:?}"
    );
    assert_clean(&sim);
    sim.stop().await.unwrap();
}

#[tokio::test]
async fn a_device_rejects_a_call() {
    let sim = start().await;
    sim.world.create_phone(BEN, "Ben").unwrap();
    let anna = Device::paired(&sim, ANNA, "Anna").await;
    let call_id = sim.world.call(BEN, ANNA).unwrap();
    let call = anna
        .wait("a call", |event| match event {
            Event::IncomingCall(call) => Some(call.clone()),
            _ => None,
        })
        .await;
    assert_eq!(call.action.call_id(), call_id);
    anna.client.voip().reject(&call).await.unwrap();
    until(&sim.world, "rejection", |world| {
        let calls = world.calls(BEN).unwrap();
        calls
            .iter()
            .any(|call| call.call_id == call_id && call.state == CallState::Rejected)
            .then_some(())
    })
    .await;
    assert_clean(&sim);
    sim.stop().await.unwrap();
}

#[tokio::test]
async fn a_device_without_its_session_gets_the_message_again() {
    let sim = start().await;
    sim.world.create_phone(BEN, "Ben").unwrap();
    let anna = Device::paired(&sim, ANNA, "Anna").await;
    sim.world.send_text(BEN, ANNA, "first").unwrap();
    let (_, _, ben) = anna.text("first").await;
    anna.say(&ben, "second").await;
    phone_gets(&sim.world, BEN, "second").await;
    anna.client.signal().delete_sessions(&[ben]).await.unwrap();
    sim.world.send_text(BEN, ANNA, "third").unwrap();
    anna.text("third").await;
    assert_clean(&sim);
    sim.stop().await.unwrap();
}
