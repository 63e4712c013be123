//! What every commit of the driver needs to know and what seldom changes: the device, and the endpoints that
//! receive its events. Kept until something is written that they may hang on. One gateway owns the database, so
//! that nobody else writes. Since when an endpoint fails is not followed: settling changes that all the time, and a
//! commit does not ask.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use wagate_domain::model::{Device, DeviceId, Webhook, WorkspaceName};

/// Most devices that are remembered.
const MOST: usize = 10_000;

/// Shared by all who read and write.
#[derive(Clone, Default)]
pub(crate) struct Memo(Arc<Mutex<Known>>);

#[derive(Default)]
struct Known {
    /// Goes up with everything that is written.
    version: u64,
    devices: HashMap<DeviceId, Arc<Device>>,
    /// With the workspace that the device was in.
    receiving: HashMap<DeviceId, (Option<WorkspaceName>, Arc<Vec<Webhook>>)>,
}

/// The version that was read: what was written meanwhile makes it void.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Version(u64);

impl Memo {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The device, or from when on to read it.
    pub(crate) fn device(&self, id: DeviceId) -> Result<Arc<Device>, Version> {
        let known = self.known();
        known.devices.get(&id).cloned().ok_or(Version(known.version))
    }

    /// The endpoints that receive the device's events, or from when on to read them.
    pub(crate) fn receiving(&self, device: &Device) -> Result<Arc<Vec<Webhook>>, Version> {
        let known = self.known();
        match known.receiving.get(&device.id) {
            Some((workspace, webhooks)) if *workspace == device.workspace => Ok(webhooks.clone()),
            _ => Err(Version(known.version)),
        }
    }

    /// Remembers a device as it was read.
    pub(crate) fn keep_device(&self, read: Version, device: &Device) {
        let mut known = self.known();
        if known.version == read.0 && known.devices.len() < MOST {
            known.devices.insert(device.id, Arc::new(device.clone()));
        }
    }

    /// Remembers endpoints as they were read.
    pub(crate) fn keep_receiving(&self, read: Version, device: &Device, webhooks: &[Webhook]) {
        let mut known = self.known();
        if known.version == read.0 && known.receiving.len() < MOST {
            let found = (device.workspace.clone(), Arc::new(webhooks.to_vec()));
            known.receiving.insert(device.id, found);
        }
    }

    /// Something was written that any of it may hang on. To be called after the commit and before anybody is told
    /// of it.
    pub(crate) fn forget(&self) {
        let mut known = self.known();
        known.version += 1;
        known.devices.clear();
        known.receiving.clear();
    }
}

#[cfg(test)]
mod tests {
    use wagate_domain::model::Timestamp;

    use super::*;

    fn device() -> Device {
        let id = "dev_01J00000000000000000000000".parse().unwrap();
        Device::new(id, "one".parse().unwrap(), Timestamp(0))
    }

    #[test]
    fn what_was_read_before_a_write_is_not_kept_after_it() {
        let (memo, device) = (Memo::default(), device());
        let before = memo.device(device.id).unwrap_err();
        memo.forget();
        memo.keep_device(before, &device);
        let after = memo.device(device.id).unwrap_err();
        memo.keep_device(after, &device);
        assert_eq!(memo.device(device.id).ok().as_deref(), Some(&device));
        memo.forget();
        assert!(memo.device(device.id).is_err());
    }

    #[test]
    fn endpoints_are_those_of_the_workspace_that_was_asked_for() {
        let (memo, mut device) = (Memo::default(), device());
        let read = memo.receiving(&device).unwrap_err();
        memo.keep_receiving(read, &device, &[]);
        assert!(memo.receiving(&device).is_ok());
        device.workspace = Some("sales".parse().unwrap());
        assert!(memo.receiving(&device).is_err());
        device.workspace = None;
        memo.forget();
        assert!(memo.receiving(&device).is_err());
    }
}
