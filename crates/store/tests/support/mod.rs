//! A database of its own for each test.

use tempfile::TempDir;
use wagate_domain::testing::contract::Storage;
use wagate_store::{Keyring, MasterKey, Sealer, Store, StoreSettings};

/// Settings for a file in this directory.
pub fn settings(directory: &TempDir) -> StoreSettings {
    StoreSettings::new(format!("sqlite://{}/data/wagate.db", directory.path().display()))
}

/// Seals with a key that every test has.
pub fn sealer() -> Sealer {
    Sealer::new(Keyring::new(MasterKey::from_bytes([7; 32]), Vec::new()))
}

/// The store in this directory.
pub fn open(directory: &TempDir) -> Store {
    Store::open(&settings(directory), sealer()).unwrap()
}

/// The ports of a store.
pub fn storage(store: &Store) -> Storage {
    Storage {
        devices: store.devices(),
        workspaces: store.workspaces(),
        webhooks: store.webhooks(),
        directory: store.directory(),
        chats: store.chats(),
        events: store.events(),
        deliveries: store.deliveries(),
        delivery_log: store.delivery_log(),
        keys: store.keys(),
        outbox: store.outbox(),
        admins: store.admins(),
        sign_ins: store.sign_ins(),
        api_keys: store.api_keys(),
        settings: store.settings(),
    }
}
