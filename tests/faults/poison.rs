//! One event that its receiver will never take blocks nobody else's.

use std::time::{Duration, Instant};

use wagate_tests::Answer;

use crate::chance::quick_or_long;
use crate::database::Database;
use crate::figures::seen;
use crate::ledgers::Letters;
use crate::scene::{Plan, WRITERS};

on_each_database!(a_poison_event_blocks_no_other);

/// Longest time for what is not poison.
const IN_TIME: Duration = Duration::from_secs(15);
/// A megabyte is far more than WhatsApp lets people write.
const HUGE: usize = 1 << 20;

/// NUL, lone joiners, right-to-left overrides, noncharacters, and a great deal of it.
fn poison() -> String {
    let odd = "\0\u{202e}\u{200d}\u{feff}\u{fffe}\u{10ffff}\u{1f9d1}\u{200d}\u{1f680}\u{0301}\"\\\u{7f}";
    odd.repeat(HUGE / odd.len())
}

async fn a_poison_event_blocks_no_other(database: Database) {
    let messages = quick_or_long(300, 10_000);
    let scene = Plan::new(database).devices(2).start().await;
    scene.receiver.answer_by(|received| {
        let is_poison = received.raw.len() > HUGE;
        Answer::Status(if is_poison { 400 } else { 204 })
    });
    let (poisoned, text) = (&scene.numbers[0].phone, poison());
    let id = scene.sim.world.send_text(WRITERS[0], poisoned, &text).unwrap();

    // It is offered whole, and refused, before anything else comes.
    let offered = scene
        .receiver
        .wait_for("the poison", |body| body["id"] == id.as_str())
        .await;
    assert!(
        offered.body["text"] == text.as_str(),
        "the poison was changed on its way"
    );

    // The same device hears of other chats, and so does another device.
    let mut letters = Letters::default();
    for n in 0..messages {
        let to = &scene.numbers[n % 2].phone;
        let from = WRITERS[1 + n % (WRITERS.len() - 1)];
        letters.write(&scene.sim, from, to, &format!("harmless {n}"));
    }
    let begun = Instant::now();
    letters.wait_all_heard(&scene.sim, &scene.receiver, IN_TIME).await;
    let took = begun.elapsed();
    seen(
        database,
        format_args!("a poison event: {messages} others within {took:.1?}"),
    );
    letters.compare(&scene.receiver).assert_faithful(0);
    scene.finish().await;
}
