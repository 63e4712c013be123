//! Stories between phones alone, where a test may reach into their Signal state.

use crate::fault::Faults;
use crate::ledger::Ledger;
use crate::media::MediaStore;
use crate::world::address::Address;
use crate::world::view::{Script, TypingState};
use crate::world::{SharedWorld, World, WorldSettings};
use std::sync::Arc;
use std::time::Duration;

const ANNA: &str = "4915550001";
const BEN: &str = "4915550002";

fn settings() -> WorldSettings {
    WorldSettings {
        media_host: "localhost".to_owned(),
        chatstate_ttl: Duration::from_secs(3),
    }
}

fn world() -> SharedWorld {
    let world = World::new(
        settings(),
        Arc::default(),
        Arc::<Faults>::default(),
        Arc::<MediaStore>::default(),
    );
    world.create_phone(ANNA, "Anna").unwrap();
    world.create_phone(BEN, "Ben").unwrap();
    world
}

fn texts(world: &World, phone: &str) -> Vec<String> {
    world
        .messages(phone)
        .unwrap()
        .into_iter()
        .filter_map(|message| message.text)
        .collect()
}

#[test]
fn phones_write_to_each_other() {
    let world = world();
    world.send_text(ANNA, BEN, "one").unwrap();
    world.send_text(BEN, ANNA, "two").unwrap();
    assert_eq!(texts(&world, BEN), ["one", "two"]);
    assert_eq!(world.messages(ANNA).unwrap()[0].status, "delivered");
}

#[test]
fn a_phone_shows_who_types_until_they_stop_or_write() {
    let world = world();
    let shown = |phone| -> Vec<TypingState> {
        let typing = world.phone(phone).unwrap().typing.into_iter();
        typing.map(|typing| typing.state).collect()
    };
    world.typing(ANNA, BEN, TypingState::Composing).unwrap();
    assert_eq!(shown(BEN), [TypingState::Composing]);
    assert_eq!(shown(ANNA), []);
    world.typing(ANNA, BEN, TypingState::Recording).unwrap();
    assert_eq!(shown(BEN), [TypingState::Recording]);
    world.typing(ANNA, BEN, TypingState::Paused).unwrap();
    assert_eq!(shown(BEN), []);
    world.typing(ANNA, BEN, TypingState::Composing).unwrap();
    world.send_text(ANNA, BEN, "written").unwrap();
    assert_eq!(shown(BEN), []);
}

#[test]
fn in_a_group_everybody_else_sees_who_types() {
    let world = world();
    let group = world.create_group(ANNA, "Lunch", &[BEN.to_owned()]).unwrap();
    world.typing(BEN, &group, TypingState::Composing).unwrap();
    let seen = world.phone(ANNA).unwrap().typing;
    assert_eq!(
        (seen[0].chat.as_str(), seen[0].sender.as_str()),
        (group.as_str(), format!("{BEN}@s.whatsapp.net").as_str())
    );
    assert_eq!(world.phone(BEN).unwrap().typing, []);
}

#[test]
fn two_echoes_come_to_an_end() {
    let world = world();
    world.set_script(ANNA, Script::Echo).unwrap();
    world.set_script(BEN, Script::Echo).unwrap();
    world.send_text(ANNA, BEN, "hello").unwrap();
    assert!(texts(&world, BEN).len() <= 2);
}

#[test]
fn a_silent_phone_confirms_nothing() {
    let world = world();
    world.set_script(BEN, Script::Silent).unwrap();
    world.send_text(ANNA, BEN, "hello").unwrap();
    assert_eq!(texts(&world, BEN), ["hello"]);
    assert_eq!(world.messages(ANNA).unwrap()[0].status, "sent");
}

#[test]
fn a_lost_session_is_mended_by_a_retry() {
    let world = world();
    world.send_text(ANNA, BEN, "one").unwrap();
    world.send_text(BEN, ANNA, "two").unwrap();
    world.step(|state| {
        let ben = state.phone_mut(BEN).unwrap();
        ben.signal.forget_session(&Address::primary(ANNA));
    });
    world.send_text(ANNA, BEN, "three").unwrap();
    assert_eq!(texts(&world, BEN), ["one", "two", "three"]);
    assert_eq!(
        world.ledger.violations().len(),
        1,
        "the unreadable message is in the ledger"
    );
}

#[test]
fn a_lost_sender_key_is_mended_by_a_retry() {
    let world = world();
    let group = world.create_group(ANNA, "Pair", &[BEN.to_owned()]).unwrap();
    world.step(|state| {
        // Anna believes that Ben holds her key.
        let known = [Address::primary(BEN)].into();
        state
            .phone_mut(ANNA)
            .unwrap()
            .shared_sender_keys
            .insert(group.clone(), known);
    });
    world.send_text(ANNA, &group, "hello").unwrap();
    assert_eq!(texts(&world, BEN), ["hello"]);
}

#[test]
fn a_restored_world_goes_on() {
    let world = world();
    world.send_text(ANNA, BEN, "before").unwrap();
    world.send_text(BEN, ANNA, "answer").unwrap();
    let stored = serde_json::to_string(&world.snapshot()).unwrap();
    let snapshot = serde_json::from_str(&stored).unwrap();
    let again = World::restore(
        settings(),
        snapshot,
        Arc::<Ledger>::default(),
        Arc::<Faults>::default(),
        Arc::<MediaStore>::default(),
    )
    .unwrap();
    assert_eq!(again.root_key(), world.root_key());
    again.send_text(ANNA, BEN, "after").unwrap();
    assert_eq!(texts(&again, BEN), ["before", "answer", "after"]);
    assert!(again.ledger.violations().is_empty());
}
