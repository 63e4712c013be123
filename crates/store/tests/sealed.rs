//! What lies in the file: nothing secret in plain, and nothing that opens in another place.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[expect(dead_code, reason = "shared with other tests, which use the rest")]
mod support;

use std::fmt::Write as _;
use std::path::Path;

use diesel::prelude::*;
use diesel::sqlite::SqliteConnection;
use support::{open, settings};
use tempfile::TempDir;
use ulid::Ulid;
use wagate_domain::model::{CustomHeader, Device, DeviceId, SigningSecret, Webhook, WebhookId};
use wagate_domain::ports::{KeyEntry, KeyKind};
use wagate_domain::testing::FakeClock;
use wagate_store::{Keyring, MasterKey, Sealer, Store};

const KINDS: [KeyKind; 6] = [
    KeyKind::Device,
    KeyKind::Identity,
    KeyKind::Session,
    KeyKind::PreKey,
    KeyKind::SignedPreKey,
    KeyKind::SenderKey,
];
const HEADER: &str = "Bearer of-the-receiver-0123456789";

fn device(n: u128) -> Device {
    let id = DeviceId::new(Ulid::from_parts(1, n));
    Device::new(id, format!("device-{n}").parse().unwrap(), FakeClock::START)
}

/// A private key that is found wherever it is written.
fn private_key(kind: KeyKind) -> Vec<u8> {
    (0..32)
        .map(|n| 0x80 ^ (n * 7) ^ (kind as i32).to_le_bytes()[0])
        .collect()
}

fn entry(kind: KeyKind) -> KeyEntry {
    KeyEntry {
        kind,
        key: "key".into(),
        value: private_key(kind).into(),
        expires_at: None,
    }
}

/// A store with a private key of each kind and an endpoint with secrets, for two devices.
async fn filled(directory: &TempDir) -> (Store, Webhook) {
    let store = open(directory);
    for n in [1, 2] {
        store.devices().create(device(n)).await.unwrap();
        let entries = KINDS.map(entry).to_vec();
        store.keys().put_many(device(n).id, entries).await.unwrap();
    }
    let mut webhook = Webhook::seed(
        WebhookId::new(Ulid::from_parts(1, 3)),
        device(1).id,
        "https://receiver.example/hook",
        SigningSecret::from_bytes(&[0xA5; 32]),
        FakeClock::START,
    );
    webhook.headers = vec![CustomHeader::new("authorization", HEADER).unwrap()];
    store.webhooks().create(&webhook).await.unwrap();
    (store, webhook)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _infallible = write!(text, "{byte:02x}");
        text
    })
}

/// Whether any file of the directory holds these bytes.
fn holds(directory: &Path, wanted: &[u8]) -> bool {
    std::fs::read_dir(directory).unwrap().any(|file| {
        let content = std::fs::read(file.unwrap().path()).unwrap();
        content.windows(wanted.len()).any(|window| window == wanted)
    })
}

#[tokio::test]
async fn no_secret_lies_in_the_files_in_plain() {
    let directory = tempfile::tempdir().unwrap();
    let (store, webhook) = filled(&directory).await;
    let data = directory.path().join("data");
    let secret = webhook.secret.reveal().to_owned();
    // While it is open, with the write-ahead log beside it, and after it was closed.
    for closed in [false, true] {
        if closed {
            store.close().await;
        }
        assert!(
            holds(&data, b"https://receiver.example/hook"),
            "what is not secret is found"
        );
        for kind in KINDS {
            let key = private_key(kind);
            assert!(!holds(&data, &key), "{kind:?}");
            assert!(!holds(&data, hex(&key).as_bytes()), "{kind:?}");
            assert!(!holds(&data, &key[..12]), "a part of {kind:?}");
        }
        for text in [&secret, secret.trim_start_matches("whsec_"), HEADER] {
            assert!(!holds(&data, text.as_bytes()), "{text}");
        }
        assert!(!holds(&data, &[0xA5; 32]));
    }
}

fn change(directory: &TempDir, statement: &str) {
    let path = directory.path().join("data/wagate.db");
    let mut c = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
    let changed = diesel::sql_query(statement).execute(&mut c).unwrap();
    assert!(changed > 0, "{statement}");
}

/// Somebody who can write to the database cannot give one device another's keys, nor one key another's value.
#[tokio::test]
async fn a_value_opens_in_its_own_place_alone() {
    let (one, two) = (device(1).id, device(2).id);
    let of_two = format!(
        "(SELECT value FROM keys AS other WHERE other.device_id = '{two}' AND other.kind = keys.kind)"
    );
    let of_sessions =
        format!("(SELECT value FROM keys AS other WHERE other.device_id = '{one}' AND other.kind = 3)");
    for (statement, kind) in [
        (
            format!("UPDATE keys SET value = {of_two} WHERE device_id = '{one}'"),
            KeyKind::Device,
        ),
        (
            format!("UPDATE keys SET value = {of_sessions} WHERE device_id = '{one}' AND kind = 2"),
            KeyKind::Identity,
        ),
        (
            format!("UPDATE keys SET key = CAST('other' AS BLOB) WHERE device_id = '{one}' AND kind = 4"),
            KeyKind::PreKey,
        ),
        (
            format!("UPDATE keys SET value = CAST('plain text' AS BLOB) WHERE device_id = '{one}'"),
            KeyKind::SenderKey,
        ),
    ] {
        let directory = tempfile::tempdir().unwrap();
        let (store, _) = filled(&directory).await;
        store.close().await;
        change(&directory, &statement);
        let store = open(&directory);
        let read = store.keys().scan(one, kind, bytes::Bytes::new()).await;
        assert_eq!(
            read.map_err(|error| error.code()).unwrap_err(),
            "internal",
            "{statement}"
        );
        // The other device's are where they were.
        let read = store.keys().scan(two, kind, bytes::Bytes::new()).await.unwrap();
        assert_eq!(read.len(), 1);
        assert_eq!(&read[0].1[..], &private_key(kind)[..]);
        store.close().await;
    }
}

#[tokio::test]
async fn an_endpoint_keeps_its_own_secret() {
    let directory = tempfile::tempdir().unwrap();
    let (store, webhook) = filled(&directory).await;
    let other = Webhook {
        id: WebhookId::new(Ulid::from_parts(1, 4)),
        ..Webhook::seed(
            webhook.id,
            device(2).id,
            "https://other.example",
            SigningSecret::from_bytes(&[1; 32]),
            FakeClock::START,
        )
    };
    store.webhooks().create(&other).await.unwrap();
    store.close().await;
    change(
        &directory,
        &format!(
            "UPDATE webhooks SET secret = (SELECT secret FROM webhooks AS other WHERE other.id = '{}') WHERE id = '{}'",
            other.id, webhook.id
        ),
    );
    let store = open(&directory);
    assert!(store.webhooks().get(webhook.id).await.is_err());
    assert_eq!(store.webhooks().get(other.id).await.unwrap().unwrap(), other);
}

#[tokio::test]
async fn another_key_does_not_open_the_store() {
    let directory = tempfile::tempdir().unwrap();
    let (store, _) = filled(&directory).await;
    store.close().await;
    let other = Sealer::new(Keyring::new(MasterKey::from_bytes([8; 32]), Vec::new()));
    let refused = Store::open(&settings(&directory), other).err().unwrap();
    assert_eq!(refused.code(), "invalid_master_key");
    assert!(refused.to_string().contains("WAGATE_MASTER_KEY"), "{refused}");
}
