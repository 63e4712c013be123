//! App-state sync: keys, versions and the MACs of what was applied. Cold: written when the phone's
//! address book or settings change.

use std::collections::HashMap;

use bytes::{BufMut, Bytes, BytesMut};
use wagate_domain::ports::KeyKind;
use whatsapp_rust::async_trait;
use whatsapp_rust::wacore::appstate::hash::HashState;
use whatsapp_rust::wacore::appstate::processor::AppStateMutationMAC;
use whatsapp_rust::wacore::store::traits::{AppStateSyncKey, AppSyncStore};

use super::codec::{from_json, prefix, text, to_json};
use super::{StoreResult, VaultBackend, entry};

/// Where the id of the newest app-state key is kept.
const LATEST_KEY: &str = "latest_app_state_key";

/// Collection name, separator, index MAC.
fn mac_key(collection: &str, index_mac: &[u8]) -> Bytes {
    let start = prefix(&[collection]);
    let mut key = BytesMut::with_capacity(start.len() + index_mac.len());
    key.put_slice(&start);
    key.put_slice(index_mac);
    key.freeze()
}

#[async_trait]
impl AppSyncStore for VaultBackend {
    async fn get_sync_key(&self, key_id: &[u8]) -> StoreResult<Option<AppStateSyncKey>> {
        let value = self
            .get(KeyKind::AppStateKey, Bytes::copy_from_slice(key_id))
            .await?;
        value.map(|bytes| from_json(&bytes)).transpose()
    }

    async fn set_sync_key(&self, key_id: &[u8], key: AppStateSyncKey) -> StoreResult<()> {
        let id = Bytes::copy_from_slice(key_id);
        let entries = vec![
            entry(KeyKind::AppStateKey, id.clone(), to_json(&key)?),
            entry(KeyKind::Meta, text(LATEST_KEY), id),
        ];
        self.put_many(entries).await
    }

    async fn get_version(&self, name: &str) -> StoreResult<HashState> {
        let value = self.get(KeyKind::AppStateVersion, text(name)).await?;
        value.map_or_else(|| Ok(HashState::default()), |bytes| from_json(&bytes))
    }

    async fn set_version(&self, name: &str, state: HashState) -> StoreResult<()> {
        self.put(KeyKind::AppStateVersion, text(name), to_json(&state)?)
            .await
    }

    async fn put_mutation_macs(
        &self,
        name: &str,
        _version: u64,
        mutations: &[AppStateMutationMAC],
    ) -> StoreResult<()> {
        let entries = mutations
            .iter()
            .map(|mac| {
                entry(
                    KeyKind::AppStateMac,
                    mac_key(name, &mac.index_mac),
                    mac.value_mac.clone(),
                )
            })
            .collect();
        self.put_many(entries).await
    }

    async fn get_mutation_mac(&self, name: &str, index_mac: &[u8]) -> StoreResult<Option<Vec<u8>>> {
        Ok(self
            .get(KeyKind::AppStateMac, mac_key(name, index_mac))
            .await?
            .map(Vec::from))
    }

    async fn get_mutation_macs(
        &self,
        name: &str,
        index_macs: &[[u8; 32]],
    ) -> StoreResult<HashMap<[u8; 32], Vec<u8>>> {
        let keys = index_macs.iter().map(|mac| mac_key(name, mac)).collect();
        let found: HashMap<Bytes, Bytes> = self
            .get_many(KeyKind::AppStateMac, keys)
            .await?
            .into_iter()
            .collect();
        let value_of = |mac: &[u8; 32]| found.get(&mac_key(name, mac)).map(|value| (*mac, value.to_vec()));
        Ok(index_macs.iter().filter_map(value_of).collect())
    }

    async fn delete_mutation_macs(&self, name: &str, index_macs: &[Vec<u8>]) -> StoreResult<()> {
        self.delete_many(
            KeyKind::AppStateMac,
            index_macs.iter().map(|mac| mac_key(name, mac)).collect(),
        )
        .await
    }

    async fn clear_mutation_macs(&self, name: &str) -> StoreResult<()> {
        self.delete_prefix(KeyKind::AppStateMac, prefix(&[name])).await
    }

    async fn get_latest_sync_key_id(&self) -> StoreResult<Option<Vec<u8>>> {
        Ok(self.get(KeyKind::Meta, text(LATEST_KEY)).await?.map(Vec::from))
    }
}
