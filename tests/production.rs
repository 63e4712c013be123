//! The binary that ships, built as it ships: alone, without what the simulator needs.

use std::process::Command;

use wagate_tests::production::build_server;

#[test]
fn the_shipped_server_verifies_whatsapp_and_checks_its_settings() {
    // A copy: other builds write to the same place.
    let folder = tempfile::tempdir().unwrap();
    let wagate = folder.path().join("wagate");
    std::fs::copy(build_server(), &wagate).unwrap();
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

/// A lost master key is told, and nothing new takes its place; a new one is made only on request.
#[test]
fn the_master_key_is_kept_and_changed() {
    let folder = tempfile::tempdir().unwrap();
    let wagate = folder.path().join("wagate");
    std::fs::copy(build_server(), &wagate).unwrap();
    let data = folder.path().join("data");
    let run = |args: &[&str]| {
        let output = Command::new(&wagate)
            .args(args)
            .current_dir(folder.path())
            .env_clear()
            .env("WAGATE_DATA_DIR", &data)
            .output()
            .unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (output.status.success(), text(output.stdout), text(output.stderr))
    };
    let file = data.join("master.key");
    let read = || std::fs::read_to_string(&file).unwrap();

    let (made, _, complained) = run(&["migrate"]);
    assert!(made, "{complained}");
    let first = read();
    let (rotated, said, complained) = run(&["keys", "rotate"]);
    assert!(rotated && said.contains("sealed anew"), "{said}{complained}");
    let second = read();
    assert_ne!(first, second);
    assert_eq!(second.lines().filter(|line| !line.starts_with('#')).count(), 1);

    std::fs::remove_file(&file).unwrap();
    let (opened, _, complained) = run(&["migrate"]);
    assert!(
        !opened && complained.contains("WAGATE_MASTER_KEY"),
        "{complained}"
    );
    assert!(!file.exists(), "a key that opens nothing");
    std::fs::write(&file, &first).unwrap();
    assert!(!run(&["migrate"]).0, "a key that was changed opens nothing");
    std::fs::write(&file, &second).unwrap();
    let (opened, _, complained) = run(&["migrate"]);
    assert!(opened, "{complained}");
}
