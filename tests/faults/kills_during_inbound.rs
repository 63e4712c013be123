//! Killing the gateway while messages come in loses none of them: what was acknowledged to WhatsApp is stored, and what
//! was not comes again.

use std::time::Duration;

use wagate_tests::Simulator;

use crate::chance::quick_or_long;
use crate::database::Database;
use crate::ledgers::Letters;
use crate::scene::{Number, Plan, Scene, WRITERS};

on_each_database!(
    no_message_is_lost_when_the_gateway_is_killed,
    no_message_is_lost_when_it_is_killed_while_it_catches_up,
);

/// Messages between two kills.
const ROUND: usize = 100;
/// Deliveries that may be repeated after one kill, when a busy machine is slow to settle them: 300 ms of them. On an idle
/// one it is one or two.
const MOST_PER_KILL: usize = 30;
/// Deliveries that the gateway makes at the same time, all endpoints together, and so the most that one kill can cut short
/// (`webhooks.concurrency`).
const MOST_UNDER_WAY: usize = 256;
/// Between two messages.
const PACE: Duration = Duration::from_millis(10);
/// A gateway that catches up is killed so long after it was started, or earlier.
const CATCHING_UP: Duration = Duration::from_millis(500);
/// A delivery that was under way at a kill is made again when its lease has run out, a minute later.
const LAST_ARRIVAL: Duration = Duration::from_secs(90);

async fn no_message_is_lost_when_the_gateway_is_killed(database: Database) {
    let (kills, devices) = quick_or_long((10, 10), (100, 50));
    let mut scene = Plan::new(database).devices(devices).start().await;
    let mut letters = Letters::default();
    for round in 0..kills {
        one_round(&mut scene, &mut letters, round).await;
        letters
            .wait_all_heard(&scene.sim, &scene.receiver, LAST_ARRIVAL)
            .await;
    }
    // One in a hundred over a long run. A short one has as many kills for fewer messages, and what is under way
    // at each of them is repeated.
    let most_repeated = quick_or_long(kills * MOST_PER_KILL, letters.written.len() / 100);
    let compared = letters.compare(&scene.receiver);
    compared.tell(database, &format!("{kills} kills"), letters.written.len());
    compared.assert_faithful(most_repeated);
    assert_eq!(scene.sim.undecryptable(), [], "messages could not be decrypted");
    scene.finish().await;
}

/// Messages at a steady pace, with a kill after a random one of them.
async fn one_round(scene: &mut Scene, letters: &mut Letters, round: usize) {
    let struck = scene.chance.index(ROUND);
    let moment = scene.chance.part_of(PACE);
    let Scene {
        gateway,
        sim,
        numbers,
        ..
    } = scene;
    let (strike, stricken) = tokio::sync::oneshot::channel();
    let mut strike = Some(strike);
    let writing = async {
        let mut pace = tokio::time::interval(PACE);
        for n in 0..ROUND {
            pace.tick().await;
            let (to, from) = addressed(numbers, n);
            letters.write(sim, from, to, &format!("round {round}, message {n}"));
            if n == struck {
                let _ = strike.take().unwrap().send(());
            }
        }
    };
    let killing = async {
        stricken.await.unwrap();
        tokio::time::sleep(moment).await;
        gateway.kill().await;
        gateway.start().await;
    };
    tokio::join!(writing, killing);
}

/// Much has waited, and is told in a burst: the worst moment to die, again and again.
async fn no_message_is_lost_when_it_is_killed_while_it_catches_up(database: Database) {
    let kills = quick_or_long(3, 30);
    let mut scene = Plan::new(database).devices(10).start().await;
    let mut letters = Letters::default();
    for round in 0..kills {
        let moment = scene.chance.part_of(CATCHING_UP);
        let Scene {
            gateway,
            sim,
            numbers,
            ..
        } = &mut scene;
        gateway.kill().await;
        write_some(sim, numbers, &mut letters, round);
        gateway.start().await;
        tokio::time::sleep(moment).await;
    }
    letters
        .wait_all_heard(&scene.sim, &scene.receiver, LAST_ARRIVAL)
        .await;
    let compared = letters.compare(&scene.receiver);
    compared.tell(
        database,
        &format!("{kills} kills while catching up"),
        letters.written.len(),
    );
    compared.assert_faithful(kills * MOST_UNDER_WAY);
    assert_eq!(scene.sim.undecryptable(), [], "messages could not be decrypted");
    scene.finish().await;
}

/// As many messages as a round has, all at once.
fn write_some(sim: &Simulator, numbers: &[Number], letters: &mut Letters, round: usize) {
    for n in 0..ROUND {
        let (to, from) = addressed(numbers, n);
        letters.write(sim, from, to, &format!("burst {round}, message {n}"));
    }
}

/// Who gets a message of a round, and who writes it.
fn addressed(numbers: &[Number], n: usize) -> (&str, &'static str) {
    let to = &numbers[n % numbers.len()].phone;
    (to, WRITERS[(n / numbers.len()) % WRITERS.len()])
}
