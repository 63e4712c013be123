//! The command line: both halves, or one of them.

use std::collections::HashMap;
use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use clap::{Parser, Subcommand};
use wa_sim::Settings;
use wagate::{App, Config};
use wagate_domain::model::SetupCode;

use crate::{gateway, guide, simulator};

/// Where everything of a sandbox lives unless told otherwise.
const DATA_DIR: &str = "./sandbox-data";

/// The sandbox's key is no secret: it listens on loopback, and guides and scripts can name it.
const API_KEY: &str = "sandbox-key-0123456789";

/// A gateway beside a simulated WhatsApp, on loopback.
#[derive(Debug, Parser)]
#[command(name = "wagate-sandbox", version)]
struct Cli {
    #[command(subcommand)]
    half: Option<Half>,
    /// Address of the simulator.
    #[arg(
        long,
        global = true,
        env = "WAGATE_SIM_BIND",
        default_value = "127.0.0.1:8081"
    )]
    sim_bind: SocketAddr,
    /// File that keeps the simulated world; `-` for memory only.
    #[arg(long, global = true, env = "WAGATE_SIM_STATE", value_name = "FILE")]
    sim_state: Option<PathBuf>,
    /// Seconds for which the simulator keeps a typing state for a recipient who is away.
    #[arg(
        long,
        global = true,
        env = "WAGATE_SIM_CHATSTATE_TTL",
        value_name = "SECONDS",
        default_value_t = 25
    )]
    sim_chatstate_ttl: u64,
    /// A simulator that runs elsewhere on this machine.
    #[arg(
        long,
        global = true,
        env = "WAGATE_SIM_URL",
        default_value = "http://127.0.0.1:8081"
    )]
    sim_url: String,
}

#[derive(Debug, Clone, Copy, Subcommand)]
enum Half {
    /// Only the simulated WhatsApp.
    Simulator,
    /// Only the gateway, over a simulator that runs elsewhere.
    Gateway,
}

/// Runs the command line; what went wrong is one sentence on standard error.
pub fn run_cli() -> ExitCode {
    let outcome = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("no runtime")
        .and_then(|runtime| runtime.block_on(run(Cli::parse())));
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "wagate-sandbox: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(cli: Cli) -> anyhow::Result<()> {
    let config = config()?;
    wagate::init_logging(&config.log)?;
    let state = match &cli.sim_state {
        Some(path) if path.as_os_str() == "-" => None,
        Some(path) => Some(path.clone()),
        None => Some(config.data_dir.join("simulator.json")),
    };
    let settings = Settings {
        state_file: state,
        chatstate_ttl: Duration::from_secs(cli.sim_chatstate_ttl),
        ..Settings::default()
    };
    match cli.half {
        Some(Half::Simulator) => {
            let sim = simulator::start(cli.sim_bind, settings).await?;
            guide::print_simulator(sim.address())?;
            sim.run_until(wagate::shutdown_signal()).await
        }
        Some(Half::Gateway) => {
            let app = gateway::build(config, &cli.sim_url).await?;
            guide::print_gateway(app.address(), API_KEY, setup_code(&app).as_deref(), &cli.sim_url)?;
            app.run(wagate::shutdown_signal()).await
        }
        None => {
            let sim = simulator::start(cli.sim_bind, settings).await?;
            let sim_url = format!("http://{}", sim.address());
            let app = gateway::build(config, &sim_url).await?;
            guide::print_both(app.address(), API_KEY, setup_code(&app).as_deref(), &sim_url)?;
            let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
            let sim = tokio::spawn(sim.run_until(async {
                let _ = stopped.await;
            }));
            // The gateway goes first: it still has to say goodbye to the simulator.
            let outcome = app.run(wagate::shutdown_signal()).await;
            let _ = stop.send(());
            sim.await.context("the simulator broke down")??;
            outcome
        }
    }
}

/// The code for the first admin, while there is none.
fn setup_code(app: &App) -> Option<String> {
    app.setup_code().map(SetupCode::reveal)
}

/// The server's configuration with the sandbox's own defaults; what only the sandbox knows is taken out first.
fn config() -> anyhow::Result<Config> {
    let mut env: HashMap<String, String> = std::env::vars()
        .filter(|(name, _)| !name.starts_with("WAGATE_SIM_"))
        .collect();
    env.entry("WAGATE_DATA_DIR".into())
        .or_insert_with(|| DATA_DIR.into());
    env.insert("WAGATE_API_KEY".into(), API_KEY.into());
    Config::load(None, env)
}
