//! Where the log goes and what stays out of it.

use anyhow::Context;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, fmt};

use crate::config::{LogFormat, LogSettings};

/// The driver's library writes pairing codes and phone numbers at `info`, media addresses with their
/// tokens at `warn`, and a line for every failed dial at `error`, which our own driver sums up.
const QUIET: &[(&str, LevelFilter)] = &[
    ("whatsapp_rust", LevelFilter::WARN),
    ("whatsapp_rust::client::lifecycle", LevelFilter::OFF),
    ("whatsapp_rust::download", LevelFilter::ERROR),
    ("whatsapp_rust::pair_code", LevelFilter::OFF),
    ("wacore", LevelFilter::WARN),
    ("Client", LevelFilter::WARN),
    ("Client/PairCode", LevelFilter::OFF),
    ("Bot", LevelFilter::WARN),
    ("Bot/PairCode", LevelFilter::OFF),
    ("Blocking", LevelFilter::WARN),
    ("Chatstate", LevelFilter::WARN),
    ("MessageQueue", LevelFilter::WARN),
    ("PresenceHandler", LevelFilter::WARN),
    ("UnifiedSession", LevelFilter::WARN),
];

/// Starts logging to standard error. A second call does nothing: tests share one process.
pub fn init(settings: &LogSettings) -> anyhow::Result<()> {
    let filter = filter(&settings.filter)?;
    let lines = fmt::layer().with_writer(std::io::stderr);
    let layer = match settings.format {
        LogFormat::Pretty => lines.with_filter(filter).boxed(),
        LogFormat::Json => lines.json().flatten_event(true).with_filter(filter).boxed(),
    };
    let _ = tracing_subscriber::registry().with(layer).try_init();
    Ok(())
}

/// What the user wants, and silence where they said nothing.
fn filter(wanted: &str) -> anyhow::Result<Targets> {
    let user: Targets = wanted
        .parse()
        .with_context(|| format!("log.filter {wanted:?} is wrong"))?;
    let named: Vec<String> = user.iter().map(|(target, _)| target.to_owned()).collect();
    let quiet = QUIET
        .iter()
        .filter(|(target, _)| !named.iter().any(|name| name == target));
    Ok(user.with_targets(quiet.map(|(target, level)| (*target, *level))))
}

#[cfg(test)]
mod tests {
    use tracing::Level;

    use super::*;

    #[test]
    fn the_library_is_quiet_unless_asked() {
        let default = filter("info").unwrap();
        assert!(default.would_enable("wagate_api", &Level::INFO));
        assert!(!default.would_enable("Client/PairCode", &Level::ERROR));
        assert!(!default.would_enable("whatsapp_rust::client::lifecycle", &Level::ERROR));
        let asked = filter("info,whatsapp_rust::client::lifecycle=debug").unwrap();
        assert!(asked.would_enable("whatsapp_rust::client::lifecycle", &Level::DEBUG));
    }

    #[test]
    fn a_wrong_filter_stops_the_start() {
        assert!(filter("wagate=loud").is_err());
    }
}
