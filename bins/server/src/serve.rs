//! What the binary does: parse the command line, load the configuration, run.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::bail;
use clap::Parser;
use wa_driver::{WaDriver, WaSettings};
use wagate_store::Store;

use crate::app::{App, Network};
use crate::cli::{Cli, Command, ConfigCommand, KeysCommand};
use crate::config::{Config, DEFAULTS};
use crate::world::SystemClock;
use crate::{app, keys, logging, rotation, shutdown};

/// How long the doctor waits for WhatsApp.
const REACH_PATIENCE: Duration = Duration::from_secs(5);

/// Runs the command line; what went wrong is one sentence on standard error.
pub fn run_cli() -> ExitCode {
    match run(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            print_line(&mut std::io::stderr(), &format!("wagate: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli) -> anyhow::Result<()> {
    let command = cli.command.unwrap_or(Command::Serve);
    if matches!(command, Command::Config(ConfigCommand::Defaults)) {
        say(DEFAULTS);
        return Ok(());
    }
    let config = Config::load(cli.config.as_deref(), std::env::vars().collect())?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    match command {
        Command::Serve => runtime.block_on(serve(config)),
        Command::Migrate => runtime.block_on(migrate(&config)),
        Command::Keys(KeysCommand::Generate) => generate_key(&config),
        Command::Keys(KeysCommand::Rotate) => runtime.block_on(rotation::rotate(&config, say)),
        Command::Config(_) => {
            say("the configuration is right");
            Ok(())
        }
        Command::Doctor { offline } => runtime.block_on(doctor(&config, offline)),
    }
}

async fn serve(config: Config) -> anyhow::Result<()> {
    logging::init(&config.log)?;
    verification_is_on()?;
    let clock = Arc::new(SystemClock);
    let driver = WaDriver::new(wa_settings(&config)?, clock.clone())?;
    let app = App::build(config, Network::WhatsApp, Arc::new(driver), clock).await?;
    say(&format!("wagate listens on http://{}", app.address()));
    if let Some(key) = app.generated_key() {
        say(&format!("API key (shown this once): {key}"));
    }
    if let Some(code) = app.setup_code() {
        say(&format!("Setup code for the first admin: {}", code.reveal()));
    }
    app.run(shutdown::signal()).await
}

fn wa_settings(config: &Config) -> anyhow::Result<WaSettings> {
    Ok(WaSettings {
        version_override: config.version()?,
        max_concurrent_dials: config.whatsapp.max_dials,
        dial_jitter: config.whatsapp.dial_jitter,
        temp_dir: config.temp_dir(),
        ..WaSettings::default()
    })
}

/// A server that would talk to anybody who claims to be WhatsApp must not run.
fn verification_is_on() -> anyhow::Result<()> {
    if !wa_driver::verification_is_on() {
        bail!(
            "this build does not verify WhatsApp's certificates: it was compiled together with the simulator"
        );
    }
    Ok(())
}

async fn migrate(config: &Config) -> anyhow::Result<()> {
    let store = open_store(config)?;
    store.close().await;
    say("the database is up to date");
    Ok(())
}

/// Opens the database with the keys that a server would use.
fn open_store(config: &Config) -> anyhow::Result<Store> {
    std::fs::create_dir_all(&config.data_dir)?;
    let (store, ..) = app::open_sealed(config)?;
    Ok(store)
}

fn generate_key(config: &Config) -> anyhow::Result<()> {
    if config.api_key.get().is_some() {
        bail!("api_key is set in the configuration: a generated key would have no effect");
    }
    std::fs::create_dir_all(&config.data_dir)?;
    let key = keys::generate(&config.data_dir)?;
    say(&format!(
        "API key (shown this once): {}",
        key.generated.unwrap_or_default()
    ));
    say("A running server takes it at its next start.");
    Ok(())
}

async fn doctor(config: &Config, offline: bool) -> anyhow::Result<()> {
    say("configuration: right");
    let verification = verification_is_on();
    say(&format!(
        "server verification: {}",
        if verification.is_ok() { "on" } else { "OFF" }
    ));
    let store = open_store(config);
    say(&match &store {
        Ok(_) => "database: opens".to_owned(),
        Err(error) => format!("database: {error:#}"),
    });
    if !offline {
        say(if whatsapp_answers().await {
            "WhatsApp: can be reached"
        } else {
            "WhatsApp: cannot be reached from here"
        });
    }
    verification?;
    store?.close().await;
    Ok(())
}

async fn whatsapp_answers() -> bool {
    let connect = tokio::net::TcpStream::connect(("web.whatsapp.com", 443));
    matches!(tokio::time::timeout(REACH_PATIENCE, connect).await, Ok(Ok(_)))
}

/// Answers of a command go to standard output; the log goes to standard error.
fn say(text: &str) {
    print_line(&mut std::io::stdout(), text);
}

/// A closed pipe is no reason to die.
fn print_line(to: &mut impl std::io::Write, text: &str) {
    let _ = writeln!(to, "{}", text.trim_end());
}
