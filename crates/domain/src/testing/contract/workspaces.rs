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

async fn names(store: &Storage) -> Vec<String> {
    store
        .workspaces
        .names()
        .await
        .unwrap()
        .iter()
        .map(ToString::to_string)
        .collect()
}

/// Sorted by code point, whatever the database thinks of letters.
pub async fn names_are_distinct_and_sorted(store: &Storage) {
    assert!(names(store).await.is_empty());
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
    assert_eq!(names(store).await, ["Z", "a", "a b", "b", "ä"]);
}

/// Nobody deletes a workspace: it ends with its last device.
pub async fn a_name_lives_as_long_as_a_device_carries_it(store: &Storage) {
    let one = assign(store, "one", Some("team")).await;
    let two = assign(store, "two", Some("team")).await;
    store.devices.delete(one.id).await.unwrap();
    assert_eq!(names(store).await, ["team"]);
    store
        .devices
        .update(&Device {
            workspace: None,
            ..two
        })
        .await
        .unwrap();
    assert!(names(store).await.is_empty());
}
