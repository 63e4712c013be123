//! What the gateway promises when things go wrong: a real gateway process that is killed, starved, cut off and lied to,
//! and the ledgers of both ends compared. See docs/TESTING.md, "Faults".
//!
//! `WAGATE_FAULTS=long` runs the long form; `WAGATE_FAULTS_SEED` repeats the random instants of a run.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on must stop here"
)]

#[macro_use]
mod database;
mod chance;
mod figures;
mod foundations;
mod ledgers;
mod scene;

mod bad_endpoints;
mod database_restart;
mod disk;
mod foreign_reader;
mod kills_during_inbound;
mod kills_during_sends;
mod network;
mod poison;
mod receiver_down;
mod strange_stanzas;
mod verdicts;
