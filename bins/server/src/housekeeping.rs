//! What goes on beside the requests: old rows go, and secrets are sealed with the current key.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use wagate_domain::ports::Clock;
use wagate_domain::{Accounts, Gateway, Result};
use wagate_store::{Sealer, Store};

use crate::master_key;

/// Between two searches for old rows.
const PRUNE_EVERY: Duration = Duration::from_mins(10);
/// Between two looks at when API keys were used.
const NOTE_EVERY: Duration = Duration::from_mins(1);
/// Between two steps of pruning, so that others come in between.
const STEP_PAUSE: Duration = Duration::from_millis(50);
/// How often the file with the master key is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// After resealing has failed.
const RESEAL_PAUSE: Duration = Duration::from_secs(30);

/// Removes what is older than the retention and sessions that have expired, in small steps.
pub async fn prune(gateway: Arc<Gateway>, accounts: Arc<Accounts>, clock: Arc<dyn Clock>) {
    loop {
        match prune_some(&gateway, &accounts).await {
            Ok(0) => clock.sleep(PRUNE_EVERY).await,
            Ok(count) => {
                tracing::debug!(count, "old rows removed");
                clock.sleep(STEP_PAUSE).await;
            }
            Err(error) => {
                tracing::warn!(%error, "old rows were not removed");
                clock.sleep(PRUNE_EVERY).await;
            }
        }
    }
}

async fn prune_some(gateway: &Gateway, accounts: &Accounts) -> Result<u64> {
    Ok(gateway.prune().await? + accounts.prune().await?)
}

/// Stores when API keys were last used: beside the requests, so that none waits for it.
pub async fn note_key_uses(accounts: Arc<Accounts>, clock: Arc<dyn Clock>) {
    loop {
        clock.sleep(NOTE_EVERY).await;
        if let Err(error) = accounts.note_key_uses().await {
            tracing::warn!(%error, "the last uses of API keys were not stored");
        }
    }
}

/// Takes a new master key from the file as soon as it is there, and seals everything anew with it; then the
/// former ones are forgotten. With configured keys everything is sealed anew once.
pub async fn keep_sealed(store: Store, sealer: Sealer, key_dir: Option<PathBuf>, clock: Arc<dyn Clock>) {
    let mut sealed_with = None;
    loop {
        if let Some(dir) = &key_dir {
            match master_key::load(dir) {
                Ok(keyring) => sealer.replace(keyring),
                Err(error) => tracing::error!("the master key cannot be read again: {error:#}"),
            }
        }
        if sealed_with != Some(sealer.current()) {
            let current = sealer.current();
            match store.reseal().await {
                Ok(count) => {
                    sealed_with = Some(current);
                    if count > 0 {
                        tracing::info!(count, key = %current, "secrets were sealed anew");
                    }
                    forget(key_dir.as_ref());
                }
                Err(error) => {
                    tracing::error!(%error, "secrets were not sealed anew; trying again later");
                    clock.sleep(RESEAL_PAUSE).await;
                }
            }
        }
        if key_dir.is_none() && sealed_with.is_some() {
            return;
        }
        clock.sleep(LOOK_EVERY).await;
    }
}

fn forget(key_dir: Option<&PathBuf>) {
    if let Some(dir) = key_dir
        && let Err(error) = master_key::forget_retired(dir)
    {
        tracing::error!("former master keys were not forgotten: {error:#}");
    }
}
