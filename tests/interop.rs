//! An independent client against the simulator and the gateway: Baileys, from npm, in tests/interop. A simulator that only
//! ever met one client would encode that client's bugs.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on must stop here")]

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;
use wagate_tests::Sandbox;
use wagate_tests::client::API_KEY;

/// Longest run of the whole script, installing apart.
const PATIENCE: Duration = Duration::from_mins(3);

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("interop")
}

/// Installs what the lock file says, unless that was done before.
async fn install() {
    let (lock, done) = (
        folder().join("package-lock.json"),
        folder().join("node_modules/.package-lock.json"),
    );
    let modified = |path: &Path| std::fs::metadata(path).and_then(|meta| meta.modified()).ok();
    if modified(&done) >= modified(&lock) {
        return;
    }
    let status = Command::new("npm")
        .args(["ci", "--no-audit", "--no-fund", "--loglevel=error"])
        .current_dir(folder())
        .stdout(Stdio::null())
        .status()
        .await
        .unwrap();
    assert!(status.success(), "npm ci failed in tests/interop");
}

#[tokio::test(flavor = "multi_thread")]
async fn baileys_exchanges_text_and_a_picture_with_a_gateway_device() {
    install().await;
    let sandbox = Sandbox::start(&[]).await;
    let script = Command::new("node")
        .args(["--test", "baileys.mjs"])
        .current_dir(folder())
        .env("SIM_HTTP", sandbox.sim_url())
        .env("GATEWAY_URL", sandbox.api.base())
        .env("API_KEY", API_KEY)
        .env("NODE_TLS_REJECT_UNAUTHORIZED", "0")
        .kill_on_drop(true)
        .output();
    let output = tokio::time::timeout(PATIENCE, script).await.unwrap().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{said}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(said.contains("# pass "), "no test ran: {said}");
    sandbox.finish().await;
}
