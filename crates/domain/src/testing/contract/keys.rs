//! The contract of [`KeyVault`](crate::ports::KeyVault).

use bytes::Bytes;

use super::{Storage, assert_no_device, device, new_device, race, t};
use crate::model::{DeviceId, Timestamp};
use crate::ports::{KeyEntry, KeyKind};

fn entry(kind: KeyKind, key: &[u8], value: &[u8]) -> KeyEntry {
    KeyEntry {
        kind,
        key: Bytes::copy_from_slice(key),
        value: Bytes::copy_from_slice(value),
        expires_at: None,
    }
}

fn expiring(key: &[u8], at: Timestamp) -> KeyEntry {
    KeyEntry {
        expires_at: Some(at),
        ..entry(KeyKind::Session, key, b"v")
    }
}

fn keys(keys: &[&[u8]]) -> Vec<Bytes> {
    keys.iter().map(|key| Bytes::copy_from_slice(key)).collect()
}

type Pairs = Vec<(Bytes, Bytes)>;

fn pairs(pairs: &[(&[u8], &[u8])]) -> Pairs {
    pairs
        .iter()
        .map(|(key, value)| (Bytes::copy_from_slice(key), Bytes::copy_from_slice(value)))
        .collect()
}

async fn put(store: &Storage, device: DeviceId, entries: Vec<KeyEntry>) {
    store.keys.put_many(device, entries).await.unwrap();
}

/// Everything of one kind, by key.
async fn all(store: &Storage, device: DeviceId, kind: KeyKind) -> Pairs {
    store.keys.scan(device, kind, Bytes::new()).await.unwrap()
}

async fn get(store: &Storage, device: DeviceId, wanted: &[&[u8]]) -> Pairs {
    let mut found = store
        .keys
        .get_many(device, KeyKind::Session, keys(wanted))
        .await
        .unwrap();
    found.sort();
    found
}

/// Bytes are bytes, none of them at all included.
pub async fn what_is_put_is_read_back(store: &Storage) {
    let id = device(store, "one").await.id;
    let every_byte: Vec<u8> = (0..=255).collect();
    let written: [(&[u8], &[u8]); 4] = [
        (b"", b""),
        (b"\0", b"\0\0"),
        (b"a", &every_byte),
        (&every_byte, b"v"),
    ];
    put(
        store,
        id,
        written
            .iter()
            .map(|(key, value)| entry(KeyKind::Session, key, value))
            .collect(),
    )
    .await;
    let mut want = pairs(&written);
    want.sort();
    assert_eq!(get(store, id, &[b"a", b"", &every_byte, b"\0"]).await, want);
    assert_eq!(get(store, id, &[b"a"]).await, pairs(&[(b"a", &every_byte)]));
    assert_eq!(
        get(store, id, &[b"a", b"missing", b"a"]).await.len(),
        1,
        "asked twice, answered once"
    );
    assert!(get(store, id, &[b"missing"]).await.is_empty());
    assert!(
        get(store, device(store, "two").await.id, &[b"a"])
            .await
            .is_empty()
    );
}

/// The old expiry goes as well.
pub async fn a_put_replaces_value_and_expiry(store: &Storage) {
    let id = device(store, "one").await.id;
    put(
        store,
        id,
        vec![
            expiring(b"a", t(1)),
            expiring(b"b", t(1)),
            entry(KeyKind::Session, b"c", b"v"),
        ],
    )
    .await;
    put(store, id, vec![entry(KeyKind::Session, b"a", b"new")]).await;
    put(store, id, vec![expiring(b"c", t(1))]).await;
    assert_eq!(store.keys.expire(id, KeyKind::Session, t(1)).await.unwrap(), 2);
    assert_eq!(all(store, id, KeyKind::Session).await, pairs(&[(b"a", b"new")]));
}

/// A pairing writes many kinds at once; each kind has its own keys.
pub async fn one_batch_may_mix_kinds(store: &Storage) {
    let id = device(store, "one").await.id;
    let kinds = [KeyKind::Device, KeyKind::Session, KeyKind::PreKey, KeyKind::Meta];
    put(
        store,
        id,
        kinds
            .iter()
            .map(|kind| entry(*kind, b"k", format!("{kind:?}").as_bytes()))
            .collect(),
    )
    .await;
    for kind in kinds {
        assert_eq!(
            all(store, id, kind).await,
            pairs(&[(b"k", format!("{kind:?}").as_bytes())])
        );
    }
    assert!(all(store, id, KeyKind::Identity).await.is_empty());
}

/// Whoever collects changes may collect two of one key.
pub async fn the_last_entry_of_a_key_counts(store: &Storage) {
    let id = device(store, "one").await.id;
    let changes = [b"1", b"2", b"3"].map(|value| entry(KeyKind::Session, b"k", value));
    put(store, id, changes.to_vec()).await;
    assert_eq!(all(store, id, KeyKind::Session).await, pairs(&[(b"k", b"3")]));
}

/// A session that outlives its device must not write any more.
pub async fn a_batch_that_fails_leaves_nothing(store: &Storage) {
    let missing = new_device("missing");
    let entries = vec![
        entry(KeyKind::Session, b"a", b"v"),
        entry(KeyKind::PreKey, b"b", b"v"),
    ];
    assert_no_device(store.keys.put_many(missing.id, entries.clone()).await);
    store.keys.replace_many(missing.id, entries).await.unwrap();
    let created = store.devices.create(missing).await.unwrap();
    assert!(all(store, created.id, KeyKind::Session).await.is_empty());
    assert!(all(store, created.id, KeyKind::PreKey).await.is_empty());
}

/// A prekey that was used up meanwhile stays used up.
pub async fn replacing_does_not_bring_back(store: &Storage) {
    let id = device(store, "one").await.id;
    put(
        store,
        id,
        vec![
            entry(KeyKind::Session, b"a", b"1"),
            entry(KeyKind::Session, b"b", b"1"),
        ],
    )
    .await;
    store.keys.take(id, KeyKind::Session, "a".into()).await.unwrap();
    let changes = [b"a", b"b", b"c"].map(|key| entry(KeyKind::Session, key, b"2"));
    store.keys.replace_many(id, changes.to_vec()).await.unwrap();
    assert_eq!(all(store, id, KeyKind::Session).await, pairs(&[(b"b", b"2")]));
    store
        .keys
        .replace_many(id, vec![expiring(b"b", t(1))])
        .await
        .unwrap();
    assert_eq!(store.keys.expire(id, KeyKind::Session, t(1)).await.unwrap(), 1);
    let other_kind = entry(KeyKind::PreKey, b"b", b"3");
    store.keys.replace_many(id, vec![other_kind]).await.unwrap();
    assert!(all(store, id, KeyKind::PreKey).await.is_empty());
}

/// Only what was named goes.
pub async fn deleting_ignores_what_is_missing(store: &Storage) {
    let id = device(store, "one").await.id;
    put(
        store,
        id,
        [b"a", b"b", b"c", b"d"]
            .map(|key| entry(KeyKind::Session, key, b"v"))
            .to_vec(),
    )
    .await;
    put(store, id, vec![entry(KeyKind::PreKey, b"a", b"v")]).await;
    store
        .keys
        .delete_many(id, KeyKind::Session, keys(&[b"a", b"x", b"c"]))
        .await
        .unwrap();
    store
        .keys
        .delete_many(id, KeyKind::Session, keys(&[b"a"]))
        .await
        .unwrap();
    store
        .keys
        .delete_many(id, KeyKind::Session, keys(&[b"d"]))
        .await
        .unwrap();
    assert_eq!(all(store, id, KeyKind::Session).await, pairs(&[(b"b", b"v")]));
    assert_eq!(all(store, id, KeyKind::PreKey).await.len(), 1);
}

/// Sorted as bytes, also where a prefix ends in the largest one.
pub async fn a_scan_is_sorted_and_keeps_to_its_prefix(store: &Storage) {
    let (one, two) = (device(store, "one").await.id, device(store, "two").await.id);
    let stored: [&[u8]; 8] = [
        b"b",
        b"a\xff\xff",
        b"a\xff",
        b"a",
        b"ab",
        b"\xff\xff\x01",
        b"\xff\xff",
        b"\xff",
    ];
    put(
        store,
        one,
        stored.map(|key| entry(KeyKind::Session, key, key)).to_vec(),
    )
    .await;
    put(store, one, vec![entry(KeyKind::PreKey, b"a", b"other kind")]).await;
    put(store, two, vec![entry(KeyKind::Session, b"a", b"other device")]).await;
    let scan = async |prefix: &'static [u8]| {
        let found = store
            .keys
            .scan(one, KeyKind::Session, Bytes::from_static(prefix))
            .await
            .unwrap();
        assert!(found.iter().all(|(key, value)| key == value));
        found.into_iter().map(|(key, _)| key).collect::<Vec<_>>()
    };
    assert_eq!(
        scan(b"").await,
        keys(&[
            b"a",
            b"ab",
            b"a\xff",
            b"a\xff\xff",
            b"b",
            b"\xff",
            b"\xff\xff",
            b"\xff\xff\x01"
        ])
    );
    assert_eq!(scan(b"a").await, keys(&[b"a", b"ab", b"a\xff", b"a\xff\xff"]));
    assert_eq!(scan(b"a\xff").await, keys(&[b"a\xff", b"a\xff\xff"]));
    assert_eq!(scan(b"\xff\xff").await, keys(&[b"\xff\xff", b"\xff\xff\x01"]));
    assert!(scan(b"c").await.is_empty());
}

/// The count is of this device, kind and prefix.
pub async fn deleting_a_prefix_says_how_many(store: &Storage) {
    let (one, two) = (device(store, "one").await.id, device(store, "two").await.id);
    for id in [one, two] {
        let stored: [&[u8]; 5] = [b"a", b"a1", b"a2", b"b", b"\xff"];
        put(
            store,
            id,
            stored.map(|key| entry(KeyKind::Session, key, b"v")).to_vec(),
        )
        .await;
        put(store, id, vec![entry(KeyKind::PreKey, b"a", b"v")]).await;
    }
    assert_eq!(
        store
            .keys
            .delete_prefix(one, KeyKind::Session, "a".into())
            .await
            .unwrap(),
        3
    );
    assert_eq!(
        store
            .keys
            .delete_prefix(one, KeyKind::Session, "a".into())
            .await
            .unwrap(),
        0
    );
    assert_eq!(
        store
            .keys
            .delete_prefix(one, KeyKind::Session, Bytes::new())
            .await
            .unwrap(),
        2
    );
    assert_eq!(all(store, one, KeyKind::PreKey).await.len(), 1);
    assert_eq!(all(store, two, KeyKind::Session).await.len(), 5);
}

/// A prekey is used once.
pub async fn only_one_caller_takes_a_key(store: &Storage) {
    let id = device(store, "one").await.id;
    put(
        store,
        id,
        vec![
            entry(KeyKind::PreKey, b"k", b"v"),
            entry(KeyKind::PreKey, b"other", b"v"),
        ],
    )
    .await;
    let taken = race(|_| {
        let store = store.clone();
        async move { store.keys.take(id, KeyKind::PreKey, "k".into()).await.unwrap() }
    })
    .await;
    assert_eq!(
        taken.iter().flatten().collect::<Vec<_>>(),
        [&Bytes::from_static(b"v")]
    );
    assert_eq!(all(store, id, KeyKind::PreKey).await.len(), 1);
}

/// What expires now is gone; what never expires stays.
pub async fn expiry_includes_its_moment(store: &Storage) {
    let (one, two) = (device(store, "one").await.id, device(store, "two").await.id);
    let stored = vec![
        expiring(b"a", t(1)),
        expiring(b"b", t(2)),
        expiring(b"c", t(3)),
        entry(KeyKind::Session, b"d", b"v"),
    ];
    let other_kind = KeyEntry {
        kind: KeyKind::PreKey,
        ..expiring(b"a", t(1))
    };
    for id in [one, two] {
        put(store, id, stored.clone()).await;
        put(store, id, vec![other_kind.clone()]).await;
    }
    assert_eq!(
        get(store, one, &[b"a"]).await.len(),
        1,
        "it stays until it is swept"
    );
    assert_eq!(store.keys.expire(one, KeyKind::Session, t(2)).await.unwrap(), 2);
    assert_eq!(store.keys.expire(one, KeyKind::Session, t(2)).await.unwrap(), 0);
    assert_eq!(
        all(store, one, KeyKind::Session).await,
        pairs(&[(b"c", b"v"), (b"d", b"v")])
    );
    assert_eq!(all(store, one, KeyKind::PreKey).await.len(), 1);
    assert_eq!(all(store, two, KeyKind::Session).await.len(), 4);
}

/// An unlinked device starts anew; nobody else notices.
pub async fn erasing_leaves_other_devices_alone(store: &Storage) {
    let (one, two) = (device(store, "one").await.id, device(store, "two").await.id);
    for id in [one, two] {
        put(
            store,
            id,
            vec![
                entry(KeyKind::Session, b"a", b"v"),
                entry(KeyKind::Device, b"a", b"v"),
            ],
        )
        .await;
    }
    store.keys.erase(one).await.unwrap();
    store.keys.erase(one).await.unwrap();
    for kind in [KeyKind::Session, KeyKind::Device] {
        assert!(all(store, one, kind).await.is_empty());
        assert_eq!(all(store, two, kind).await.len(), 1);
    }
    assert!(
        store.devices.get(one).await.unwrap().is_some(),
        "the device itself stays"
    );
}

/// More keys than one statement can name.
pub async fn large_batches_are_whole(store: &Storage) {
    const MANY: u32 = 40_000;
    let id = device(store, "one").await.id;
    let names: Vec<Bytes> = (0..MANY)
        .map(|number| Bytes::copy_from_slice(&number.to_be_bytes()))
        .collect();
    put(
        store,
        id,
        names
            .iter()
            .map(|name| entry(KeyKind::Session, name, name))
            .collect(),
    )
    .await;
    let mut found = store
        .keys
        .get_many(id, KeyKind::Session, names.clone())
        .await
        .unwrap();
    found.sort();
    assert!(found.iter().map(|(key, _)| key).eq(&names));
    store
        .keys
        .delete_many(id, KeyKind::Session, names[1..].to_vec())
        .await
        .unwrap();
    assert_eq!(all(store, id, KeyKind::Session).await.len(), 1);
}

/// Nothing to do is done.
pub async fn empty_calls_are_fine(store: &Storage) {
    let id = device(store, "one").await.id;
    put(store, id, vec![]).await;
    store.keys.replace_many(id, vec![]).await.unwrap();
    store
        .keys
        .delete_many(id, KeyKind::Session, vec![])
        .await
        .unwrap();
    assert!(
        store
            .keys
            .get_many(id, KeyKind::Session, vec![])
            .await
            .unwrap()
            .is_empty()
    );
    assert_eq!(
        store.keys.take(id, KeyKind::Session, "k".into()).await.unwrap(),
        None
    );
}
