//! PostgreSQL keeps the contract of every storage port, has the same schema as SQLite, and is kept to one
//! gateway. A cluster of its own, started from the installed binaries; a schema for each story.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on must stop here")]

mod parity;
mod server;
mod support;

use support::Place;
use wagate_domain::testing::contract::Storage;

async fn open() -> (Storage, Place) {
    let place = Place::new();
    let store = place.open();
    (support::storage(&store), place)
}

wagate_domain::storage_contract!(open);
