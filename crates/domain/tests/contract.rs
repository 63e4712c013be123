//! The storage in memory keeps the contract of every storage port.

use std::sync::Arc;

use wagate_domain::testing::MemoryStore;
use wagate_domain::testing::contract::Storage;

async fn open() -> (Storage, Arc<MemoryStore>) {
    let store = Arc::new(MemoryStore::new());
    (store.storage(), store)
}

wagate_domain::storage_contract!(open);
