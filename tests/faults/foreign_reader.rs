//! Somebody else reads the database file at leisure while many sessions write: nobody hears of a lock, and the
//! write-ahead log stays small.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection as _;
use diesel::{Connection as _, SqliteConnection};
use futures_util::future::join_all;

use crate::chance::quick_or_long;
use crate::database::{Database, sqlite_file};
use crate::ledgers::Letters;
use crate::scene::{PATIENCE, Plan, Scene, WRITERS};

/// How long a snapshot is held, and how long none is: a log that is always being read cannot start anew, and keeps all
/// that is written meanwhile.
const HELD: Duration = Duration::from_secs(1);
const RELEASED: Duration = Duration::from_millis(200);
/// Between two looks at the log's size.
const LOOK: Duration = Duration::from_millis(50);
/// Largest size of the write-ahead log.
const MOST_WAL: u64 = 64 << 20;
/// What SQLite says when it does not wait.
const LOCKED: &str = "database is locked";

/// Only SQLite has a file to read.
#[tokio::test(flavor = "multi_thread")]
async fn a_foreign_reader_gets_in_nobodys_way() {
    let (devices, rounds) = quick_or_long((20, 40), (500, 200));
    let scene = Plan::new(Database::Sqlite).devices(devices).start().await;
    let reader = Reader::start(&sqlite_file(&scene.data));
    let mut letters = Letters::default();
    for round in 0..rounds {
        for number in &scene.numbers {
            let from = WRITERS[round % WRITERS.len()];
            letters.write(&scene.sim, from, &number.phone, &format!("round {round}"));
        }
        join_all(
            scene
                .numbers
                .iter()
                .map(|number| send(&scene, &number.token, round)),
        )
        .await;
    }
    letters
        .wait_all_heard(&scene.sim, &scene.receiver, PATIENCE * 2)
        .await;
    let seen = reader.stop();
    crate::figures::seen(
        Database::Sqlite,
        format_args!(
            "a foreign reader: {} snapshots held, the write-ahead log grew to {} MiB",
            seen.held,
            seen.largest_wal >> 20
        ),
    );
    letters.compare(&scene.receiver).assert_faithful(0);
    let log = scene.gateway.log();
    let locked: Vec<_> = log.lines().filter(|line| line.contains(LOCKED)).collect();
    assert!(locked.is_empty(), "{locked:#?}");
    assert!(seen.held > 1, "the reader held {} snapshots", seen.held);
    assert!(seen.largest_wal > 0, "there was no write-ahead log");
    assert!(
        seen.largest_wal <= MOST_WAL,
        "the write-ahead log grew to {} bytes",
        seen.largest_wal
    );
    scene.finish().await;
}

async fn send(scene: &Scene, token: &str, round: usize) {
    let text = format!("answer {round}");
    scene.gateway.api().send_text(token, WRITERS[0], &text).await;
}

/// Somebody with a shell on the machine.
struct Reader {
    stop: Arc<AtomicBool>,
    seen: Arc<Mutex<Seen>>,
    thread: JoinHandle<()>,
}

#[derive(Debug, Default, Clone, Copy)]
struct Seen {
    held: u32,
    largest_wal: u64,
}

impl Reader {
    fn start(file: &Path) -> Self {
        let (stop, seen) = (Arc::<AtomicBool>::default(), Arc::<Mutex<Seen>>::default());
        let thread = std::thread::spawn({
            let (file, stop, seen) = (file.to_owned(), stop.clone(), seen.clone());
            move || read(&file, &stop, &seen)
        });
        Self { stop, seen, thread }
    }

    fn stop(self) -> Seen {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().unwrap();
        *self.seen.lock().unwrap()
    }
}

fn read(file: &Path, stop: &AtomicBool, seen: &Mutex<Seen>) {
    let mut connection = SqliteConnection::establish(file.to_str().unwrap()).unwrap();
    let log = file.with_extension("db-wal");
    connection
        .batch_execute("PRAGMA query_only = ON; PRAGMA busy_timeout = 5000")
        .unwrap();
    while !stop.load(Ordering::Relaxed) {
        connection
            .batch_execute("BEGIN; SELECT count(*) FROM sqlite_master")
            .unwrap();
        let began = Instant::now();
        while began.elapsed() < HELD && !stop.load(Ordering::Relaxed) {
            let size = std::fs::metadata(&log).map_or(0, |log| log.len());
            let mut seen = seen.lock().unwrap();
            seen.largest_wal = seen.largest_wal.max(size);
            drop(seen);
            std::thread::sleep(LOOK);
        }
        connection.batch_execute("COMMIT").unwrap();
        seen.lock().unwrap().held += 1;
        std::thread::sleep(RELEASED);
    }
}
