//! Settings that are chosen while the gateway runs, over those of whoever started it.

use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use super::Gateway;
use crate::Result;
use crate::model::{Change, ChosenSettings, Region, RegionChoice, Retention};

/// What to change of the settings. What is cleared is the configuration's again.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SettingsPatch {
    /// What completes national numbers.
    pub default_region: Change<RegionChoice>,
    /// How long things are kept.
    pub retention: Change<Retention>,
}

/// A value and where it is from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Setting<T> {
    /// What was chosen while the gateway ran.
    pub chosen: Option<T>,
    /// What the configuration says.
    pub configured: T,
}

impl<T: Copy> Setting<T> {
    /// The value in force.
    pub fn value(&self) -> T {
        self.chosen.unwrap_or(self.configured)
    }
}

/// The settings as they are now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SettingsNow {
    /// What completes national numbers.
    pub default_region: Setting<RegionChoice>,
    /// How long events, deliveries and messages are kept.
    pub retention: Setting<Duration>,
}

/// What was chosen, in memory.
#[derive(Debug, Default)]
pub(super) struct Choices {
    chosen: RwLock<ChosenSettings>,
    /// One change at a time.
    turn: tokio::sync::Mutex<()>,
}

impl Choices {
    fn get(&self) -> ChosenSettings {
        self.chosen.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, chosen: ChosenSettings) {
        *self.chosen.write().unwrap_or_else(PoisonError::into_inner) = chosen;
    }
}

impl Gateway {
    /// Takes what was chosen before from the store. Call it once, before anything else.
    pub async fn load_settings(&self) -> Result<()> {
        self.choices.set(self.parts.settings.load().await?);
        Ok(())
    }

    /// The settings, and where each value is from.
    pub fn get_settings(&self) -> SettingsNow {
        let chosen = self.choices.get();
        SettingsNow {
            default_region: Setting {
                chosen: chosen.default_region,
                configured: self.settings.default_region.into(),
            },
            retention: Setting {
                chosen: chosen.retention.map(Retention::duration),
                configured: self.settings.retention,
            },
        }
    }

    /// Changes settings, for good and from now on.
    #[tracing::instrument(skip_all)]
    pub async fn update_settings(&self, patch: SettingsPatch) -> Result<SettingsNow> {
        let _turn = self.choices.turn.lock().await;
        let mut chosen = self.choices.get();
        patch.default_region.apply(&mut chosen.default_region);
        patch.retention.apply(&mut chosen.retention);
        self.parts.settings.save(&chosen).await?;
        tracing::info!(?chosen, "the settings were changed");
        self.choices.set(chosen);
        Ok(self.get_settings())
    }

    /// The region that completes national numbers, whoever sends.
    pub(super) fn default_region(&self) -> Option<Region> {
        self.get_settings().default_region.value().region()
    }

    /// How long events, deliveries and messages are kept.
    pub(super) fn retention(&self) -> Duration {
        self.get_settings().retention.value()
    }
}
