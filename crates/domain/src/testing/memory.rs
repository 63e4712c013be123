//! The storage of tests and of embedders who want none: everything in one locked struct. It passes the
//! same contract suites as the databases, so that what is tested with it holds for them.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;

use super::contract::Storage;
use super::memory_chats::ChatRow;
use super::memory_deliveries::Row;
use super::memory_events::EventRow;
use super::memory_outbox::SendRow;
use crate::model::{
    Admin, AdminId, ApiKey, ApiKeyId, ChatMessage, ChosenSettings, Contact, DeliveryId, Device, DeviceFilter,
    DeviceId, DeviceLabel, DeviceQuery, DeviceStanding, Jid, MessageId, Page, PhoneNumber, Place, SignIn,
    Timestamp, Token, TokenDigest, Webhook, WebhookId,
};
use crate::ports::{Devices, Directory, KeyKind, NumberLookup};
use crate::{Error, Result};

/// All storage ports, in memory.
#[derive(Debug, Default)]
pub struct MemoryStore {
    state: Mutex<State>,
    down: AtomicBool,
}

/// What is stored.
#[derive(Debug, Default)]
pub(super) struct State {
    pub devices: BTreeMap<DeviceId, Device>,
    pub webhooks: BTreeMap<WebhookId, Webhook>,
    /// By address as text, which is the order that databases sort in.
    pub contacts: BTreeMap<(DeviceId, String), Contact>,
    pub lookups: HashMap<PhoneNumber, NumberLookup>,
    pub events: Vec<EventRow>,
    pub chats: BTreeMap<(DeviceId, Jid), ChatRow>,
    pub messages: BTreeMap<(DeviceId, Place), ChatMessage>,
    pub deliveries: BTreeMap<DeliveryId, Row>,
    pub sends: BTreeMap<(DeviceId, MessageId), SendRow>,
    pub keys: BTreeMap<(DeviceId, KeyKind, Bytes), (Bytes, Option<Timestamp>)>,
    pub admins: BTreeMap<AdminId, Admin>,
    pub sign_ins: BTreeMap<TokenDigest, SignIn>,
    pub api_keys: BTreeMap<ApiKeyId, ApiKey>,
    pub settings: ChosenSettings,
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    /// A store that has these devices already: whatever hangs on a device cannot be stored without it.
    pub fn with_devices(devices: impl IntoIterator<Item = DeviceId>) -> Self {
        let store = Self::new();
        for id in devices {
            let token = id.to_string().parse().expect("an id is a token");
            store
                .state()
                .devices
                .insert(id, Device::new(id, token, Timestamp::default()));
        }
        store
    }

    /// The store behind each of its ports.
    pub fn storage(self: &Arc<Self>) -> Storage {
        Storage {
            devices: self.clone(),
            workspaces: self.clone(),
            webhooks: self.clone(),
            directory: self.clone(),
            chats: self.clone(),
            events: self.clone(),
            deliveries: self.clone(),
            delivery_log: self.clone(),
            keys: self.clone(),
            outbox: self.clone(),
            admins: self.clone(),
            sign_ins: self.clone(),
            api_keys: self.clone(),
            settings: self.clone(),
        }
    }

    /// From now on every call fails with `Unavailable { what: "database" }` and changes nothing.
    pub fn go_down(&self) {
        self.down.store(true, Ordering::SeqCst);
    }

    /// Ends [`MemoryStore::go_down`]. Everything is still there.
    pub fn come_back(&self) {
        self.down.store(false, Ordering::SeqCst);
    }

    pub(super) fn lock(&self) -> Result<MutexGuard<'_, State>> {
        if self.down.load(Ordering::SeqCst) {
            return Err(Error::unavailable("database", "taken down by a test"));
        }
        Ok(self.state())
    }

    /// The state, also while the store is down: for what a test asks about it.
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// What hangs on a device cannot be stored without it.
    pub fn require_device(&self, id: DeviceId) -> Result<()> {
        if self.devices.contains_key(&id) {
            Ok(())
        } else {
            Err(no_device(id))
        }
    }

    pub fn overwrite_device(&mut self, device: &Device) -> Result<()> {
        let stored = self
            .devices
            .get_mut(&device.id)
            .ok_or_else(|| no_device(device.id))?;
        stored.clone_from(device);
        Ok(())
    }

    fn sorted_devices(&self) -> Vec<Device> {
        let mut devices: Vec<Device> = self.devices.values().cloned().collect();
        devices.sort_by_key(|device| (device.created_at, device.id));
        devices
    }
}

fn no_device(id: DeviceId) -> Error {
    Error::NotFound {
        what: "device",
        id: id.to_string(),
    }
}

/// Letter by letter, because lower-casing a whole text looks at what stands around a letter.
fn fold(text: &str) -> String {
    text.chars().flat_map(char::to_lowercase).collect()
}

fn matches(device: &Device, filter: &DeviceFilter) -> bool {
    let named = |text: &String| {
        let part = fold(text);
        [
            Some(device.token.as_str()),
            device.label.as_ref().map(DeviceLabel::as_str),
            device.push_name.as_deref(),
            device.phone(),
        ]
        .into_iter()
        .flatten()
        .any(|whole| fold(whole).contains(&part))
    };
    filter.text.as_ref().is_none_or(named)
        && filter
            .workspace
            .as_ref()
            .is_none_or(|name| device.workspace.as_ref() == Some(name))
}

#[async_trait]
impl Devices for MemoryStore {
    async fn find(&self, token: &Token) -> Result<Option<Device>> {
        Ok(self
            .lock()?
            .devices
            .values()
            .find(|device| device.token == *token)
            .cloned())
    }

    async fn get(&self, id: DeviceId) -> Result<Option<Device>> {
        Ok(self.lock()?.devices.get(&id).cloned())
    }

    async fn all(&self) -> Result<Vec<Device>> {
        Ok(self.lock()?.sorted_devices())
    }

    async fn list(&self, query: &DeviceQuery) -> Result<Page<Device>> {
        let mut matching = self.lock()?.sorted_devices();
        matching.retain(|device| matches(device, &query.filter));
        let total = matching.len() as u64;
        let skip = usize::try_from(query.page.offset()).unwrap_or(usize::MAX);
        let items = matching
            .into_iter()
            .skip(skip)
            .take(query.page.limit() as usize)
            .collect();
        Ok(Page { items, total })
    }

    async fn standings(&self, filter: &DeviceFilter) -> Result<Vec<DeviceStanding>> {
        let state = self.lock()?;
        let matching = state.devices.values().rev();
        Ok(matching
            .filter(|device| matches(device, filter))
            .map(|device| DeviceStanding {
                id: device.id,
                ended: device.ended.clone(),
            })
            .collect())
    }

    async fn get_many(&self, ids: &[DeviceId]) -> Result<Vec<Device>> {
        let state = self.lock()?;
        let newest_first = state.devices.values().rev();
        Ok(newest_first
            .filter(|device| ids.contains(&device.id))
            .cloned()
            .collect())
    }

    async fn create(&self, device: Device) -> Result<Device> {
        let mut state = self.lock()?;
        if let Some(earlier) = state
            .devices
            .values()
            .find(|earlier| earlier.token == device.token)
        {
            return Ok(earlier.clone());
        }
        state.devices.insert(device.id, device.clone());
        Ok(device)
    }

    async fn update(&self, device: &Device) -> Result<()> {
        self.lock()?.overwrite_device(device)
    }

    async fn delete(&self, id: DeviceId) -> Result<()> {
        let mut state = self.lock()?;
        state.devices.remove(&id);
        state
            .webhooks
            .retain(|_, webhook| webhook.scope.device() != Some(id));
        state.contacts.retain(|(device, _), _| *device != id);
        state.events.retain(|stored| stored.device != id);
        state.chats.retain(|(device, _), _| *device != id);
        state.messages.retain(|(device, _), _| *device != id);
        state.deliveries.retain(|_, stored| stored.device != id);
        state.sends.retain(|(device, _), _| *device != id);
        state.keys.retain(|(device, ..), _| *device != id);
        Ok(())
    }
}

#[async_trait]
impl Directory for MemoryStore {
    async fn contacts(&self, device: DeviceId) -> Result<Vec<Contact>> {
        let state = self.lock()?;
        Ok(state
            .contacts
            .iter()
            .filter(|((owner, _), _)| *owner == device)
            .map(|(_, contact)| contact.clone())
            .collect())
    }

    async fn lookup(&self, phone: &PhoneNumber) -> Result<Option<NumberLookup>> {
        Ok(self.lock()?.lookups.get(phone).cloned())
    }

    async fn remember_lookup(&self, lookup: &NumberLookup) -> Result<()> {
        self.lock()?.lookups.insert(lookup.phone.clone(), lookup.clone());
        Ok(())
    }
}
