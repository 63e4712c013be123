//! Endpoints that answer badly, slowly or not at all cost the good ones nothing.

use std::time::{Duration, Instant};

use serde_json::json;
use wagate_tests::{Answer, Receiver};

use crate::chance::quick_or_long;
use crate::database::Database;
use crate::figures::seen;
use crate::ledgers::{Letters, message_id};
use crate::scene::{PATIENCE, Plan, Scene, WRITERS};

on_each_database!(bad_endpoints_do_not_slow_good_ones);

/// Where a redirect would lead.
const TRAP: &str = "/trap";
/// What an endpoint that throttles asks for, in seconds: longer than the first retry waits.
const ASKED: u64 = 8;
/// Between two messages.
const PACE: Duration = Duration::from_millis(20);
/// How much slower the good endpoints may be in bad company, and a slack for a busy machine.
const RATIO: u32 = 3;
const SLACK: Duration = Duration::from_millis(150);

fn bad_answers(trap: &Receiver) -> Vec<Answer> {
    let trap = trap.url().replace("/hook", TRAP);
    vec![
        Answer::Status(500),
        Answer::RetryAfter(429, ASKED),
        Answer::Redirect(trap),
        Answer::Status(410),
        Answer::Hang,
        Answer::Reset,
        Answer::Drip,
    ]
}

async fn bad_endpoints_do_not_slow_good_ones(database: Database) {
    let (good, messages) = quick_or_long((8, 400), (93, 10_000));
    let trap = Receiver::start();
    let answers = bad_answers(&trap);
    let plan = Plan::new(database).devices(good + answers.len());
    let scene = plan.env("WAGATE_WEBHOOKS__TIMEOUT", "3s").start().await;
    let control = lateness(&scene, good, messages).await;

    let bad: Vec<_> = answers.into_iter().map(Bad::start).collect();
    for (endpoint, number) in bad.iter().zip(&scene.numbers[good..]) {
        scene.hook(&number.token, &endpoint.receiver.url()).await;
        for n in 0..5 {
            let text = format!("into the void {n}");
            scene
                .sim
                .world
                .send_text(WRITERS[0], &number.phone, &text)
                .unwrap();
        }
        endpoint.receiver.wait_for_count(1).await;
    }
    let disturbed = lateness(&scene, good, messages).await;
    seen(
        database,
        format_args!("bad endpoints: 99 of 100 within {disturbed:.1?}, without them {control:.1?}"),
    );
    let bound = control * RATIO + SLACK;
    assert!(
        disturbed <= bound,
        "with bad endpoints 99 of 100 took up to {disturbed:?}, without {control:?}"
    );

    for endpoint in &bad {
        endpoint.judge().await;
    }
    assert_eq!(trap.all().len(), 0, "a redirect was followed");
    scene.finish().await;
}

/// How long 99 of 100 messages to the first devices take from the person to the receiver.
async fn lateness(scene: &Scene, devices: usize, messages: usize) -> Duration {
    let mut letters = Letters::default();
    let mut pace = tokio::time::interval(PACE);
    for n in 0..messages {
        pace.tick().await;
        let to = &scene.numbers[n % devices].phone;
        letters.write(&scene.sim, WRITERS[n % WRITERS.len()], to, &format!("tick {n}"));
    }
    letters
        .wait_all_heard(&scene.sim, &scene.receiver, PATIENCE)
        .await;
    let arrived: std::collections::HashMap<String, Instant> = scene.receiver.look(|got| {
        let messages = got.iter().rev();
        messages
            .filter_map(|one| Some((message_id(one)?.to_owned(), one.at)))
            .collect()
    });
    let mut took: Vec<_> = letters
        .written
        .iter()
        .map(|letter| arrived[&letter.id].saturating_duration_since(letter.at))
        .collect();
    took.sort_unstable();
    took[took.len() * 99 / 100]
}

/// An endpoint that always answers the same.
struct Bad {
    answer: Answer,
    receiver: Receiver,
}

impl Bad {
    fn start(answer: Answer) -> Self {
        let receiver = Receiver::start();
        let always = answer.clone();
        receiver.answer_by(move |_| always.clone());
        Self { answer, receiver }
    }

    /// Whether it was treated as its answer says.
    async fn judge(&self) {
        match &self.answer {
            // Nobody will ever listen there: each event gets its one attempt or none.
            Answer::Status(410) => {
                let got = self.receiver.all();
                let repeated = got.iter().enumerate().any(|(place, one)| {
                    got[..place]
                        .iter()
                        .any(|other| other.body["event_id"] == one.body["event_id"])
                });
                assert!(!repeated, "410 was tried again");
            }
            Answer::RetryAfter(..) => {
                let (first, second) = self.two_attempts_at_one().await;
                let waited = second.duration_since(first);
                assert!(
                    waited >= Duration::from_secs(ASKED),
                    "Retry-After: {ASKED}, tried after {waited:?}"
                );
            }
            // The head is an answer; how long the rest takes is the receiver's business.
            Answer::Drip => {
                self.receiver.wait_for_count(5).await;
            }
            _ => {
                self.two_attempts_at_one().await;
            }
        }
    }

    async fn two_attempts_at_one(&self) -> (Instant, Instant) {
        let attempts = |got: &[wagate_tests::Received]| {
            let first = got.first()?;
            let again = |one: &&wagate_tests::Received| one.body["event_id"] == first.body["event_id"];
            let second = got.iter().skip(1).find(again)?;
            assert_eq!(first.raw, second.raw, "a retry has the same body");
            Some((first.at, second.at))
        };
        self.receiver
            .fits_within(PATIENCE, |got| attempts(got).is_some())
            .await;
        let found = self.receiver.look(attempts);
        found.unwrap_or_else(|| panic!("{} was not tried again", json!(format!("{:?}", self.answer))))
    }
}
