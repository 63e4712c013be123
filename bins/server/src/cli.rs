//! The command line.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

/// A self-hosted WhatsApp HTTP gateway.
#[derive(Debug, Parser)]
#[command(name = "wagate", version)]
pub struct Cli {
    /// Configuration file; `wagate.toml` in the working directory when it exists.
    #[arg(long, global = true, env = "WAGATE_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// What to do.
#[derive(Debug, Clone, Subcommand)]
pub enum Command {
    /// Run the gateway (the default).
    Serve,
    /// Bring the database up to date and stop.
    Migrate,
    /// The API key, and the master key that seals what is stored.
    #[command(subcommand)]
    Keys(KeysCommand),
    /// The configuration.
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Check configuration, database, server verification and the way to WhatsApp.
    Doctor {
        /// Leave out the way to WhatsApp: call nobody.
        #[arg(long)]
        offline: bool,
    },
}

/// What to do with keys.
#[derive(Debug, Clone, Copy, Subcommand)]
pub enum KeysCommand {
    /// Make a new API key, print it once, and forget the one before.
    Generate,
    /// Make a new master key and seal everything with it, also while the gateway runs.
    Rotate,
}

/// What to do with the configuration.
#[derive(Debug, Clone, Copy, Subcommand)]
pub enum ConfigCommand {
    /// Say whether the configuration is right.
    Check,
    /// Print every setting with its default.
    Defaults,
}
