//! What tests stand on: fakes of every port, and the contract suites that keep them honest. Behind the
//! feature `testing`, so that embedders can use them as well.
#![expect(
    clippy::expect_used,
    clippy::missing_panics_doc,
    clippy::unwrap_used,
    reason = "a fake that is used wrongly and a contract that is broken must panic: that is how a test fails"
)]

mod clock;
pub mod contract;
pub mod fake_driver;
mod fake_gate;
mod fake_handle;
mod fake_hasher;
mod fake_outside;
mod fake_sent;
mod fake_session;
mod memory;
mod memory_admins;
mod memory_api_keys;
mod memory_chats;
mod memory_deliveries;
mod memory_delivery_log;
mod memory_events;
mod memory_keys;
mod memory_outbox;
mod memory_settings;
mod memory_webhooks;
mod memory_workspaces;

pub use clock::{FakeClock, FakeIds, FakeSecrets};
pub use fake_driver::FakeDriver;
pub use fake_hasher::FakeHasher;
pub use fake_outside::{FakeMedia, FakeTargets, FakeTester};
pub use fake_sent::{FakeSent, FakeSentMedia};
pub use fake_session::FakeSession;
pub use memory::MemoryStore;
