//! A simulated WhatsApp: the server, the people's phones and a control API, for tests and sandboxes.
//!
//! [`run`] serves until told to stop. A test that wants to look inside takes [`Sim::bind`], keeps the handles that
//! [`Sim::world`], [`Sim::ledger`] and [`Sim::faults`] give, and then awaits [`Sim::run`].

pub mod clock;
mod connection;
mod control;
pub mod fault;
pub mod ledger;
pub mod media;
mod phone;
mod server;
mod sim;
mod stanza;
mod state_file;
mod tls;
mod wire;
pub mod world;

pub use sim::{Error, Settings, Sim, run, run_with};
