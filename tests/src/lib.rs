//! What the tests across crates share: a whole sandbox in one process, a webhook receiver, and waiting for what happens
//! instead of sleeping. See docs/TESTING.md.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::missing_panics_doc,
    clippy::match_wild_err_arm,
    reason = "a test that cannot go on must stop here"
)]

pub mod client;
pub mod receiver;
pub mod sandbox;

pub use client::{Client, Reply};
pub use receiver::{Received, Receiver};
pub use sandbox::Sandbox;
