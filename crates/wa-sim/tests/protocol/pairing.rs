//! How a client becomes a device: by QR code, by phone code, again after a restart, and no more after unlinking.

use crate::client::{Device, LIMIT, assert_clean, until};
use crate::support::{ANNA, start};
use wa_sim::world::view::SimError;
use wacore::types::events::Event;
use whatsapp_rust::pair_code::PairCodeOptions;

#[tokio::test]
async fn a_scanned_code_makes_a_device() {
    let sim = start().await;
    sim.world.create_phone(ANNA, "Anna").unwrap();
    let device = Device::start(&sim).await;
    let qr = device.qr().await;
    let jid = sim.world.scan(ANNA, &qr).await.unwrap();
    device.ready().await;
    assert_eq!(device.client.pn().unwrap().to_string(), jid);
    assert_eq!(sim.world.phone(ANNA).unwrap().devices, [jid]);
    assert!(matches!(
        sim.world.scan(ANNA, &qr).await,
        Err(SimError::Conflict(_))
    ));
    assert_clean(&sim);
    sim.stop().await.unwrap();
}

#[tokio::test]
async fn the_push_name_picks_the_account() {
    let sim = start().await;
    let device = Device::start(&sim).await;
    let jid = sim.world.scan_by_push_name(&device.qr().await).await.unwrap();
    device.ready().await;
    assert_eq!(device.client.pn().unwrap().to_string(), jid);
    assert_clean(&sim);
    sim.stop().await.unwrap();
}

#[tokio::test]
async fn a_typed_code_makes_a_device() {
    let sim = start().await;
    sim.world.create_phone(ANNA, "Anna").unwrap();
    let device = Device::start(&sim).await;
    device.client.wait_for_socket(LIMIT).await.unwrap();
    let options = PairCodeOptions {
        phone_number: ANNA.to_owned(),
        ..Default::default()
    };
    let code = device.client.pair_with_code(options).await.unwrap();
    let jid = sim.world.pair_code(ANNA, &code).await.unwrap();
    device.ready().await;
    assert_eq!(device.client.pn().unwrap().to_string(), jid);
    assert_clean(&sim);
    sim.stop().await.unwrap();
}

#[tokio::test]
async fn a_wrong_code_pairs_nobody() {
    let sim = start().await;
    sim.world.create_phone(ANNA, "Anna").unwrap();
    let device = Device::start(&sim).await;
    device.client.wait_for_socket(LIMIT).await.unwrap();
    let options = PairCodeOptions {
        phone_number: ANNA.to_owned(),
        ..Default::default()
    };
    device.client.pair_with_code(options).await.unwrap();
    assert!(matches!(
        sim.world.pair_code(ANNA, "AAAAAAAA").await,
        Err(SimError::Conflict(_))
    ));
    assert!(sim.world.phone(ANNA).unwrap().devices.is_empty());
    sim.stop().await.unwrap();
}

#[tokio::test]
async fn a_device_comes_back_with_its_old_keys() {
    let sim = start().await;
    let device = Device::paired(&sim, ANNA, "Anna").await;
    let jid = device.client.pn();
    let stopped = device.stop().await;
    let device = stopped.again(&sim).await;
    device.ready().await;
    assert_eq!(device.client.pn(), jid);
    let device = device.stop().await.again(&sim).await;
    device.ready().await;
    // Registration and first login know no server key; every later login uses the one they learned.
    let patterns: Vec<String> = sim
        .ledger
        .after(0, usize::MAX)
        .into_iter()
        .filter(|line| line.entry.tag == "handshake")
        .filter_map(|line| line.entry.kind)
        .collect();
    assert_eq!(patterns, ["XX", "XX", "IK", "IK"]);
    assert_clean(&sim);
    sim.stop().await.unwrap();
}

#[tokio::test]
async fn an_unlinked_device_is_logged_out_for_good() {
    let sim = start().await;
    let device = Device::paired(&sim, ANNA, "Anna").await;
    let jid = sim.world.phone(ANNA).unwrap().devices[0].clone();
    sim.world.unlink(ANNA, &jid).unwrap();
    device
        .wait("logout", |event| {
            matches!(event, Event::LoggedOut(_)).then_some(())
        })
        .await;
    assert!(sim.world.phone(ANNA).unwrap().devices.is_empty());

    let device = device.stop().await.again(&sim).await;
    device
        .wait("refused login", |event| {
            matches!(event, Event::LoggedOut(_)).then_some(())
        })
        .await;
    sim.stop().await.unwrap();
}

#[tokio::test]
async fn a_device_can_log_itself_out() {
    let sim = start().await;
    let device = Device::paired(&sim, ANNA, "Anna").await;
    device.client.logout().await;
    until(&sim.world, "the device is gone", |world| {
        world.phone(ANNA).unwrap().devices.is_empty().then_some(())
    })
    .await;
    assert_clean(&sim);
    sim.stop().await.unwrap();
}

#[tokio::test]
async fn a_second_connection_replaces_the_first() {
    let sim = start().await;
    let device = Device::paired(&sim, ANNA, "Anna").await;
    let twin = device.twin(&sim).await;
    device
        .wait("replacement", |event| {
            matches!(event, Event::StreamReplaced(_)).then_some(())
        })
        .await;
    twin.ready().await;
    sim.stop().await.unwrap();
}
