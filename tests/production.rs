//! The binary that ships, built as it ships: alone, without what the simulator needs.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on must stop here")]

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// Builds the server by itself, so that cargo unifies nobody's features into it, and says where it is.
fn build() -> PathBuf {
    let output = Command::new(env!("CARGO"))
        .args([
            "build",
            "--package",
            "wagate",
            "--locked",
            "--message-format",
            "json",
        ])
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let lines = String::from_utf8(output.stdout).unwrap();
    let messages = lines
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let executables: Vec<_> = messages
        .filter_map(|message| message["executable"].as_str().map(PathBuf::from))
        .collect();
    executables
        .into_iter()
        .find(|path| path.file_name().is_some_and(|name| name == "wagate"))
        .unwrap()
}

#[test]
fn the_shipped_server_verifies_whatsapp_and_checks_its_settings() {
    // A copy: other builds write to the same place.
    let folder = tempfile::tempdir().unwrap();
    let wagate = folder.path().join("wagate");
    std::fs::copy(build(), &wagate).unwrap();
    let run = |args: &[&str], env: &[(&str, &str)]| {
        let output = Command::new(&wagate)
            .args(args)
            .current_dir(folder.path())
            .env_clear()
            .envs(env.iter().copied())
            .output()
            .unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (output.status.success(), text(output.stdout), text(output.stderr))
    };

    let (healthy, said, complained) = run(&["doctor", "--offline"], &[]);
    assert!(healthy, "{said}{complained}");
    assert!(said.contains("server verification: on"), "{said}");
    assert!(said.contains("database: opens"), "{said}");

    let (right, _, complained) = run(&["config", "check"], &[("WAGATE_BNID", "127.0.0.1:1")]);
    assert!(!right);
    assert_eq!(complained.trim().lines().count(), 1, "{complained}");
    assert!(complained.contains("bnid"), "{complained}");

    let (made, said, _) = run(&["keys", "generate"], &[]);
    assert!(made && said.contains("wagate_"), "{said}");
}
