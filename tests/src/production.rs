//! The binary that ships, built as it ships: alone, without what the simulator needs.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// Builds the server by itself, so that cargo unifies nobody's features into it, and says where it is. Copy it before
/// use: other builds write to the same place.
pub fn build_server() -> PathBuf {
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
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{complaint}");
    String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter_map(|message| message["executable"].as_str().map(PathBuf::from))
        .find(|path| path.file_name().is_some_and(|name| name == "wagate"))
        .unwrap()
}
