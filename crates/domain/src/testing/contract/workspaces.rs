//! The contract of [`Workspaces`](crate::ports::Workspaces).

use super::{Storage, T0, new_device, new_webhook, ulid};
use crate::Error;
use crate::model::{
    ApiKey, ApiKeyId, CursorQuery, Device, KeyAction, KeyReach, KeyScope, PlainKey, Webhook, WebhookScope,
    WorkspaceName,
};

async fn assign(store: &Storage, token: &str, workspace: Option<&str>) -> Device {
    let workspace = workspace.map(|name| name.parse::<WorkspaceName>().unwrap());
    store
        .devices
        .create(Device {
            workspace,
            ..new_device(token)
        })
        .await
        .unwrap()
}

async fn counts(store: &Storage) -> Vec<(String, u64)> {
    let listed = store.workspaces.list().await.unwrap();
    listed
        .iter()
        .map(|workspace| (workspace.name.to_string(), workspace.devices))
        .collect()
}

/// Sorted by code point, whatever the database thinks of letters.
pub async fn names_are_distinct_sorted_and_counted(store: &Storage) {
    assert!(counts(store).await.is_empty());
    for (number, name) in [
        Some("b"),
        Some("Z"),
        None,
        Some("ä"),
        Some("b"),
        Some("a b"),
        Some("a"),
    ]
    .iter()
    .enumerate()
    {
        assign(store, &format!("d{number}"), *name).await;
    }
    let want = [("Z", 1), ("a", 1), ("a b", 1), ("b", 2), ("ä", 1)];
    assert_eq!(
        counts(store).await,
        want.map(|(name, devices)| (name.to_owned(), devices))
    );
}

/// Nobody deletes a workspace: it ends with its last device.
pub async fn a_name_lives_as_long_as_a_device_carries_it(store: &Storage) {
    let one = assign(store, "one", Some("team")).await;
    let two = assign(store, "two", Some("team")).await;
    store.devices.delete(one.id).await.unwrap();
    assert_eq!(counts(store).await, [("team".to_owned(), 1)]);
    store
        .devices
        .update(&Device {
            workspace: None,
            ..two
        })
        .await
        .unwrap();
    assert!(counts(store).await.is_empty());
}

/// An endpoint and a key for a workspace.
async fn belongings(store: &Storage, number: u8, name: &WorkspaceName) -> (Webhook, ApiKey) {
    let webhook = Webhook {
        scope: WebhookScope::Workspace(name.clone()),
        ..new_webhook(&new_device("nobody"))
    };
    store.webhooks.create(&webhook).await.unwrap();
    let plain = PlainKey::from_bytes([number; 32]);
    let key = ApiKey {
        id: ApiKeyId::new(ulid()),
        name: "key".parse().unwrap(),
        prefix: plain.prefix(),
        digest: plain.digest(),
        scope: KeyScope::Limited {
            actions: vec![KeyAction::Send],
            reach: KeyReach::Workspace(name.clone()),
        },
        created_at: T0,
        last_used_at: None,
    };
    store.api_keys.create(&key).await.unwrap();
    (webhook, key)
}

/// Whose the endpoints are, and what the keys are for, oldest first.
async fn owners(store: &Storage) -> (Vec<WebhookScope>, Vec<KeyReach>) {
    let webhooks = store.webhooks.list(CursorQuery::new(None, 50)).await.unwrap();
    let keys = store.api_keys.all().await.unwrap();
    (
        webhooks.items.into_iter().map(|webhook| webhook.scope).collect(),
        keys.into_iter().map(|key| key.scope.reach().clone()).collect(),
    )
}

fn name(text: &str) -> WorkspaceName {
    text.parse().unwrap()
}

/// Devices, endpoints and keys follow; others stay.
pub async fn a_renamed_workspace_keeps_what_is_its_own(store: &Storage) {
    let (north, south, new) = (name("North"), name("South"), name("Nord % /"));
    assign(store, "one", Some("North")).await;
    assign(store, "two", Some("North")).await;
    let other = assign(store, "other", Some("South")).await;
    belongings(store, 1, &north).await;
    belongings(store, 2, &south).await;
    assert!(store.workspaces.rename(&north, &new).await.unwrap());
    assert_eq!(
        counts(store).await,
        [(new.to_string(), 2), ("South".to_owned(), 1)]
    );
    let workspace = WebhookScope::Workspace;
    let key = KeyReach::Workspace;
    let want = (
        vec![workspace(new.clone()), workspace(south.clone())],
        vec![key(new.clone()), key(south)],
    );
    assert_eq!(owners(store).await, want);
    assert_eq!(store.devices.get(other.id).await.unwrap(), Some(other));
    assert!(!store.workspaces.rename(&north, &name("Else")).await.unwrap());
}

/// Not by a device, and not by an endpoint or a key that waits for one.
pub async fn a_name_in_use_is_not_taken(store: &Storage) {
    let (north, south, west) = (name("North"), name("South"), name("West"));
    assign(store, "one", Some("North")).await;
    assign(store, "two", Some("South")).await;
    belongings(store, 1, &west).await;
    for taken in [&south, &west] {
        let refused = store.workspaces.rename(&north, taken).await;
        assert!(
            matches!(&refused, Err(Error::AlreadyExists { what: "workspace", id }) if *id == taken.to_string()),
            "{refused:?}"
        );
    }
    assert_eq!(
        counts(store).await,
        [("North".to_owned(), 1), ("South".to_owned(), 1)]
    );
    assert_eq!(owners(store).await.1, [KeyReach::Workspace(west)]);
}

/// Its endpoints and keys go with it: they would come back to life with the next workspace of that name.
pub async fn a_deleted_workspace_leaves_its_devices(store: &Storage) {
    let (north, south) = (name("North"), name("South"));
    let one = assign(store, "one", Some("North")).await;
    assign(store, "two", Some("South")).await;
    belongings(store, 1, &north).await;
    belongings(store, 2, &south).await;
    assert!(store.workspaces.delete(&north).await.unwrap());
    assert!(!store.workspaces.delete(&north).await.unwrap());
    assert_eq!(counts(store).await, [("South".to_owned(), 1)]);
    let left = Device {
        workspace: None,
        ..one
    };
    assert_eq!(store.devices.get(left.id).await.unwrap(), Some(left));
    let want = (
        vec![WebhookScope::Workspace(south.clone())],
        vec![KeyReach::Workspace(south)],
    );
    assert_eq!(owners(store).await, want);
}
