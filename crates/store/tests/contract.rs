//! The SQLite storage keeps the contract of every storage port.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use tempfile::TempDir;
use wagate_domain::testing::contract::Storage;

async fn open() -> (Storage, TempDir) {
    let directory = tempfile::tempdir().unwrap();
    let store = support::open(&directory);
    (support::storage(&store), directory)
}

wagate_domain::storage_contract!(open);
