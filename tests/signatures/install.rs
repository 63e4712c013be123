//! Scripts with the libraries that their lock files name, from the registries, in cargo's folder for
//! such things: never in the checkout.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use sha2::{Digest, Sha256};

/// A copy of the folder with what its `package-lock.json` names.
pub fn npm(source: &Path) -> PathBuf {
    copy_once(source, |copy| {
        let arguments = ["ci", "--no-audit", "--no-fund", "--loglevel=error"];
        run(Command::new("npm").args(arguments).current_dir(copy));
    })
}

/// A copy of the folder with what its `requirements.txt` names beside it: Python finds what lies
/// beside a script.
pub fn pip(source: &Path) -> PathBuf {
    copy_once(source, |copy| {
        let arguments = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
        let from = ["--require-hashes", "--target", ".", "-r", "requirements.txt"];
        run(Command::new("python3")
            .args(arguments)
            .args(from)
            .current_dir(copy));
    })
}

/// Each content of the folder is installed once; another run finds it.
fn copy_once(source: &Path, install: impl FnOnce(&Path)) -> PathBuf {
    let files = files(source);
    let shelf = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let place = shelf.join(format!("scripts-{}", digest(&files)));
    if place.exists() {
        return place;
    }
    let fresh = tempfile::tempdir_in(shelf).unwrap();
    for (name, content) in files {
        fs::write(fresh.path().join(name), content).unwrap();
    }
    install(fresh.path());
    // Another test may have been faster; its copy is as good.
    let moved = fs::rename(fresh.path(), &place);
    assert!(moved.is_ok() || place.exists(), "{moved:?}");
    place
}

/// Names and contents of what lies in the folder itself. What a person installed there is not copied.
fn files(source: &Path) -> Vec<(String, Vec<u8>)> {
    let entries = fs::read_dir(source).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = entries
        .filter(|path| path.is_file())
        .map(|path| {
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            (name, fs::read(path).unwrap())
        })
        .collect();
    files.sort();
    files
}

fn digest(files: &[(String, Vec<u8>)]) -> String {
    let mut digest = Sha256::new();
    for (name, content) in files {
        for part in [name.as_bytes(), content] {
            digest.update((part.len() as u64).to_be_bytes());
            digest.update(part);
        }
    }
    hex::encode(digest.finalize())
}

fn run(command: &mut Command) {
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {said}");
}
