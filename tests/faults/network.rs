//! A line to WhatsApp that breaks, goes silent or closes on everybody at once: every session comes back, in turn, and
//! none shows itself connected when it is not.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use wagate_tests::proxy::Line;
use wagate_tests::simulator::Silence;

use crate::chance::quick_or_long;
use crate::database::Database;
use crate::figures::seen;
use crate::ledgers::Letters;
use crate::scene::{Plan, Scene, WRITERS, status};

on_each_database!(
    every_session_comes_back_after_drops_and_a_mass_close,
    a_silently_dead_session_is_noticed,
);

/// Longest time from the end of a fault to the last session being back.
const BACK: Duration = Duration::from_secs(30);
/// Longest time until a dead connection shows.
const NOTICED: Duration = Duration::from_mins(1);
/// How many dials may be under way at once, and how long each takes at least: so many per second are allowed.
const DIALS: usize = 4;
const DIAL: Duration = Duration::from_millis(200);
const DIALS_PER_SECOND: usize = DIALS * 5 + DIALS;
/// The share of connections that break, and how often.
const SHARE: f64 = 0.3;
const WAVES: u32 = 8;
const WAVE: Duration = Duration::from_secs(1);
/// Between two looks.
const LOOK: Duration = Duration::from_millis(50);

async fn every_session_comes_back_after_drops_and_a_mass_close(database: Database) {
    let devices = quick_or_long(50, 1_000);
    let plan = Plan::new(database).devices(devices).behind_proxy();
    let scene = plan
        .env("WAGATE_WHATSAPP__MAX_DIALS", &DIALS.to_string())
        .start()
        .await;
    let mut letters = Letters::default();

    for wave in 0..WAVES {
        scene.proxy().set(Line::Drops(SHARE));
        write_to_all(&scene, &mut letters, &format!("wave {wave}"));
        tokio::time::sleep(WAVE).await;
    }
    scene.proxy().set(Line::Good);
    let healed = Instant::now();
    scene.wait_all_connected(BACK).await;
    let healed = healed.elapsed();
    prove_all_alive(&scene, &mut letters, "after the drops").await;

    scene.proxy().set(Line::Slow(DIAL));
    let closed = Instant::now();
    scene.proxy().cut_all();
    wait_for_dials(&scene, closed, devices).await;
    scene
        .wait_all_connected(BACK.saturating_sub(closed.elapsed()))
        .await;
    let back = closed.elapsed();
    let busiest = scene.proxy().busiest_second(closed);
    seen(
        database,
        format_args!(
            "{devices} sessions: all back {healed:.1?} after the last drops, {back:.1?} after a mass close, with at most {busiest} dials in a second"
        ),
    );
    assert!(
        busiest <= DIALS_PER_SECOND,
        "{busiest} dials in a second, {DIALS_PER_SECOND} allowed"
    );
    prove_all_alive(&scene, &mut letters, "after the mass close").await;
    letters.compare(&scene.receiver).assert_faithful(0);
    assert_eq!(scene.sim.undecryptable(), [], "messages could not be decrypted");
    scene.finish().await;
}

async fn a_silently_dead_session_is_noticed(database: Database) {
    let devices = quick_or_long(5, 1_000);
    let scene = Plan::new(database).devices(devices).behind_proxy().start().await;
    let mut letters = Letters::default();
    scene.proxy().set(Line::HalfOpen);
    let died = Instant::now();
    write_to_all(&scene, &mut letters, "into the silence");
    let noticing = scene.numbers.iter().map(|number| noticed(&scene, &number.token));
    let noticing = tokio::time::timeout(NOTICED, join_all(noticing)).await;
    let took = died.elapsed();
    seen(
        database,
        format_args!("{devices} silent sessions: noticed within {took:.1?}"),
    );
    assert!(
        noticing.is_ok(),
        "a dead session still says connected after {:?}",
        died.elapsed()
    );

    scene.proxy().set(Line::Good);
    scene.wait_all_connected(BACK).await;
    prove_all_alive(&scene, &mut letters, "after the silence").await;
    letters.compare(&scene.receiver).assert_faithful(0);
    assert_eq!(scene.sim.undecryptable(), [], "messages could not be decrypted");
    scene.finish_after(Silence::Happened).await;
}

async fn noticed(scene: &Scene, token: &str) {
    let api = scene.gateway.api();
    while status(&api, token).await["connected"] == true {
        tokio::time::sleep(LOOK).await;
    }
}

/// One letter to every device.
fn write_to_all(scene: &Scene, letters: &mut Letters, text: &str) {
    for (index, number) in scene.numbers.iter().enumerate() {
        letters.write(&scene.sim, WRITERS[index % WRITERS.len()], &number.phone, text);
    }
}

/// A state may lie; a letter that arrives does not.
async fn prove_all_alive(scene: &Scene, letters: &mut Letters, text: &str) {
    write_to_all(scene, letters, text);
    letters.wait_all_heard(&scene.sim, &scene.receiver, BACK).await;
}

async fn wait_for_dials(scene: &Scene, since: Instant, count: usize) {
    let dialling = async {
        while scene
            .proxy()
            .dials()
            .into_iter()
            .filter(|at| *at >= since)
            .count()
            < count
        {
            tokio::time::sleep(LOOK).await;
        }
    };
    let dialled = tokio::time::timeout(BACK, dialling).await;
    assert!(dialled.is_ok(), "not every session dialled again within {BACK:?}");
}
