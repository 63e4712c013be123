//! The server as a library: configuration in, a running gateway out. The binary is one call of
//! [`run_cli`]; the sandbox and the tests build the same [`App`] over another driver or another port.

mod app;
mod cli;
pub mod config;
mod disk;
mod housekeeping;
mod keys;
mod logging;
pub mod master_key;
mod metrics;
mod passwords;
mod post;
mod readiness;
mod rotation;
mod serve;
mod shutdown;
mod world;

pub use app::{App, Network, Routes};
pub use cli::Cli;
pub use config::Config;
pub use logging::init as init_logging;
pub use passwords::Argon2Hasher;
pub use serve::run_cli;
pub use shutdown::signal as shutdown_signal;
pub use wagate_api::signed_in_scope;
pub use world::{SystemClock, SystemSecrets, UlidSource};
