//! How the gateway is.

use std::collections::BTreeMap;

use super::Gateway;
use crate::Result;
use crate::model::{DeliveryCounts, DeviceFilter, StateName};

/// How much there is, and how it does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Health {
    /// How many devices' sessions are in each state; every state is there.
    pub sessions: BTreeMap<StateName, u64>,
    /// Deliveries that somebody may have to care for.
    pub deliveries: DeliveryCounts,
}

impl Gateway {
    /// How many sessions there are by what they do, and how many deliveries wait or were given up.
    pub async fn get_health(&self) -> Result<Health> {
        let mut sessions = BTreeMap::from(StateName::ALL.map(|state| (state, 0)));
        for standing in self.parts.devices.standings(&DeviceFilter::default()).await? {
            let state = self.state_of(standing.id, standing.ended.as_ref());
            *sessions.entry(state.name()).or_default() += 1;
        }
        Ok(Health {
            sessions,
            deliveries: self.parts.delivery_log.counts().await?,
        })
    }
}
