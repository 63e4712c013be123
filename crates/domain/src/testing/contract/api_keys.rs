//! The contract of [`IssuedKeys`](crate::ports::IssuedKeys).

use super::{Storage, t, ulid};
use crate::model::{ApiKey, ApiKeyId, DeviceId, KeyAction, KeyReach, KeyScope, PlainKey};

fn new_key(number: u8, scope: KeyScope) -> ApiKey {
    let plain = PlainKey::from_bytes([number; 32]);
    ApiKey {
        id: ApiKeyId::new(ulid()),
        name: format!("Kasir № {number}").parse().unwrap(),
        prefix: plain.prefix(),
        digest: plain.digest(),
        scope,
        created_at: t(i64::from(number)),
        last_used_at: None,
    }
}

fn limited(actions: &[KeyAction], reach: KeyReach) -> KeyScope {
    KeyScope::Limited {
        actions: actions.to_vec(),
        reach,
    }
}

async fn stored(store: &Storage, keys: &[ApiKey]) {
    for key in keys {
        store.api_keys.create(key).await.unwrap();
    }
}

/// Whatever it may do. A device that a key is for need not exist: then the key opens nothing.
pub async fn keys_are_read_back_oldest_first(store: &Storage) {
    assert_eq!(store.api_keys.all().await.unwrap(), []);
    let device = DeviceId::new(ulid());
    let keys = [
        new_key(1, KeyScope::All),
        new_key(2, limited(&[KeyAction::Send], KeyReach::Device(device))),
        new_key(
            3,
            limited(
                &[KeyAction::Read, KeyAction::Manage],
                KeyReach::Workspace("Nörd".parse().unwrap()),
            ),
        ),
        new_key(4, limited(&KeyAction::ALL, KeyReach::Everything)),
    ];
    stored(store, &keys).await;
    assert_eq!(store.api_keys.all().await.unwrap(), keys);
}

/// And the others stay.
pub async fn a_deleted_key_is_gone(store: &Storage) {
    let keys = [new_key(1, KeyScope::All), new_key(2, KeyScope::All)];
    stored(store, &keys).await;
    assert!(store.api_keys.delete(keys[0].id).await.unwrap());
    assert!(!store.api_keys.delete(keys[0].id).await.unwrap());
    assert_eq!(store.api_keys.all().await.unwrap(), keys[1..]);
}

/// Of those that are there, and never back in time.
pub async fn last_uses_are_kept(store: &Storage) {
    let (mut one, other) = (new_key(1, KeyScope::All), new_key(2, KeyScope::All));
    stored(store, &[one.clone(), other.clone()]).await;
    store.api_keys.note_uses(&[]).await.unwrap();
    let gone = ApiKeyId::new(ulid());
    store
        .api_keys
        .note_uses(&[(gone, t(5)), (one.id, t(7))])
        .await
        .unwrap();
    store.api_keys.note_uses(&[(one.id, t(6))]).await.unwrap();
    one.last_used_at = Some(t(7));
    assert_eq!(store.api_keys.all().await.unwrap(), [one, other]);
}
