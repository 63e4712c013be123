//! What a cluster needs of the machine: PostgreSQL's programs, somebody to run them as, and their processes.

use std::path::PathBuf;
use std::process::Command;

use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, User};

/// Where Debian keeps what does not belong into the path.
const DEBIAN: &str = "/usr/lib/postgresql";

pub(super) fn pid(id: u32) -> Pid {
    Pid::from_raw(id.cast_signed())
}

pub(super) fn signal(id: u32, what: Signal) {
    // A process that has just ended needs no signal.
    let _ = kill(pid(id), what);
}

/// The processes whose parent is this one.
pub(super) fn children(parent: u32) -> Vec<u32> {
    let is_child = |id: u32| {
        let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
        // The name stands in parentheses and may hold anything; then come state and parent.
        let parent_of: u32 = stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()?;
        (parent_of == parent).then_some(id)
    };
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    processes
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter_map(is_child)
        .collect()
}

/// The newest PostgreSQL of Debian's, or the one in the path.
pub(super) fn binaries() -> PathBuf {
    let debian = std::fs::read_dir(DEBIAN).into_iter().flatten().flatten();
    let newest = debian
        .filter_map(|entry| {
            Some((
                entry.file_name().to_str()?.parse::<u32>().ok()?,
                entry.path().join("bin"),
            ))
        })
        .filter(|(_, bin)| bin.join("initdb").exists())
        .max();
    let in_path =
        || std::env::split_paths(&std::env::var_os("PATH")?).find(|folder| folder.join("initdb").exists());
    newest
        .map(|(_, bin)| bin)
        .or_else(in_path)
        .unwrap_or_else(|| panic!("PostgreSQL is not installed (Debian: apt-get install postgresql)"))
}

/// Whom PostgreSQL runs as when the tests run as root.
pub(super) fn unprivileged() -> User {
    ["postgres", "nobody"]
        .iter()
        .find_map(|name| User::from_name(name).ok().flatten())
        .unwrap_or_else(|| panic!("neither postgres nor nobody is a user of this machine"))
}

pub(super) fn run(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).trim_end().to_owned();
    assert!(
        output.status.success(),
        "{command:?}: {said}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    said
}
