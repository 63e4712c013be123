//! The rules of the house that a compiler does not check.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on must stop here")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// The one-way street: who may name whom, outside of tests.
const EDGES: &[(&str, &[&str])] = &[
    ("wagate-domain", &[]),
    ("wagate-driver", &["wagate-domain"]),
    ("wagate-store", &["wagate-domain"]),
    ("wagate-webhooks", &["wagate-domain"]),
    ("wagate-outbound", &["wagate-domain"]),
    ("wagate-api", &["wagate-domain"]),
    ("wagate-dashboard", &[]),
    ("wagate-sim", &[]),
    (
        "wagate",
        &[
            "wagate-api",
            "wagate-dashboard",
            "wagate-domain",
            "wagate-driver",
            "wagate-outbound",
            "wagate-store",
            "wagate-webhooks",
        ],
    ),
    (
        "wagate-sandbox",
        &["wagate", "wagate-domain", "wagate-driver", "wagate-sim"],
    ),
];

/// Libraries that one crate alone may name, outside of tests.
const OWNED: &[(&str, &str)] = &[
    ("diesel", "wagate-store"),
    ("rust-embed", "wagate-dashboard"),
    ("utoipa-swagger-ui", "wagate-dashboard"),
    ("libsqlite3-sys", "wagate-store"),
    ("whatsapp-rust", "wagate-driver"),
    ("wacore", "wagate-sim"),
    ("waproto", "wagate-sim"),
    ("wacore-binary", "wagate-sim"),
    ("wacore-libsignal", "wagate-sim"),
    ("wacore-noise", "wagate-sim"),
    ("wacore-appstate", "wagate-sim"),
];

/// `anyhow` says "somebody else will show this to a person": fine at the edge, not in a library.
const ANYHOW: &[&str] = &["wagate", "wagate-sandbox", "wagate-tests", "wagate-sim"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// What cargo says of the workspace, without its dependencies.
fn metadata() -> Value {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--offline", "--no-deps", "--format-version", "1"])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Each of our packages with the packages it names outside of tests.
fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let metadata = metadata();
    let ours = metadata["packages"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|package| package["name"] != "wagate-tests");
    ours.map(|package| {
        let named = package["dependencies"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|named| named["kind"] != "dev");
        (
            text(&package["name"]),
            named.map(|dependency| text(&dependency["name"])).collect(),
        )
    })
    .collect()
}

#[test]
fn dependencies_go_one_way() {
    let allowed: BTreeMap<_, _> = EDGES.iter().copied().collect();
    for (package, named) in dependencies() {
        let allowed = allowed
            .get(package.as_str())
            .unwrap_or_else(|| panic!("{package} is missing in EDGES"));
        for name in named.iter().filter(|name| name.starts_with("wagate")) {
            assert!(
                allowed.contains(&name.as_str()),
                "{package} must not depend on {name}"
            );
        }
    }
}

#[test]
fn libraries_stay_with_their_owner() {
    for (package, named) in dependencies() {
        for (library, owner) in OWNED {
            assert!(
                package == *owner || !named.contains(*library),
                "only {owner} may name {library}, not {package}"
            );
        }
        assert!(
            ANYHOW.contains(&package.as_str()) || !named.contains("anyhow"),
            "{package} must not use anyhow"
        );
    }
}

#[test]
fn architecture_lists_every_crate() {
    let text = std::fs::read_to_string(root().join("docs/ARCHITECTURE.md")).unwrap();
    for package in dependencies().keys() {
        assert!(
            text.contains(&format!("`{package}`")),
            "docs/ARCHITECTURE.md does not name {package}"
        );
    }
}

#[test]
fn the_server_verifies_whatsapp() {
    let tree = Command::new(env!("CARGO"))
        .args([
            "tree",
            "--offline",
            "--package",
            "wagate",
            "--edges",
            "normal,build,features",
            "--prefix",
            "none",
        ])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(tree.status.success(), "{}", String::from_utf8_lossy(&tree.stderr));
    let tree = String::from_utf8(tree.stdout).unwrap();
    assert!(
        tree.contains("wacore-noise"),
        "the tree does not show the crate that verifies"
    );
    for feature in [
        "danger",
        "wagate-sim",
        "\"sim\"",
        "debug-snapshots",
        "tracing-pii",
    ] {
        assert!(
            !tree.contains(feature),
            "the production server is built with {feature}"
        );
    }
}

#[test]
fn default_members_are_the_server_alone() {
    let metadata = metadata();
    let packages = metadata["packages"].as_array().unwrap();
    let names: Vec<_> = metadata["workspace_default_members"]
        .as_array()
        .unwrap()
        .iter()
        .map(|id| {
            packages.iter().find(|package| package["id"] == *id).unwrap()["name"]
                .as_str()
                .unwrap()
        })
        .collect();
    assert_eq!(names, ["wagate"]);
}

/// Every tracked text file outside of lock files.
fn sources() -> Vec<(PathBuf, String)> {
    let listed = Command::new("git")
        .args(["ls-files", "--cached"])
        .current_dir(root())
        .output()
        .unwrap();
    let listed = String::from_utf8(listed.stdout).unwrap();
    let paths = listed
        .lines()
        .filter(|path| !path.ends_with("Cargo.lock") && !path.ends_with("package-lock.json"));
    paths
        .filter_map(|path| {
            Some((
                PathBuf::from(path),
                std::fs::read_to_string(root().join(path)).ok()?,
            ))
        })
        .collect()
}

#[test]
fn documents_link_to_files_that_exist() {
    for (path, text) in sources() {
        if path.extension().is_none_or(|extension| extension != "md") {
            continue;
        }
        for target in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let file = target.split('#').next().unwrap_or_default();
            if file.is_empty() || file.contains("://") || file.starts_with("mailto:") {
                continue;
            }
            let found = root().join(path.parent().unwrap_or(Path::new(""))).join(file);
            assert!(
                found.exists(),
                "{} links to {file}, which is not there",
                path.display()
            );
        }
    }
}
