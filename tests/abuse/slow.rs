//! Many connections that say almost nothing.

use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::process::Command;
use tokio::task::JoinSet;

use crate::victim::{RSS_GROWTH, Victim, read_status};

/// Between two bytes of a slow request.
const PACE: Duration = Duration::from_secs(1);
/// A head must be there by then; the server's own limit is five seconds.
const PATIENCE: Duration = Duration::from_secs(30);
/// How much slower others may be served, on a machine that also runs the attackers.
const SLOWER: u32 = 10;
/// What a busy machine adds at any time.
const SLACK: Duration = Duration::from_millis(50);

/// As many files as the test and the server need: a shell's usual thousand is too few.
async fn allow_files(process: u32) {
    let id = process.to_string();
    let mut command = Command::new("prlimit");
    let allowed = command.args(["--pid", &id, "--nofile=16384:"]).status();
    assert!(
        allowed.await.unwrap().success(),
        "the limit of open files cannot be raised"
    );
}

/// Says a byte a second of a head that never ends, until the server has enough. Returns its last word.
async fn drip(mut stream: TcpStream) -> u16 {
    let (mut from, mut to) = stream.split();
    let talk = async {
        let mut ticks = tokio::time::interval(PACE);
        loop {
            ticks.tick().await;
            if to.write_all(b"a").await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    };
    tokio::select! {
        status = read_status(&mut from) => status,
        () = talk => 0,
    }
}

async fn slow_connections_are_ended(count: usize) {
    let victim = Victim::start().await;
    allow_files(victim.process.id()).await;
    allow_files(std::process::id()).await;
    let control = victim.p99_of_others().await;
    let (before, _) = victim.memory();
    victim.forget_peak();

    let mut attackers = JoinSet::new();
    for _ in 0..count {
        let mut stream = TcpStream::connect(victim.process.address).await.unwrap();
        stream
            .write_all(b"POST /api/send HTTP/1.1\r\nHost: wagate\r\nx-slow: ")
            .await
            .unwrap();
        attackers.spawn(drip(stream));
    }
    let meanwhile = victim.p99_of_others().await;
    assert!(!attackers.is_empty());
    let ends = tokio::time::timeout(PATIENCE, attackers.join_all())
        .await
        .unwrap();
    let (_, peak) = victim.memory();
    assert!(
        ends.iter().all(|status| *status == 408),
        "{:?}",
        ends.iter().max()
    );
    assert!(
        meanwhile < control * SLOWER + SLACK,
        "{control:?} became {meanwhile:?}"
    );
    assert!(
        peak < before + RSS_GROWTH * (1 + count as u64 / 2_000),
        "{before} grew to {peak}"
    );
    victim.p99_of_others().await;
}

/// A thousand, or five thousand in the long form (`WAGATE_FAULTS=long`).
#[tokio::test(flavor = "multi_thread")]
async fn slow_connections_are_ended_and_nobody_else_waits() {
    let long = std::env::var("WAGATE_FAULTS").is_ok_and(|form| form == "long");
    slow_connections_are_ended(if long { 5_000 } else { 1_000 }).await;
}
