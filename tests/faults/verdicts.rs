//! What WhatsApp says about a session reaches its state once, with one event; what only asks to come again does not.

use std::time::Duration;

use wa_sim::fault::{FaultKind, FaultSpec};
use wa_sim::ledger::{Direction, Line};
use wagate_tests::Received;

use crate::chance::quick_or_long;
use crate::database::Database;
use crate::ledgers::Letters;
use crate::scene::{Number, PATIENCE, Plan, Scene, WRITERS};

on_each_database!(
    every_verdict_is_told_once_and_nothing_loops,
    a_login_refused_for_now_is_tried_again,
);

/// A client that was told to slow down takes longer to come back.
const COMES_BACK: Duration = Duration::from_secs(40);

/// How WhatsApp says it.
#[derive(Debug, Clone, Copy)]
enum Word {
    /// `<stream:error code>` on the running connection.
    Stream(u32),
    /// `<stream:error><conflict type>`.
    Conflict(&'static str),
    /// `<failure reason>` at the next login.
    Login(u32),
    /// A temporary ban.
    Ban,
}

/// What ends a session, and the state it ends in.
const VERDICTS: &[(Word, &str)] = &[
    (Word::Stream(401), "logged_out"),
    (Word::Stream(409), "replaced"),
    (Word::Conflict("replaced"), "replaced"),
    (Word::Conflict("device_removed"), "logged_out"),
    (Word::Login(401), "logged_out"),
    (Word::Login(403), "logged_out"),
    (Word::Login(406), "logged_out"),
    (Word::Login(405), "outdated"),
    (Word::Login(418), "rejected"),
    (Word::Ban, "banned"),
];

/// What a session gets over by itself.
const HICCUPS: &[Word] = &[Word::Stream(503), Word::Stream(515), Word::Stream(429)];

/// The same, said at a login: WhatsApp itself is in trouble.
const REFUSED_FOR_NOW: &[Word] = &[Word::Login(500), Word::Login(503)];

async fn every_verdict_is_told_once_and_nothing_loops(database: Database) {
    let rounds = quick_or_long(1, 20);
    let scene = Plan::new(database)
        .devices(VERDICTS.len() + HICCUPS.len())
        .start()
        .await;
    for round in 0..rounds {
        one_round(&scene).await;
        if round + 1 < rounds {
            bring_back(&scene).await;
        }
    }
    scene.finish().await;
}

async fn a_login_refused_for_now_is_tried_again(database: Database) {
    let scene = Plan::new(database).devices(REFUSED_FOR_NOW.len()).start().await;
    let before = scene.sim.ledger.last_seq();
    for (number, word) in scene.numbers.iter().zip(REFUSED_FOR_NOW) {
        say(&scene, number, *word, Some(1));
    }
    for (number, word) in scene.numbers.iter().zip(REFUSED_FOR_NOW) {
        let back = |line: &Line| line.entry.tag == "success" && line.entry.device == number.jid;
        let back = scene.sim.ledger.wait_for_after(before, back, COMES_BACK).await;
        assert!(
            back.is_some(),
            "{word:?}: it did not log in again within {COMES_BACK:?}"
        );
        scene.wait_for_state(&number.token, "connected", PATIENCE).await;
        let told = scene.receiver.look(|got| verdicts(got, &number.token).len());
        assert_eq!(told, 0, "{word:?} is no verdict");
    }
    assert_eq!(failures_since(&scene, before), REFUSED_FOR_NOW.len());
    scene.finish().await;
}

async fn one_round(scene: &Scene) {
    let before = (scene.sim.ledger.last_seq(), scene.receiver.look(<[_]>::len));
    let (ended, shaken) = scene.numbers.split_at(VERDICTS.len());
    for (number, (word, _)) in ended.iter().zip(VERDICTS) {
        say(scene, number, *word, None);
    }
    for (number, word) in shaken.iter().zip(HICCUPS) {
        say(scene, number, *word, Some(1));
    }
    for (number, (word, state)) in ended.iter().zip(VERDICTS) {
        let status = scene.wait_for_state(&number.token, state, PATIENCE).await;
        assert_eq!(status["connected"], false, "{word:?}");
    }
    // Those that come back take their time, which those that ended could use to loop.
    for number in shaken {
        scene.wait_for_state(&number.token, "connected", COMES_BACK).await;
    }
    let mut letters = Letters::default();
    for number in shaken {
        letters.write(&scene.sim, WRITERS[0], &number.phone, "still there?");
    }
    letters
        .wait_all_heard(&scene.sim, &scene.receiver, PATIENCE)
        .await;

    let got = scene.receiver.look(|got| got[before.1..].to_vec());
    for (number, (word, state)) in ended.iter().zip(VERDICTS) {
        assert_eq!(
            verdicts(&got, &number.token),
            [*state],
            "{word:?} to {}",
            number.token
        );
        assert_eq!(
            logins_since(scene, before.0, number),
            0,
            "{word:?}: it logged in again"
        );
    }
    for (number, word) in shaken.iter().zip(HICCUPS) {
        assert_eq!(verdicts(&got, &number.token), [""; 0], "{word:?} is no verdict");
    }
    let refusals = |word: &Word| matches!(word, Word::Login(_) | Word::Ban);
    let expected = VERDICTS
        .iter()
        .map(|(word, _)| word)
        .chain(HICCUPS)
        .filter(|word| refusals(word))
        .count();
    assert_eq!(
        failures_since(scene, before.0),
        expected,
        "logins were refused more often than verdicts spoken"
    );
    scene.sim.faults.clear();
}

/// Ends a session, or shakes it, `count` times.
fn say(scene: &Scene, number: &Number, word: Word, count: Option<u64>) {
    let fault = |kind, count| FaultSpec {
        phone: Some(number.phone.clone()),
        count,
        ..FaultSpec::new(kind)
    };
    let faults = &scene.sim.faults;
    match word {
        Word::Stream(code) => faults.add(FaultSpec {
            code: Some(code),
            ..fault(FaultKind::StreamError, Some(1))
        }),
        Word::Conflict(kind) => faults.add(FaultSpec {
            code: Some(409),
            conflict: Some(kind.to_owned()),
            ..fault(FaultKind::StreamError, Some(1))
        }),
        Word::Login(code) => {
            // In force before the connection is cut, and for as long as somebody may try.
            faults.add(FaultSpec {
                code: Some(code),
                ..fault(FaultKind::Refuse, count)
            });
            faults.add(fault(FaultKind::Drop, Some(1)))
        }
        Word::Ban => faults.add(fault(FaultKind::Ban, None)),
    };
}

/// The verdicts among the events of a device.
fn verdicts<'a>(got: &'a [Received], token: &str) -> Vec<&'a str> {
    let own = got.iter().filter(|one| one.body["token"] == token);
    let told = own.filter(|one| matches!(one.body["event"].as_str(), Some("logged_out" | "disconnected")));
    told.filter_map(|one| one.body["reason"].as_str())
        .filter(|reason| *reason != "connection_lost")
        .collect()
}

fn logins_since(scene: &Scene, seq: u64, number: &Number) -> usize {
    let lines = scene.sim.ledger.after(seq, usize::MAX);
    lines
        .iter()
        .filter(|line| line.entry.tag == "success" && line.entry.device == number.jid)
        .count()
}

fn failures_since(scene: &Scene, seq: u64) -> usize {
    let lines = scene.sim.ledger.after(seq, usize::MAX);
    lines
        .iter()
        .filter(|line| line.entry.tag == "failure" && line.entry.direction == Direction::ToClient)
        .count()
}

/// Connects the sessions that ended, linking anew those whose link is gone.
async fn bring_back(scene: &Scene) {
    for (number, (_, state)) in scene.numbers.iter().zip(VERDICTS) {
        if *state == "logged_out" {
            for device in scene.sim.world.phone(&number.phone).unwrap().devices {
                scene.sim.world.unlink(&number.phone, &device).unwrap();
            }
            scene.link(number).await;
        } else {
            let body = serde_json::json!({ "token": number.token });
            scene.gateway.api().post("/api/start", body).await.ok();
            scene.wait_for_state(&number.token, "connected", PATIENCE).await;
        }
    }
}
