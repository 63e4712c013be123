//! A gateway and a simulated WhatsApp on loopback, together or one by one. Never shipped as the server: this build
//! accepts a certificate chain that WhatsApp did not sign.

mod cli;
mod gateway;
mod guide;
pub mod phones;
mod receiver;
mod simulator;

pub use cli::run_cli;
