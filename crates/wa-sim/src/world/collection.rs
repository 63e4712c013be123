//! App-state collections of one account: the server's list of patches and the phone's reading of them.
//!
//! The server cannot read a patch; it only numbers it and refuses one that was built on an older version. The phone
//! holds the key, checks every MAC and writes patches of its own, so several writers share one collection.

use crate::clock;
use crate::phone::keys::{Secret, rng};
use anyhow::{Context as _, bail};
use buffa::{Message as _, MessageField};
use rand::RngExt as _;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use wacore_appstate::hash::{HashState, generate_patch_mac};
use wacore_appstate::{ExpandedAppStateKeys, Mutation, encode_record, expand_app_state_keys, process_patch};
use waproto::whatsapp as wa;

/// The five collections that clients know (seen in wacore-appstate 0.7.0).
pub const NAMES: [&str; 5] = [
    "critical_block",
    "critical_unblock_low",
    "regular_low",
    "regular_high",
    "regular",
];

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Collections {
    pub key_id: Vec<u8>,
    key: Secret,
    by_name: BTreeMap<String, Collection>,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Collection {
    /// Encoded `SyncdPatch`es; the patch at index n brings the collection to version n + 1.
    patches: Vec<Vec<u8>>,
    hash: HashState,
    /// Value MAC by index MAC, both in hex.
    macs: HashMap<String, String>,
}

impl Collection {
    pub fn version(&self) -> u64 {
        self.patches.len() as u64
    }

    /// The patches that bring a reader from `version` up to date.
    pub fn since(&self, version: u64) -> &[Vec<u8>] {
        let start = usize::try_from(version)
            .unwrap_or(usize::MAX)
            .min(self.patches.len());
        &self.patches[start..]
    }
}

impl Collections {
    pub fn generate(serial: u32) -> Self {
        let mut key_id = vec![0, 1];
        key_id.extend_from_slice(&serial.to_be_bytes());
        Self {
            key_id,
            key: Secret::generate(),
            by_name: BTreeMap::new(),
        }
    }

    pub fn key_data(&self) -> Vec<u8> {
        self.key.private().to_vec()
    }

    pub fn get(&mut self, name: &str) -> &Collection {
        self.by_name.entry(name.to_owned()).or_default()
    }

    /// Numbers a client's patch and stores it. The phone's reading of it is the result: what was changed, or why the
    /// patch is not the honest work of a key holder.
    pub fn accept(&mut self, name: &str, patch: &[u8]) -> anyhow::Result<anyhow::Result<Vec<Mutation>>> {
        let mut patch = wa::SyncdPatch::decode_from_slice(patch)?;
        let version = self.get(name).version() + 1;
        patch.version = MessageField::some(wa::SyncdVersion {
            version: Some(version),
        });
        Ok(self.store(name, &patch))
    }

    fn store(&mut self, name: &str, patch: &wa::SyncdPatch) -> anyhow::Result<Vec<Mutation>> {
        let (key_id, keys) = (self.key_id.clone(), Arc::new(self.expanded()));
        let collection = self.by_name.entry(name.to_owned()).or_default();
        collection.patches.push(patch.encode_to_vec());
        collection.read(name, patch, &key_id, &keys)
    }

    fn expanded(&self) -> ExpandedAppStateKeys {
        expand_app_state_keys(self.key.private())
    }

    /// Writes one patch as the phone: sets `index` to `value`.
    pub fn write(
        &mut self,
        name: &str,
        index: &[&str],
        value: &wa::SyncActionValue,
        schema_version: i32,
    ) -> anyhow::Result<u64> {
        let keys = self.expanded();
        let index = serde_json::to_vec(index)?;
        let mut iv = [0; 16];
        rng().fill(&mut iv);
        let set = wa::syncd_mutation::SyncdOperation::SET;
        let (mutation, _) = encode_record(set, &index, value, &keys, &self.key_id, &iv, schema_version);
        let patch = self.seal(name, mutation, &keys)?;
        self.store(name, &patch)
            .context("reading the phone's own patch")?;
        Ok(self.get(name).version())
    }

    fn seal(
        &mut self,
        name: &str,
        mutation: wa::SyncdMutation,
        keys: &ExpandedAppStateKeys,
    ) -> anyhow::Result<wa::SyncdPatch> {
        let key_id = self.key_id.clone();
        let collection = self.get(name);
        let mut hash = collection.hash.clone();
        hash.version = collection.version() + 1;
        let (_, updated) = hash.update_hash(std::slice::from_ref(&mutation), |index_mac, _| {
            Ok(collection.previous(index_mac))
        });
        updated?;
        let mut patch = wa::SyncdPatch {
            version: MessageField::some(wa::SyncdVersion {
                version: Some(hash.version),
            }),
            snapshot_mac: Some(hash.generate_snapshot_mac(name, &keys.snapshot_mac)),
            key_id: MessageField::some(wa::KeyId { id: Some(key_id) }),
            mutations: vec![mutation],
            ..Default::default()
        };
        patch.patch_mac = Some(generate_patch_mac(&patch, name, &keys.patch_mac, hash.version));
        Ok(patch)
    }
}

impl Collection {
    fn previous(&self, index_mac: &[u8]) -> Option<Vec<u8>> {
        self.macs
            .get(&hex::encode(index_mac))
            .and_then(|mac| hex::decode(mac).ok())
    }

    /// Applies a stored patch to the phone's own state, checking all MACs.
    fn read(
        &mut self,
        name: &str,
        patch: &wa::SyncdPatch,
        key_id: &[u8],
        keys: &Arc<ExpandedAppStateKeys>,
    ) -> anyhow::Result<Vec<Mutation>> {
        if patch.key_id.id.as_deref() != Some(key_id) {
            bail!("the patch names an unknown key");
        }
        let mut hash = self.hash.clone();
        let outcome = process_patch(
            patch,
            &mut hash,
            |_| Ok(keys.clone()),
            |mac| Ok(self.previous(mac)),
            true,
            name,
        )?;
        self.hash = hash;
        for removed in &outcome.removed_index_macs {
            self.macs.remove(&hex::encode(removed));
        }
        for added in &outcome.added_macs {
            self.macs
                .insert(hex::encode(&added.index_mac), hex::encode(&added.value_mac));
        }
        Ok(outcome.mutations)
    }
}

/// An address-book entry.
pub fn contact_value(name: &str, lid: &str) -> wa::SyncActionValue {
    wa::SyncActionValue {
        timestamp: Some(timestamp()),
        contact_action: MessageField::some(wa::sync_action_value::ContactAction {
            full_name: Some(name.to_owned()),
            first_name: name.split_whitespace().next().map(str::to_owned),
            lid_jid: Some(lid.to_owned()),
            save_on_primary_addressbook: Some(true),
            ..Default::default()
        }),
        ..Default::default()
    }
}

/// The account's own display name.
pub fn push_name_value(name: &str) -> wa::SyncActionValue {
    wa::SyncActionValue {
        timestamp: Some(timestamp()),
        push_name_setting: MessageField::some(wa::sync_action_value::PushNameSetting {
            name: Some(name.to_owned()),
        }),
        ..Default::default()
    }
}

fn timestamp() -> i64 {
    i64::try_from(clock::now_ms()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_patch_of_every_writer_checks_out() {
        let mut collections = Collections::generate(1);
        for (round, name) in ["Ada", "Bob", "Ada Lovelace"].into_iter().enumerate() {
            let version = collections
                .write(
                    "critical_unblock_low",
                    &["contact", "1@s.whatsapp.net"],
                    &contact_value(name, "2@lid"),
                    2,
                )
                .unwrap();
            assert_eq!(version, round as u64 + 1);
        }
        assert_eq!(collections.get("critical_unblock_low").since(1).len(), 2);
    }

    #[test]
    fn a_forged_patch_is_noticed() {
        let mut writer = Collections::generate(1);
        writer
            .write(
                "critical_block",
                &["setting_pushName"],
                &push_name_value("Mallory"),
                1,
            )
            .unwrap();
        let forged = writer.get("critical_block").since(0)[0].clone();
        let mut victim = Collections::generate(1);
        assert!(victim.accept("critical_block", &forged).unwrap().is_err());
    }
}
