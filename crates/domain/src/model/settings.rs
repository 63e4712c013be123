//! Settings that can be chosen while the gateway runs.

use std::time::Duration;

use super::Region;
use crate::{Error, Result};

/// How long events, deliveries and messages are kept: whole hours, 24 to 87,600.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention(Duration);

impl Retention {
    /// What is younger is still needed: idempotency keys live as long.
    pub const MIN_HOURS: u64 = 24;
    /// Ten years.
    pub const MAX_HOURS: u64 = 87_600;

    /// So many hours.
    pub fn from_hours(hours: u64) -> Result<Self> {
        if (Self::MIN_HOURS..=Self::MAX_HOURS).contains(&hours) {
            Ok(Self(Duration::from_hours(hours)))
        } else {
            Err(Error::invalid(
                "retention_hours",
                format!(
                    "retention_hours must be a whole number from {} to {}",
                    Self::MIN_HOURS,
                    Self::MAX_HOURS
                ),
            ))
        }
    }

    /// Its length.
    pub fn duration(self) -> Duration {
        self.0
    }

    /// Its length in hours.
    pub fn hours(self) -> u64 {
        self.0.as_secs() / 3_600
    }
}

/// What completes national numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RegionChoice {
    /// The country of the account that sends.
    Account,
    /// This one.
    Region(Region),
}

impl RegionChoice {
    /// The region, when it does not depend on the account.
    pub fn region(self) -> Option<Region> {
        match self {
            Self::Account => None,
            Self::Region(region) => Some(region),
        }
    }
}

impl From<Option<Region>> for RegionChoice {
    fn from(region: Option<Region>) -> Self {
        region.map_or(Self::Account, Self::Region)
    }
}

/// What was chosen, in place of the configuration's values; what is `None` is the configuration's.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ChosenSettings {
    /// What completes national numbers.
    pub default_region: Option<RegionChoice>,
    /// How long things are kept.
    pub retention: Option<Retention>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_kept_for_less_than_a_day_or_for_ever() {
        assert_eq!(
            Retention::from_hours(24).unwrap().duration(),
            Duration::from_hours(24)
        );
        assert_eq!(Retention::from_hours(87_600).unwrap().hours(), 87_600);
        for hours in [0, 23, 87_601, u64::MAX] {
            assert_eq!(
                Retention::from_hours(hours).unwrap_err().code(),
                "invalid_retention_hours"
            );
        }
    }
}
