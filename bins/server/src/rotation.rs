//! `wagate keys rotate`: a new master key, and everything sealed with it. While a gateway runs it notices the
//! new key and does the sealing; else it is done here.

use std::time::Duration;

use anyhow::{Context, bail};
use wagate_store::{Sealer, Store};

use crate::config::Config;
use crate::{app, master_key};

/// How often a running gateway is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// How long a running gateway may take.
const PATIENCE: Duration = Duration::from_mins(10);

/// Makes a new master key and returns once nothing is sealed with a former one any more.
pub async fn rotate(config: &Config, say: fn(&str)) -> anyhow::Result<()> {
    if config.keyring()?.is_some() {
        bail!(
            "master_key is set in the configuration: put the new key there, the former one into \
             previous_master_keys, and start the gateway again; it seals everything anew"
        );
    }
    let dir = &config.data_dir;
    let held = app::lock(dir).ok();
    let keyring = master_key::rotate(dir)?;
    if held.is_some() {
        let store = Store::open(&config.store_settings(), Sealer::new(keyring))
            .context("the database cannot be opened")?;
        let count = store.reseal().await?;
        store.close().await;
        master_key::forget_retired(dir)?;
        say(&format!(
            "{count} values were sealed anew; the former master key is of no use any more"
        ));
        return Ok(());
    }
    say("A gateway runs on this data directory and seals everything anew…");
    let done = async {
        while master_key::has_retired(dir)? {
            tokio::time::sleep(LOOK_EVERY).await;
        }
        anyhow::Ok(())
    };
    tokio::time::timeout(PATIENCE, done)
        .await
        .context("the running gateway has not finished: look at its log")??;
    say("Done: the former master key is of no use any more.");
    Ok(())
}
