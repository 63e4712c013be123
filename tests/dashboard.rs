//! The dashboard in a browser: the Playwright specs of tests/dashboard, against a gateway over the simulator.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on must stop here")]

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use futures_util::{StreamExt as _, stream};
use serde_json::json;
use tokio::process::Command;
use wagate_tests::Sandbox;
use wagate_tests::client::API_KEY;
use wagate_tests::process::Program;

/// Longest run of all specs, installing apart. Each has a limit of its own.
const PATIENCE: Duration = Duration::from_mins(15);

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("dashboard")
}

/// Installs what the lock file says, unless that was done before.
async fn install() {
    let modified = |path: &str| std::fs::metadata(folder().join(path)).and_then(|meta| meta.modified());
    let wanted = modified("package-lock.json").unwrap();
    if modified("node_modules/.package-lock.json").is_ok_and(|installed| installed >= wanted) {
        return;
    }
    let status = Command::new("npm")
        .args(["ci", "--no-audit", "--no-fund", "--loglevel=error"])
        .current_dir(folder())
        .stdout(Stdio::null())
        .status()
        .await
        .unwrap();
    assert!(status.success(), "npm ci failed in tests/dashboard");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_screen_does_what_it_promises() {
    install().await;
    // Some specs kill a gateway, or meet one that has no admin: they start their own from this program.
    let program = Program::open(env!("CARGO_BIN_EXE_wagate-under-test"));
    let sandbox = Sandbox::start(&[]).await;
    let specs = Command::new("npx")
        .args(["playwright", "test"])
        .current_dir(folder())
        .env("WAGATE_URL", sandbox.api.base())
        .env("WAGATE_API_KEY", API_KEY)
        .env("WAGATE_SIM_URL", sandbox.sim_url())
        .env("WAGATE_PROGRAM", program.path())
        .env("NO_COLOR", "1")
        .env_remove("WAGATE_UI")
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let output = tokio::time::timeout(PATIENCE, specs).await.unwrap().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let complained = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}\n{complained}");
    assert!(said.contains(" passed"), "no spec ran: {said}");
    sandbox.finish().await;
}

/// How many devices a large installation has, and how long its lists may take.
const DEVICES: usize = 5_000;
const LONGEST_LIST: Duration = Duration::from_millis(100);
const MAKERS: usize = 32;

#[tokio::test(flavor = "multi_thread")]
async fn five_thousand_devices_are_filtered_within_100_ms() {
    let sandbox = Sandbox::start(&[]).await;
    let api = &sandbox.api;
    stream::iter(0..DEVICES)
        .for_each_concurrent(MAKERS, |number| async move {
            let workspace = format!("branch {}", number % 10);
            let body = json!({ "token": format!("till-{number:04}"), "name": format!("Till {number}"), "workspace": workspace });
            assert_eq!(api.post("/v1/devices", body).await.status, 201);
        })
        .await;
    for (query, total) in [
        ("search=till%20123", 11),
        ("workspace=branch%203", DEVICES / 10),
        ("state=stopped", DEVICES),
        ("search=till-0&workspace=branch%205&state=stopped", DEVICES / 50),
        ("search=nobody", 0),
    ] {
        let path = format!("/v1/devices?{query}&limit=50");
        let first = api.get(&path).await.ok();
        assert_eq!(first["total"], total, "{query}");
        // The best of three: others may want the processor, too.
        let mut took = Duration::MAX;
        for _ in 0..3 {
            let start = Instant::now();
            api.get(&path).await.ok();
            took = took.min(start.elapsed());
        }
        assert!(took < LONGEST_LIST, "{query} took {took:?}");
    }
    sandbox.finish().await;
}
