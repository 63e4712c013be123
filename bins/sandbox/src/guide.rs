//! What a newcomer reads first: where things are, and three calls to try.

use std::io::{self, Write};
use std::net::SocketAddr;

/// Both halves run.
pub fn print_both(gateway: SocketAddr, key: &str, setup: Option<&str>, sim_url: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(
        out,
        "\nwagate sandbox: everything below happens on this machine.\n"
    )?;
    writeln!(out, "  dashboard           {}", entrance(gateway, key))?;
    writeln!(out, "  gateway             http://{gateway}")?;
    writeln!(out, "  API key             {key}")?;
    if let Some(code) = setup {
        writeln!(out, "  setup code          {code}   (makes the first admin)")?;
    }
    writeln!(
        out,
        "  simulated WhatsApp  {sim_url}/sim/   (Alice 6281200000001, Bob 6281200000002)\n"
    )?;
    tour(&mut out, &format!("http://{gateway}"), key, sim_url)
}

/// Only the gateway runs.
pub fn print_gateway(gateway: SocketAddr, key: &str, setup: Option<&str>, sim_url: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "\nwagate gateway over the simulator at {sim_url}\n")?;
    writeln!(out, "  dashboard  {}", entrance(gateway, key))?;
    writeln!(out, "  gateway    http://{gateway}\n  API key    {key}")?;
    if let Some(code) = setup {
        writeln!(out, "  setup code  {code}   (makes the first admin)")?;
    }
    writeln!(out)?;
    tour(&mut out, &format!("http://{gateway}"), key, sim_url)
}

/// Opens the dashboard with the sandbox's key, which is no secret: what stands behind `#` stays in the browser.
fn entrance(gateway: SocketAddr, key: &str) -> String {
    format!("http://{gateway}/#key={key}")
}

/// Only the simulator runs.
pub fn print_simulator(simulator: SocketAddr) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(
        out,
        "\nsimulated WhatsApp  http://{simulator}/sim/   (Alice 6281200000001, Bob 6281200000002)\n"
    )?;
    writeln!(
        out,
        "Point a gateway at it: WAGATE_SIM_URL=http://{simulator} wagate-sandbox gateway\n"
    )?;
    out.flush()
}

fn tour(out: &mut impl Write, gateway: &str, key: &str, sim_url: &str) -> io::Result<()> {
    writeln!(out, "Try:\n")?;
    writeln!(
        out,
        "  curl -s {gateway}/api/start -H 'apikey: {key}' -d '{{\"token\":\"shop\"}}'\n"
    )?;
    writeln!(
        out,
        "  curl -s {gateway}/api/qrcode -H 'apikey: {key}' -d '{{\"token\":\"shop\"}}' |\n    curl -s {sim_url}/sim/phones/6281200000001/scan -H 'content-type: application/json' -d @-\n"
    )?;
    writeln!(
        out,
        "  curl -s {gateway}/api/send -H 'apikey: {key}' -d '{{\"token\":\"shop\",\"phone\":\"6281200000002\",\"message\":\"Hello Bob\"}}'\n"
    )?;
    writeln!(
        out,
        "Ctrl-C stops it; the next start finds everything as it was.\n"
    )?;
    out.flush()
}
