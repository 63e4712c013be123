//! The contract of [`Settings`](crate::ports::Settings).

use super::Storage;
use crate::model::{ChosenSettings, RegionChoice, Retention};

/// And nothing is chosen in the beginning.
pub async fn what_is_chosen_is_read_back(store: &Storage) {
    assert_eq!(store.settings.load().await.unwrap(), ChosenSettings::default());
    let region = RegionChoice::Region("BR".parse().unwrap());
    let retention = Retention::from_hours(36).unwrap();
    for chosen in [
        ChosenSettings {
            default_region: Some(region),
            retention: Some(retention),
        },
        ChosenSettings {
            default_region: Some(RegionChoice::Account),
            retention: None,
        },
        ChosenSettings {
            default_region: None,
            retention: Some(retention),
        },
        ChosenSettings::default(),
    ] {
        store.settings.save(&chosen).await.unwrap();
        assert_eq!(store.settings.load().await.unwrap(), chosen);
    }
}
