//! The contract of [`Workspaces`](crate::ports::Workspaces).

use super::{Storage, new_device};
use crate::model::{Device, WorkspaceName};

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
