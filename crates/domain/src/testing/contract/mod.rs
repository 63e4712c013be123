//! What every storage must do, one file per port. Each function is one story and panics when the
//! storage breaks the contract; [`storage_contract!`](crate::storage_contract) turns all of them into
//! tests of one implementor.

use std::sync::Arc;

use crate::ports::{DeliveryQueue, Devices, Directory, EventStore, KeyVault, Outbox, Webhooks, Workspaces};

/// The ports of one storage.
#[derive(Clone)]
pub struct Storage {
    /// Stored devices.
    pub devices: Arc<dyn Devices>,
    /// Names on devices.
    pub workspaces: Arc<dyn Workspaces>,
    /// Where events go.
    pub webhooks: Arc<dyn Webhooks>,
    /// People.
    pub directory: Arc<dyn Directory>,
    /// What happened.
    pub events: Arc<dyn EventStore>,
    /// What is on its way.
    pub deliveries: Arc<dyn DeliveryQueue>,
    /// Protocol state.
    pub keys: Arc<dyn KeyVault>,
    /// Sends.
    pub outbox: Arc<dyn Outbox>,
}

impl std::fmt::Debug for Storage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Storage")
    }
}
