//! A database of its own for each test.

use tempfile::TempDir;
use wagate_domain::testing::contract::Storage;
use wagate_store::{Store, StoreSettings};

/// Settings for a file in this directory.
pub fn settings(directory: &TempDir) -> StoreSettings {
    StoreSettings::new(format!("sqlite://{}/data/wagate.db", directory.path().display()))
}

/// The ports of a store.
pub fn storage(store: &Store) -> Storage {
    Storage {
        devices: store.devices(),
        workspaces: store.workspaces(),
        webhooks: store.webhooks(),
        directory: store.directory(),
        events: store.events(),
        deliveries: store.deliveries(),
        keys: store.keys(),
        outbox: store.outbox(),
    }
}
