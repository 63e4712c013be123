//! A linked device through trouble: cut, refused, banned, replaced, and a simulator that restarts under it.

mod support;

use std::time::Duration;

use serde_json::json;
use support::linked::Linked;
use support::{ANNA, BEN, Running, start, start_at, start_with};
use wa_sim::Settings;
use wa_sim::ledger::Line;
use wacore::types::events::Event;

async fn people(sim: &Running) {
    sim.phone(ANNA, "Anna").await;
    sim.phone(BEN, "Ben").await;
}

async fn ben_writes(sim: &Running, text: &str) {
    let (status, sent) = sim
        .post(
            &format!("/sim/phones/{BEN}/messages"),
            json!({ "to": ANNA, "text": text }),
        )
        .await;
    assert!(status.is_success(), "{sent}");
}

/// The server acknowledges what it has passed on.
async fn acknowledged(sim: &Running, id: &str) {
    let ack = |line: &Line| line.entry.tag == "ack" && line.entry.id.as_deref() == Some(id);
    assert!(
        sim.ledger.wait_for(ack, Duration::from_secs(20)).await.is_some(),
        "no ack of {id}"
    );
}

#[tokio::test]
async fn a_cut_connection_comes_back_and_misses_nothing() {
    let sim = start().await;
    people(&sim).await;
    let mut device = Linked::to(&sim, ANNA).await;
    sim.post(
        "/sim/faults",
        json!({ "kind": "drop", "phone": ANNA, "count": 1 }),
    )
    .await;
    device
        .wait("disconnection", |event| {
            matches!(event, Event::Disconnected(_)).then_some(())
        })
        .await;
    ben_writes(&sim, "while you were away").await;
    device.reads("while you were away").await;
    assert!(sim.faults.list().is_empty());
    assert_eq!(sim.ledger.violations(), []);
    device.stop().await;
    sim.stop().await.unwrap();
}

#[tokio::test]
async fn a_refused_login_is_tried_again() {
    let sim = start().await;
    people(&sim).await;
    let mut device = Linked::to(&sim, ANNA).await;
    let before = sim.ledger.last_seq();
    for kind in ["refuse", "drop"] {
        sim.post("/sim/faults", json!({ "kind": kind, "phone": ANNA, "count": 1 }))
            .await;
    }
    device.connected().await;
    let said = |line: &Line| line.entry.tag == "failure";
    assert!(
        sim.ledger
            .wait_for_after(before, said, Duration::ZERO)
            .await
            .is_some()
    );
    assert!(sim.faults.list().is_empty());
    device.stop().await;
    sim.stop().await.unwrap();
}

#[tokio::test]
async fn a_ban_throws_the_device_out_and_tells_for_how_long() {
    let sim = start().await;
    people(&sim).await;
    let mut device = Linked::to(&sim, ANNA).await;
    sim.post(
        "/sim/faults",
        json!({ "kind": "ban", "phone": ANNA, "expire_secs": 90 }),
    )
    .await;
    let secs = device
        .wait("ban", |event| match event {
            Event::TemporaryBan(ban) => Some(ban.expire.num_seconds()),
            _ => None,
        })
        .await;
    assert_eq!(secs, 90);
    device.stop().await;
    sim.stop().await.unwrap();
}

#[tokio::test]
async fn a_stream_conflict_replaces_the_device_at_once() {
    let sim = start().await;
    people(&sim).await;
    let mut device = Linked::to(&sim, ANNA).await;
    let fault = json!({ "kind": "stream_error", "code": 409, "conflict": "replaced", "count": 1 });
    sim.post("/sim/faults", fault).await;
    device
        .wait("replacement", |event| {
            matches!(event, Event::StreamReplaced(_)).then_some(())
        })
        .await;
    device.stop().await;
    sim.stop().await.unwrap();
}

#[tokio::test]
async fn an_unlinked_device_is_logged_out_and_forgotten() {
    let sim = start().await;
    people(&sim).await;
    let mut device = Linked::to(&sim, ANNA).await;
    let (_, shown) = sim.get(&format!("/sim/phones/{ANNA}")).await;
    assert_eq!(shown["devices"], json!([device.jid]));
    let (status, reply) = sim
        .post(
            &format!("/sim/phones/{ANNA}/unlink"),
            json!({ "device": device.jid }),
        )
        .await;
    assert!(status.is_success(), "{reply}");
    device
        .wait("logout", |event| {
            matches!(event, Event::LoggedOut(_)).then_some(())
        })
        .await;
    let (_, shown) = sim.get(&format!("/sim/phones/{ANNA}")).await;
    assert_eq!(shown["devices"], json!([]));
    device.stop().await;
    sim.stop().await.unwrap();
}

#[tokio::test]
async fn a_device_goes_on_writing_and_reading_after_the_simulator_restarts() {
    let folder = tempfile::tempdir().unwrap();
    let settings = Settings {
        state_file: Some(folder.path().join("sim.json")),
        strict: true,
        ..Settings::default()
    };
    let first = start_with(settings.clone()).await;
    people(&first).await;
    let mut device = Linked::to(&first, ANNA).await;
    ben_writes(&first, "one").await;
    device.reads("one").await;
    let two = device.write(BEN, "two").await;
    acknowledged(&first, &two).await;
    let (_, list) = first.get(&format!("/sim/phones/{ANNA}")).await;
    assert_eq!(list["devices"], json!([device.jid]));
    let address = first.address;
    first.stop().await.unwrap();

    let second = start_at(address, settings).await;
    let (_, list) = second.get(&format!("/sim/phones/{ANNA}")).await;
    assert_eq!(list["devices"], json!([device.jid]));
    // Before the device is back: the message waits for it.
    ben_writes(&second, "three").await;
    device.reads("three").await;
    let four = device.write(BEN, "four").await;
    acknowledged(&second, &four).await;
    let (_, list) = second.get(&format!("/sim/phones/{BEN}/messages")).await;
    let texts: Vec<_> = list["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|message| &message["text"])
        .collect();
    assert_eq!(texts, ["one", "two", "three", "four"]);
    device.stop().await;
    second.stop().await.unwrap();
}

#[tokio::test]
async fn mischief_costs_a_device_no_message_and_not_its_session() {
    let sim = start().await;
    people(&sim).await;
    let mut device = Linked::to(&sim, ANNA).await;
    ben_writes(&sim, "first").await;
    device.reads("first").await;
    for kind in ["duplicate", "unknown", "garble"] {
        let before = sim.ledger.last_seq();
        let fault = json!({ "kind": kind, "phone": ANNA, "count": 1 });
        assert!(sim.post("/sim/faults", fault).await.0.is_success());
        ben_writes(&sim, kind).await;
        device.reads(kind).await;
        assert!(sim.faults.list().is_empty(), "{kind} did not strike");
        let asked = |line: &Line| line.entry.kind.as_deref() == Some("retry");
        let again = sim.ledger.wait_for_after(before, asked, Duration::ZERO).await;
        assert_eq!(again.is_some(), kind == "garble", "{kind}");
    }
    assert_eq!(sim.ledger.violations(), []);
    device.stop().await;
    sim.stop().await.unwrap();
}
