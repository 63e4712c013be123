//! What a store promises beside its ports: durable, private, of one kind, and closed cleanly.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::sync::Arc;

use support::{open, settings, storage};
use wagate_domain::Error;
use wagate_domain::model::{Admin, AdminId, Device, DeviceId, PasswordHash};
use wagate_domain::ports::{IdSource, KeyEntry, KeyKind};
use wagate_domain::testing::{FakeClock, FakeIds};
use wagate_store::{Keyring, Kind, MasterKey, Sealer, Store};

fn new_device(ids: &FakeIds, token: &str) -> Device {
    Device::new(
        DeviceId::new(ids.next()),
        token.parse().unwrap(),
        FakeClock::START,
    )
}

fn entry(key: u8) -> KeyEntry {
    KeyEntry {
        kind: KeyKind::Session,
        key: vec![key].into(),
        value: "v".into(),
        expires_at: None,
    }
}

#[tokio::test]
async fn what_was_written_is_there_after_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let device = new_device(&FakeIds::new(), "one");
    for _ in 0..2 {
        let store = open(&directory);
        assert_eq!(store.devices().create(device.clone()).await.unwrap(), device);
        store.ping().await.unwrap();
        store.close().await;
    }
    let store = open(&directory);
    assert_eq!(store.devices().all().await.unwrap(), [device]);
}

#[cfg(unix)]
#[tokio::test]
async fn nobody_else_can_read_the_files() {
    use std::os::unix::fs::PermissionsExt;

    let directory = tempfile::tempdir().unwrap();
    let store = open(&directory);
    store
        .devices()
        .create(new_device(&FakeIds::new(), "one"))
        .await
        .unwrap();
    let data = directory.path().join("data");
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&data), 0o700);
    let files: Vec<_> = std::fs::read_dir(&data)
        .unwrap()
        .map(|file| file.unwrap().path())
        .collect();
    assert!(files.len() > 1, "the log lies beside the file: {files:?}");
    for file in files {
        assert_eq!(mode(&file), 0o600, "{}", file.display());
    }
}

#[tokio::test]
async fn a_closed_store_is_one_file_and_says_that_it_is_closed() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(&directory);
    let device = store
        .devices()
        .create(new_device(&FakeIds::new(), "one"))
        .await
        .unwrap();
    store.close().await;
    store.close().await;
    let files = std::fs::read_dir(directory.path().join("data")).unwrap().count();
    assert_eq!(files, 1, "no log is left behind");
    let closed = |error: Error| matches!(error, Error::Unavailable { what: "database", .. });
    assert!(closed(store.devices().all().await.unwrap_err()));
    assert!(closed(
        store
            .keys()
            .put_many(device.id, vec![entry(1)])
            .await
            .unwrap_err()
    ));
    assert!(closed(store.ping().await.unwrap_err()));
}

#[tokio::test]
async fn a_data_directory_belongs_to_one_kind_of_whatsapp() {
    let refusal = |error: Error| (error.code(), error.to_string());
    for (first, other, belongs) in [
        (Kind::Simulated, Kind::WhatsApp, "belongs to a simulated WhatsApp"),
        (Kind::WhatsApp, Kind::Simulated, "belongs to the real WhatsApp"),
    ] {
        let directory = tempfile::tempdir().unwrap();
        let store = open(&directory);
        store.stamp(first).await.unwrap();
        store
            .devices()
            .create(new_device(&FakeIds::new(), "one"))
            .await
            .unwrap();
        store.stamp(first).await.unwrap();
        let (code, text) = refusal(store.stamp(other).await.unwrap_err());
        assert!(
            code == "invalid_database" && text.contains(belongs),
            "{code}: {text}"
        );
    }
    let directory = tempfile::tempdir().unwrap();
    let store = open(&directory);
    store
        .devices()
        .create(new_device(&FakeIds::new(), "one"))
        .await
        .unwrap();
    assert!(
        refusal(store.stamp(Kind::WhatsApp).await.unwrap_err())
            .1
            .contains("no mark")
    );
}

#[tokio::test]
async fn the_hash_of_a_password_is_sealed_and_takes_a_new_key() {
    let directory = tempfile::tempdir().unwrap();
    let admin = Admin {
        id: AdminId::new(FakeIds::new().next()),
        name: "siti".parse().unwrap(),
        password: PasswordHash::new("$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA"),
        created_at: FakeClock::START,
    };
    let store = open(&directory);
    assert!(store.admins().create_first(&admin).await.unwrap());
    store.close().await;
    let file = std::fs::read(directory.path().join("data/wagate.db")).unwrap();
    assert!(!file.windows(8).any(|window| window == b"argon2id"));

    let key = |byte| MasterKey::from_bytes([byte; 32]);
    let both = Sealer::new(Keyring::new(key(9), vec![key(7)]));
    let store = Store::open(&settings(&directory), both).unwrap();
    assert_eq!(store.reseal().await.unwrap(), 1);
    assert_eq!(store.reseal().await.unwrap(), 0);
    store.close().await;
    let new = Sealer::new(Keyring::new(key(9), Vec::new()));
    let store = Store::open(&settings(&directory), new).unwrap();
    assert_eq!(store.admins().find(&admin.name).await.unwrap(), Some(admin));
}

#[test]
fn a_file_that_is_no_database_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::create_dir(directory.path().join("data")).unwrap();
    std::fs::write(
        directory.path().join("data/wagate.db"),
        "a letter to my aunt, no database",
    )
    .unwrap();
    assert!(Store::open(&settings(&directory), support::sealer()).is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writes_of_many_sessions_do_not_fail_each_other() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(&directory);
    let ids = FakeIds::new();
    let here = store.devices().create(new_device(&ids, "here")).await.unwrap();
    let gone = new_device(&ids, "gone");
    let keys = storage(&store).keys;
    let writes: Vec<_> = (0..200_u8)
        .map(|number| {
            let keys = Arc::clone(&keys);
            let device = if number % 3 == 0 { gone.id } else { here.id };
            tokio::spawn(async move { (number, keys.put_many(device, vec![entry(number)]).await) })
        })
        .collect();
    for write in writes {
        let (number, result) = write.await.unwrap();
        assert_eq!(result.is_err(), number % 3 == 0, "{number}: {result:?}");
    }
    let stored = keys.scan(here.id, KeyKind::Session, "".into()).await.unwrap();
    assert_eq!(stored.len(), (0..200).filter(|number| number % 3 != 0).count());
}
