use super::*;
use wagate_store::{KeyId, Place, Sealer};

const ROW: Place<'static> = Place {
    table: "keys",
    parts: &[b"dev_1"],
};

fn load(dir: &Path) -> Loaded {
    load_or_create(dir, None).unwrap()
}

fn current(keyring: Keyring) -> KeyId {
    Sealer::new(keyring).current()
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn refusal(dir: &Path) -> String {
    let error = format!("{:#}", load_or_create(dir, None).unwrap_err());
    assert!(!error.contains('\n'), "{error}");
    error
}

#[test]
fn the_first_start_makes_a_private_file_and_the_next_reads_it() {
    let dir = tempfile::tempdir().unwrap();
    let first = load(dir.path());
    assert_eq!(first.source, Source::File { created: true });
    assert_eq!(mode(&path(dir.path())), PRIVATE);
    let text = fs::read_to_string(path(dir.path())).unwrap();
    assert!(text.contains("without it the database is worthless"));

    let second = load(dir.path());
    assert_eq!(second.source, Source::File { created: false });
    assert_eq!(current(second.keyring), current(first.keyring));
    assert_eq!(fs::read_to_string(path(dir.path())).unwrap(), text);
}

#[test]
fn a_configured_key_leaves_no_file() {
    let dir = tempfile::tempdir().unwrap();
    let configured = Keyring::new(MasterKey::from_bytes([1; 32]), Vec::new());
    let loaded = load_or_create(dir.path(), Some(configured)).unwrap();
    assert_eq!(loaded.source, Source::Configured);
    assert_eq!(current(loaded.keyring), MasterKey::from_bytes([1; 32]).id());
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
}

#[test]
fn a_rotated_key_opens_old_rows_until_it_is_forgotten() {
    let dir = tempfile::tempdir().unwrap();
    let sealer = Sealer::new(load(dir.path()).keyring);
    let first = sealer.seal(&ROW, b"secret").unwrap();
    sealer.replace(rotate(dir.path()).unwrap());
    let second = sealer.seal(&ROW, b"secret").unwrap();
    sealer.replace(rotate(dir.path()).unwrap());
    assert!(!sealer.is_current(&first) && !sealer.is_current(&second));

    let restarted = Sealer::new(load(dir.path()).keyring);
    assert_eq!(restarted.current(), sealer.current());
    for stored in [&first, &second] {
        assert_eq!(restarted.unseal(&ROW, stored).unwrap(), b"secret");
    }
    let third = restarted.seal(&ROW, b"secret").unwrap();

    sealer.replace(forget_retired(dir.path()).unwrap());
    for sealer in [sealer, Sealer::new(load(dir.path()).keyring)] {
        assert!(sealer.unseal(&ROW, &first).is_err() && sealer.unseal(&ROW, &second).is_err());
        assert_eq!(sealer.unseal(&ROW, &third).unwrap(), b"secret");
    }
    assert_eq!(mode(&path(dir.path())), PRIVATE);
    assert!(!path(dir.path()).with_extension("key.new").exists());
}

#[test]
fn no_rotation_loses_the_key_of_another() {
    let dir = tempfile::tempdir().unwrap();
    load(dir.path());
    let rotations: Vec<Sealer> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4)
            .map(|_| scope.spawn(|| Sealer::new(rotate(dir.path()).unwrap())))
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let after = Sealer::new(load(dir.path()).keyring);
    for sealer in rotations {
        let stored = sealer.seal(&ROW, b"secret").unwrap();
        assert_eq!(after.unseal(&ROW, &stored).unwrap(), b"secret");
    }
}

#[test]
fn without_a_file_there_is_nothing_to_rotate_or_forget() {
    let dir = tempfile::tempdir().unwrap();
    assert!(rotate(dir.path()).is_err() && forget_retired(dir.path()).is_err());
    assert!(!path(dir.path()).exists());
}

#[test]
fn a_file_written_by_hand_is_read() {
    let dir = tempfile::tempdir().unwrap();
    let (new, old) = ("ab".repeat(32), MasterKey::from_bytes([7; 32]).to_text());
    fs::write(path(dir.path()), format!("# mine\n\n{new}\r\n# before\n{old}")).unwrap();
    let sealer = Sealer::new(load(dir.path()).keyring);
    assert_eq!(sealer.current(), MasterKey::from_bytes([0xab; 32]).id());
    let before = Sealer::new(Keyring::new(MasterKey::from_bytes([7; 32]), Vec::new()));
    let stored = before.seal(&ROW, b"secret").unwrap();
    assert_eq!(sealer.unseal(&ROW, &stored).unwrap(), b"secret");
}

#[test]
fn a_file_that_others_can_read_becomes_private() {
    let dir = tempfile::tempdir().unwrap();
    let before = current(load(dir.path()).keyring);
    fs::set_permissions(path(dir.path()), Permissions::from_mode(0o644)).unwrap();
    assert_eq!(current(load(dir.path()).keyring), before);
    assert_eq!(mode(&path(dir.path())), PRIVATE);
}

#[test]
fn a_file_without_readable_keys_stops_the_start_and_stays() {
    let dir = tempfile::tempdir().unwrap();
    for (text, reason) in [
        ("", "holds no key"),
        ("# a comment alone\n", "holds no key"),
        ("hunter2\n", "is damaged in line 1"),
        ("#\n\nhunter2", "is damaged in line 3"),
    ] {
        fs::write(path(dir.path()), text).unwrap();
        let refusal = refusal(dir.path());
        assert!(
            refusal.contains(reason) && !refusal.contains("hunter2"),
            "{refusal}"
        );
        assert!(rotate(dir.path()).is_err() && forget_retired(dir.path()).is_err());
        assert_eq!(fs::read_to_string(path(dir.path())).unwrap(), text);
    }
    fs::write(path(dir.path()), [0xff, 0xfe]).unwrap();
    assert!(refusal(dir.path()).contains("cannot be read"));
}

#[test]
fn what_a_crash_left_behind_is_in_nobodys_way() {
    let dir = tempfile::tempdir().unwrap();
    let fresh = path(dir.path()).with_extension("key.new");
    fs::write(&fresh, "half a k").unwrap();
    fs::set_permissions(&fresh, Permissions::from_mode(0o644)).unwrap();
    load(dir.path());
    assert!(!fresh.exists());
    assert_eq!(mode(&path(dir.path())), PRIVATE);
}
