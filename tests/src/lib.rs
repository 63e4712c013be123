//! What the tests across crates share: a whole sandbox in one process, a gateway as a process of its own, a webhook
//! receiver, a PostgreSQL, a line that fails on demand, and waiting for what happens instead of sleeping. See
//! docs/TESTING.md.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::missing_panics_doc,
    clippy::match_wild_err_arm,
    reason = "a test that cannot go on must stop here"
)]

pub mod client;
pub mod file_server;
pub mod postgres;
pub mod process;
pub mod production;
pub mod proxy;
pub mod receiver;
pub mod sandbox;
pub mod simulator;
pub mod stream;

pub use client::{Client, Reply};
pub use process::GatewayProcess;
pub use proxy::Proxy;
pub use receiver::{Answer, Received, Receiver};
pub use sandbox::Sandbox;
pub use simulator::Simulator;
pub use stream::Stream;
