//! Configuration: the embedded, commented defaults, then a file, then the environment. A key that
//! nobody knows and a value that does not fit stop the start with one sentence.

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail};
use config::{Environment, File, FileFormat};
use ipnet::IpNet;
use serde::Deserialize;
use wagate_domain::model::Region;
use wagate_store::StoreSettings;
use wagate_store::{Keyring, MasterKey};

/// The defaults, which are also the reference.
pub const DEFAULTS: &str = include_str!("default.toml");

/// More readers than this only wait for each other.
const MAX_READERS: u32 = 64;
/// What is younger is still needed.
const MIN_RETENTION: Duration = Duration::from_hours(24);

/// File that is read when it exists and none is named.
const DEFAULT_FILE: &str = "wagate.toml";

/// Everything that can be set.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Address of the HTTP server.
    pub bind: SocketAddr,
    /// Networks of reverse proxies that say who calls.
    pub trusted_proxies: Vec<IpNet>,
    /// Where everything lives.
    pub data_dir: PathBuf,
    /// Database; empty for SQLite in the data directory.
    pub database_url: String,
    /// Reads of the database at the same time.
    pub database_readers: u32,
    /// How long events, deliveries and messages are kept.
    #[serde(with = "humantime_serde")]
    pub retention: Duration,
    /// Fixed API key; empty for a generated one.
    pub api_key: SecretSetting,
    /// Key that seals secrets in the database; empty for the file in the data directory.
    pub master_key: SecretSetting,
    /// Master keys that still open what they sealed.
    pub previous_master_keys: Vec<SecretSetting>,
    /// ISO country code; empty for none.
    pub default_region: String,
    /// Largest request body, in bytes.
    pub max_body_bytes: usize,
    /// Logs.
    pub log: LogSettings,
    /// The way to WhatsApp.
    pub whatsapp: WhatsAppSettings,
    /// Webhook delivery.
    pub webhooks: WebhookSettings,
    /// Fetching files to send.
    pub media: MediaSettings,
}

/// A key that `Debug` does not show.
#[derive(Clone, Deserialize)]
#[serde(transparent)]
pub struct SecretSetting(String);

impl SecretSetting {
    /// The key, when one is set.
    pub fn get(&self) -> Option<&str> {
        (!self.0.is_empty()).then_some(self.0.as_str())
    }

    /// Sets the key.
    pub fn set(&mut self, key: impl Into<String>) {
        self.0 = key.into();
    }
}

impl std::fmt::Debug for SecretSetting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.0.is_empty() { "[none]" } else { "[secret]" })
    }
}

/// How to log.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogSettings {
    /// Filter directives.
    pub filter: String,
    /// For whom.
    pub format: LogFormat,
}

/// For whom the log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// People.
    Pretty,
    /// Machines.
    Json,
}

/// The way to WhatsApp.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WhatsAppSettings {
    /// Dials at the same time.
    pub max_dials: usize,
    /// Largest random wait before a dial.
    #[serde(with = "humantime_serde")]
    pub dial_jitter: Duration,
    /// Version to announce; empty to ask WhatsApp.
    pub version: String,
}

/// Webhook delivery.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WebhookSettings {
    /// Longest wait for a receiver.
    #[serde(with = "humantime_serde")]
    pub timeout: Duration,
    /// Deliveries at the same time.
    pub concurrency: usize,
    /// Deliveries to one endpoint at the same time.
    pub per_endpoint: usize,
    /// Waits after the first failed attempts; daily after those.
    pub retries: Vec<humantime_serde::Serde<Duration>>,
    /// How long a former secret signs beside the new one.
    #[serde(with = "humantime_serde")]
    pub secret_overlap: Duration,
    /// Whether private addresses may be called.
    pub allow_private: bool,
    /// Networks that may be called.
    pub allow: Vec<IpNet>,
}

/// Fetching files to send.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MediaSettings {
    /// Largest file, in bytes.
    pub max_bytes: u64,
    /// Longest download.
    #[serde(with = "humantime_serde")]
    pub timeout: Duration,
    /// Whether private addresses may be fetched from.
    pub allow_private: bool,
    /// Networks that may be fetched from.
    pub allow: Vec<IpNet>,
}

impl Config {
    /// Reads defaults, file and environment. A file that is named must exist.
    pub fn load(file: Option<&Path>, env: HashMap<String, String>) -> anyhow::Result<Self> {
        let user_file = match file {
            Some(path) => File::from(path).format(FileFormat::Toml).required(true),
            None => File::new(DEFAULT_FILE, FileFormat::Toml).required(false),
        };
        // An empty variable means "not set": compose files and unit files write them so.
        let env: HashMap<_, _> = env.into_iter().filter(|(_, value)| !value.is_empty()).collect();
        let environment = Environment::with_prefix("WAGATE")
            .prefix_separator("_")
            .separator("__")
            .try_parsing(true)
            .list_separator(",")
            .with_list_parse_key("trusted_proxies")
            .with_list_parse_key("webhooks.allow")
            .with_list_parse_key("webhooks.retries")
            .with_list_parse_key("media.allow")
            .source(Some(env.clone()));
        let merged = config::Config::builder()
            .add_source(File::from_str(DEFAULTS, FileFormat::Toml))
            .add_source(user_file)
            .add_source(environment)
            // Parsing numbers out of the environment would turn a key of digits into a number.
            .set_override_option("api_key", env.get("WAGATE_API_KEY").cloned())?
            .set_override_option("master_key", env.get("WAGATE_MASTER_KEY").cloned())?
            .set_override_option(
                "previous_master_keys",
                list(env.get("WAGATE_PREVIOUS_MASTER_KEYS")),
            )?
            .build()
            .context("the configuration cannot be read")?;
        let config: Self = merged.try_deserialize().context("the configuration is wrong")?;
        config.validate()?;
        Ok(config)
    }

    fn validate(&self) -> anyhow::Result<()> {
        if self.api_key.get().is_some_and(|key| key.len() < 16) {
            bail!("api_key must have at least 16 characters");
        }
        if self.whatsapp.max_dials == 0 || self.webhooks.concurrency == 0 || self.webhooks.per_endpoint == 0 {
            bail!("whatsapp.max_dials, webhooks.concurrency and webhooks.per_endpoint must be at least 1");
        }
        if !(1..=MAX_READERS).contains(&self.database_readers) {
            bail!("database_readers must be 1 to {MAX_READERS}");
        }
        if self.webhooks.retries.is_empty() || self.webhooks.retries.iter().any(|wait| wait.is_zero()) {
            bail!("webhooks.retries must hold at least one wait, each longer than zero");
        }
        if self.retention < MIN_RETENTION {
            bail!("retention must be at least one day: idempotency keys live as long");
        }
        if self.webhooks.timeout.is_zero() || self.media.timeout.is_zero() {
            bail!("webhooks.timeout and media.timeout must be longer than zero");
        }
        self.region()?;
        self.version()?;
        self.keyring()?;
        Ok(())
    }

    /// The default region, parsed.
    pub fn region(&self) -> anyhow::Result<Option<Region>> {
        let code = self.default_region.as_str();
        let region = (!code.is_empty()).then(|| code.parse::<Region>()).transpose();
        region.with_context(|| format!("default_region {code:?} is wrong"))
    }

    /// The configured master keys, parsed; `None` leaves them to the file in the data directory.
    pub fn keyring(&self) -> anyhow::Result<Option<Keyring>> {
        let previous = self.previous_master_keys.iter().filter_map(SecretSetting::get);
        let retired = previous
            .map(str::parse)
            .collect::<Result<Vec<MasterKey>, _>>()
            .context("previous_master_keys is wrong")?;
        let Some(current) = self.master_key.get() else {
            if !retired.is_empty() {
                bail!("previous_master_keys is set without master_key: the keys of the file are in the file");
            }
            return Ok(None);
        };
        let current = current.parse().context("master_key is wrong")?;
        Ok(Some(Keyring::new(current, retired)))
    }

    /// The client version to announce, parsed.
    pub fn version(&self) -> anyhow::Result<Option<(u32, u32, u32)>> {
        let text = self.whatsapp.version.as_str();
        if text.is_empty() {
            return Ok(None);
        }
        let parts: Vec<u32> = text.split('.').filter_map(|part| part.parse().ok()).collect();
        match parts[..] {
            [primary, secondary, tertiary] => Ok(Some((primary, secondary, tertiary))),
            _ => {
                bail!("whatsapp.version {text:?} is wrong: expected three numbers such as 2.3000.1023456789")
            }
        }
    }

    /// Where files lie while they are sent.
    pub fn temp_dir(&self) -> PathBuf {
        self.data_dir.join("tmp")
    }

    /// How the database is opened.
    pub fn store_settings(&self) -> StoreSettings {
        StoreSettings {
            url: self.database_url(),
            readers: self.database_readers,
        }
    }

    /// Where the database is.
    pub fn database_url(&self) -> String {
        if self.database_url.is_empty() {
            format!("sqlite://{}", self.data_dir.join("wagate.db").display())
        } else {
            self.database_url.clone()
        }
    }
}

/// A list in the environment, word by word as it was written.
fn list(value: Option<&String>) -> Option<Vec<String>> {
    value.map(|value| value.split(',').map(|item| item.trim().to_owned()).collect())
}
