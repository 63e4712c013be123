//! A disk that is full or failing: nothing is acknowledged that is not stored, readiness says so, and after a failed
//! fsync the process does not trust what the kernel says it has written.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::json;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use crate::database::Database;
use crate::figures::seen;
use crate::ledgers::Letters;
use crate::scene::{PATIENCE, Plan, Scene, WRITERS};

/// Size of the small disk: enough to link devices.
const DISK: &str = "size=48m";
/// What people write while the disk is full comes to several times what SQLite's log has room for.
const LETTERS: usize = 300;
const LETTER_BYTES: usize = 10_000;
/// Longest time until readiness tells that nothing can be stored.
const RED: Duration = Duration::from_secs(5);
/// Longest time from a failed fsync to the end of the process.
const EXIT: Duration = Duration::from_secs(10);

/// A file system in memory; needs root. PostgreSQL keeps its files elsewhere.
struct SmallDisk(TempDir);

impl SmallDisk {
    fn mount() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let output = std::process::Command::new("mount")
            .args(["-t", "tmpfs", "-o", DISK, "tmpfs"])
            .arg(folder.path())
            .output()
            .expect("mount (Debian: apt-get install mount)");
        assert!(
            output.status.success(),
            "this story needs root, and a kernel that lets it mount a tmpfs: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        Self(folder)
    }

    fn data(&self) -> PathBuf {
        self.0.path().join("data")
    }

    fn filler(&self) -> PathBuf {
        self.0.path().join("filler")
    }

    /// Leaves no byte free.
    fn fill(&self) {
        let mut filler = std::fs::File::create(self.filler()).unwrap();
        while filler.write_all(&[0; 4096]).is_ok() {}
    }

    fn free(&self) {
        std::fs::remove_file(self.filler()).unwrap();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount")
            .arg("-l")
            .arg(self.0.path())
            .status();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_stops_acknowledging_and_says_so() {
    let disk = SmallDisk::mount();
    let scene = Plan::new(Database::Sqlite)
        .devices(2)
        .data_in(&disk.data())
        .start()
        .await;
    let mut letters = Letters::default();
    write_letters(&scene, &mut letters, 10);
    letters
        .wait_all_heard(&scene.sim, &scene.receiver, PATIENCE)
        .await;

    disk.fill();
    write_letters(&scene, &mut letters, LETTERS);
    let filled = Instant::now();
    let red = scene.gateway.becomes_ready(503, RED).await;
    let told = filled.elapsed();
    seen(
        Database::Sqlite,
        format_args!("a full disk: red within {told:.1?}"),
    );
    // What was answered while nothing could be stored counts as well.
    let send = json!({ "token": scene.numbers[0].token, "phone": WRITERS[0], "message": "order 1" });
    let key = [("idempotency-key", "order-1")];
    let api = scene.gateway.api();
    let while_full = api.call(Method::POST, "/api/send", send.clone(), &key).await;
    disk.free();
    assert!(red, "/readyz was not red within {RED:?} of a full disk");
    assert_eq!(while_full.refused(503), "database_unavailable");

    assert!(
        scene.gateway.becomes_ready(200, PATIENCE).await,
        "/readyz stays red"
    );
    letters
        .wait_all_heard(&scene.sim, &scene.receiver, PATIENCE * 2)
        .await;
    letters.compare(&scene.receiver).assert_faithful(0);
    scene.wait_all_connected(PATIENCE).await;
    api.call(Method::POST, "/api/send", send, &key).await.ok();
    let inbox = scene.sim.world.messages(WRITERS[0]).unwrap();
    let orders = inbox
        .iter()
        .filter(|message| message.text.as_deref() == Some("order 1"));
    assert_eq!(orders.count(), 1);
    scene.finish().await;
}

fn write_letters(scene: &Scene, letters: &mut Letters, count: usize) {
    let filling = "w".repeat(LETTER_BYTES);
    for n in 0..count {
        let to = &scene.numbers[n % scene.numbers.len()].phone;
        letters.write(
            &scene.sim,
            WRITERS[n % WRITERS.len()],
            to,
            &format!("letter {n} {filling}"),
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_fsync_ends_the_process_and_loses_nothing() {
    let mut scene = Plan::new(Database::Sqlite).devices(2).start().await;
    let mut letters = Letters::default();
    write_letters(&scene, &mut letters, 10);
    letters
        .wait_all_heard(&scene.sim, &scene.receiver, PATIENCE)
        .await;

    let _tracer = fail_next_fsync(scene.gateway.id()).await;
    let struck = Instant::now();
    write_letters(&scene, &mut letters, 20);
    let ended = scene.gateway.wait_exit(EXIT).await;
    let took = struck.elapsed();
    seen(
        Database::Sqlite,
        format_args!("a failed fsync: ended within {took:.1?}"),
    );
    if ended.is_none() {
        // The rest of the promise is looked at all the same.
        scene.gateway.kill().await;
    }
    scene.gateway.start().await;
    letters
        .wait_all_heard(&scene.sim, &scene.receiver, PATIENCE * 2)
        .await;
    letters.compare(&scene.receiver).assert_faithful(2);
    assert_eq!(scene.sim.undecryptable(), [], "messages could not be decrypted");
    let ended = ended.unwrap_or_else(|| panic!("the process went on after EIO from fsync, for {took:?}"));
    assert!(!ended.success(), "it ended as if all were well");
    scene.finish().await;
}

/// Lets the next fsync of every thread fail as a broken disk makes it fail; one that follows succeeds, and lies.
async fn fail_next_fsync(process: u32) -> Child {
    let mut tracer = Command::new("strace")
        .args(["-f", "-o", "/dev/null", "-e", "trace=fsync,fdatasync"])
        .args(["-e", "inject=fsync,fdatasync:error=EIO:when=1"])
        .args(["-p", &process.to_string()])
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("strace (Debian: apt-get install strace)");
    let mut said = BufReader::new(tracer.stderr.take().unwrap()).lines();
    let attached = async {
        while let Some(line) = said.next_line().await.unwrap() {
            assert!(
                !line.contains("Operation not permitted"),
                "this story needs ptrace: {line}"
            );
            if line.contains("attached") {
                return;
            }
        }
        panic!("strace ended without a word");
    };
    tokio::time::timeout(PATIENCE, attached)
        .await
        .expect("strace attaches");
    tokio::spawn(async move { while let Ok(Some(_)) = said.next_line().await {} });
    tracer
}

/// A disk that is not unmounted would stay behind.
#[test]
fn a_small_disk_is_small_and_goes_away() {
    let disk = SmallDisk::mount();
    let place = disk.0.path().to_owned();
    disk.fill();
    assert!(std::fs::write(place.join("more"), [0; 8192]).is_err());
    disk.free();
    std::fs::write(place.join("more"), [0; 8192]).unwrap();
    drop(disk);
    assert!(!Path::new(&place).join("more").exists());
}
