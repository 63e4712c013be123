//! Killing the gateway while clients send, each with an `Idempotency-Key` and patience: every message reaches the phone
//! once, and every key has one answer for good.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use tokio::sync::{mpsc, watch};
use wagate_tests::{Client, Reply};

use crate::chance::quick_or_long;
use crate::database::Database;
use crate::figures::seen;
use crate::scene::{Plan, Scene, WRITERS};

on_each_database!(a_send_with_a_key_happens_once_whenever_the_gateway_is_killed);

/// Clients that send side by side.
const CLIENTS: usize = 6;
/// Between two tries of one request.
const AGAIN: Duration = Duration::from_millis(100);
/// A kill strikes this long after a send was answered, or earlier.
const LATEST_STRIKE: Duration = Duration::from_millis(40);
/// Longest time for one send, all its tries together.
const PATIENCE: Duration = Duration::from_mins(2);

/// One send: what, to whom, and the key that makes it one.
#[derive(Debug, Clone)]
struct Send {
    key: String,
    body: Value,
}

async fn a_send_with_a_key_happens_once_whenever_the_gateway_is_killed(database: Database) {
    let (kills, sends) = quick_or_long((10, 300), (100, 10_000));
    let mut scene = Plan::new(database).devices(CLIENTS).start().await;
    let sends: Vec<Send> = (0..sends).map(|n| send(&scene, n)).collect();
    let (answered, mut answers) = mpsc::unbounded_channel();
    let clients: Vec<_> = (0..CLIENTS)
        .map(|client| {
            let mine: Vec<_> = sends.iter().skip(client).step_by(CLIENTS).cloned().collect();
            tokio::spawn(client_sends(scene.gateway.apis(), mine, answered.clone()))
        })
        .collect();
    drop(answered);

    // Kills strike evenly over the whole run.
    let every = sends.len() / (kills + 1);
    let mut finals = Vec::new();
    while let Some(answer) = answers.recv().await {
        finals.push(answer);
        if finals.len() % every == 0 && finals.len() / every <= kills {
            tokio::time::sleep(scene.chance.part_of(LATEST_STRIKE)).await;
            scene.gateway.kill().await;
            scene.gateway.start().await;
        }
    }
    for client in clients {
        client.await.unwrap();
    }
    assert_eq!(finals.len(), sends.len());
    assert_each_arrived_once(&scene, &sends);
    let sent = sends.len();
    seen(
        database,
        format_args!("{kills} kills: of {sent} sends 0 lost, 0 twice at the phone"),
    );
    assert_answers_are_final(&scene, &finals).await;
    scene.finish().await;
}

fn send(scene: &Scene, n: usize) -> Send {
    let from = &scene.numbers[n % scene.numbers.len()].token;
    let to = WRITERS[n % WRITERS.len()];
    Send {
        key: format!("order-{n}"),
        body: json!({ "token": from, "phone": to, "message": format!("order {n}") }),
    }
}

/// Sends one after the other, each until it is answered for good.
async fn client_sends(
    mut apis: watch::Receiver<Option<Client>>,
    sends: Vec<Send>,
    answered: mpsc::UnboundedSender<(Send, Value)>,
) {
    for send in sends {
        let trying = async {
            loop {
                let api = apis.borrow_and_update().clone().unwrap();
                if let Some(answer) = try_send(&api, &send).await {
                    return answer;
                }
                tokio::time::sleep(AGAIN).await;
            }
        };
        let answer = tokio::time::timeout(PATIENCE, trying).await;
        let answer = answer.unwrap_or_else(|_| panic!("{} was never answered for good", send.key));
        answered.send((send, answer)).unwrap();
    }
}

/// The answer, unless it is one that asks to try again.
async fn try_send(api: &Client, send: &Send) -> Option<Value> {
    let key = [("idempotency-key", send.key.as_str())];
    let reply = api
        .try_call(Method::POST, "/api/send", send.body.clone(), &key)
        .await;
    let Reply { status, body, .. } = reply.ok()?;
    match status.as_u16() {
        200 => Some(body),
        409 | 503 | 504 => None,
        _ => panic!("{}: {status} {body}", send.key),
    }
}

/// By text and by message id: a phone shows a message once that came twice under one id.
fn assert_each_arrived_once(scene: &Scene, sends: &[Send]) {
    let inboxes = WRITERS
        .iter()
        .map(|writer| scene.sim.world.messages(writer).unwrap());
    let mut texts: Vec<_> = inboxes.flatten().filter_map(|message| message.text).collect();
    let mut wanted: Vec<_> = sends
        .iter()
        .map(|send| send.body["message"].as_str().unwrap().to_owned())
        .collect();
    texts.sort_unstable();
    wanted.sort_unstable();
    let twice: Vec<_> = texts.windows(2).filter(|pair| pair[0] == pair[1]).collect();
    let lost: Vec<_> = wanted
        .iter()
        .filter(|text| texts.binary_search(text).is_err())
        .collect();
    assert!(
        twice.is_empty() && lost.is_empty(),
        "twice: {twice:?}, lost: {lost:?}"
    );
    assert_eq!(texts.len(), wanted.len(), "something else arrived as well");
}

/// The same key again gives the same answer.
async fn assert_answers_are_final(scene: &Scene, finals: &[(Send, Value)]) {
    let api = scene.gateway.api();
    for (send, answer) in finals {
        assert_eq!(answer["status"], true, "{}: {answer}", send.key);
        assert_eq!(try_send(&api, send).await.as_ref(), Some(answer), "{}", send.key);
    }
}
