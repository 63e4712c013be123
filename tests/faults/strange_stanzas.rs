//! Messages that come twice, damaged, in strange company, or a thousand at a time: each becomes one event.

use std::time::{Duration, Instant};

use wa_sim::fault::{FaultKind, FaultSpec};

use crate::chance::quick_or_long;
use crate::database::Database;
use crate::figures::seen;
use crate::ledgers::{Letters, message_id};
use crate::scene::{PATIENCE, Plan, Scene, WRITERS};

on_each_database!(
    each_message_is_one_event_however_it_comes,
    a_long_absence_is_caught_up_with,
);

/// Messages of each kind of mischief.
const STRUCK: usize = 20;

async fn each_message_is_one_event_however_it_comes(database: Database) {
    let scene = Plan::new(database).devices(1).start().await;
    for kind in [FaultKind::Duplicate, FaultKind::Unknown] {
        let letters = struck_by(&scene, kind).await;
        letters.compare(&scene.receiver).assert_faithful(0);
        assert_eq!(scene.sim.undecryptable(), [], "{kind:?}");
    }
    let letters = struck_by(&scene, FaultKind::Garble).await;
    let compared = letters.compare(&scene.receiver);
    // What had to be asked for again comes late, so order is not promised here.
    assert_eq!(
        (compared.lost, compared.twice_told, compared.repeated),
        (vec![], vec![], 0)
    );
    assert!(!scene.sim.undecryptable().is_empty(), "nothing was damaged");

    let disconnected = scene
        .receiver
        .look(|got| got.iter().any(|one| one.body["event"] == "disconnected"));
    assert!(!disconnected, "something killed the session");
    scene.finish().await;
}

async fn struck_by(scene: &Scene, kind: FaultKind) -> Letters {
    scene.sim.faults.add(FaultSpec {
        count: Some(STRUCK as u64),
        ..FaultSpec::new(kind)
    });
    let mut letters = Letters::default();
    for n in 0..STRUCK {
        let to = &scene.numbers[0].phone;
        letters.write(
            &scene.sim,
            WRITERS[n % WRITERS.len()],
            to,
            &format!("{kind:?} {n}"),
        );
    }
    letters
        .wait_all_heard(&scene.sim, &scene.receiver, PATIENCE)
        .await;
    assert!(scene.sim.faults.list().is_empty(), "{kind:?} struck too seldom");
    // One more that comes as it should: what was repeated has been seen by then.
    letters.write(&scene.sim, WRITERS[0], &scene.numbers[0].phone, "the last one");
    letters
        .wait_all_heard(&scene.sim, &scene.receiver, PATIENCE)
        .await;
    letters
}

async fn a_long_absence_is_caught_up_with(database: Database) {
    let messages = quick_or_long(1_000, 10_000);
    let mut scene = Plan::new(database).devices(1).start().await;
    let ended = scene.gateway.terminate().await;
    assert!(ended.success(), "{ended}");
    let mut letters = Letters::default();
    for n in 0..messages {
        let to = &scene.numbers[0].phone;
        letters.write(
            &scene.sim,
            WRITERS[n % WRITERS.len()],
            to,
            &format!("while you were away {n}"),
        );
    }
    scene.gateway.start().await;
    let started = Instant::now();
    let limit = Duration::from_secs(30 + messages as u64 / 50);
    letters.wait_all_heard(&scene.sim, &scene.receiver, limit).await;
    let took = started.elapsed();
    seen(
        database,
        format_args!("a long absence: {messages} messages within {took:.1?}"),
    );
    letters.compare(&scene.receiver).assert_faithful(0);
    let told = scene
        .receiver
        .look(|got| got.iter().filter_map(message_id).count());
    assert_eq!(told, messages, "something else was told as well");
    assert_eq!(scene.sim.undecryptable(), [], "messages could not be decrypted");
    scene.finish().await;
}
