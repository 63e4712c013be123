//! A receiver that is away for a while gets everything once it is back, each chat in order.

use std::time::{Duration, Instant};

use wagate_tests::Received;

use crate::chance::quick_or_long;
use crate::database::Database;
use crate::figures::seen;
use crate::ledgers::{Letters, message_id};
use crate::scene::{PATIENCE, Plan, WRITERS};

on_each_database!(everything_arrives_once_the_receiver_is_back);

/// Longer than the first retry waits.
const AWAY: Duration = Duration::from_secs(10);
/// Longest time from the return to the first delivery.
const FIRST: Duration = Duration::from_secs(6);
/// Longest time from the return to the last delivery.
const LAST: Duration = Duration::from_mins(1);

async fn everything_arrives_once_the_receiver_is_back(database: Database) {
    let messages = quick_or_long(500, 50_000);
    // An hour in seconds: the first waits again and again, instead of minutes and hours.
    let scene = Plan::new(database)
        .devices(5)
        .env("WAGATE_WEBHOOKS__RETRIES", "5s,5s,5s,5s,5s,5s")
        .start()
        .await;
    let mut letters = Letters::default();
    scene.receiver.stop().await;
    let went = Instant::now();
    for n in 0..messages {
        let to = &scene.numbers[n % scene.numbers.len()].phone;
        let from = WRITERS[(n / scene.numbers.len()) % WRITERS.len()];
        letters.write(&scene.sim, from, to, &format!("message {n}"));
    }
    scene
        .wait_acknowledged(&letters.ids(), PATIENCE.max(AWAY * 6))
        .await;
    tokio::time::sleep(AWAY.saturating_sub(went.elapsed())).await;

    let back = Instant::now();
    scene.receiver.resume().await;
    letters.wait_all_heard(&scene.sim, &scene.receiver, LAST).await;
    let caught_up = back.elapsed();
    letters.compare(&scene.receiver).assert_faithful(0);
    let first = scene.receiver.look(|got| first_after(got, back));
    assert!(
        first <= FIRST,
        "the first delivery came {first:?} after the return"
    );
    seen(
        database,
        format_args!(
            "receiver away: of {messages} messages the first came {first:.1?} after its return, the last {caught_up:.1?}"
        ),
    );
    scene.finish().await;
}

fn first_after(got: &[Received], back: Instant) -> Duration {
    let messages = got.iter().filter(|received| message_id(received).is_some());
    let first = messages.map(|received| received.at).find(|at| *at >= back);
    first.expect("something arrived").duration_since(back)
}
