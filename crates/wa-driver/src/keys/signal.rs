//! Signal state: identities, sessions, prekeys, sender keys. The hottest part of the store: every
//! batch is one durable write, because ciphertext must not leave before its ratchet step is on disk.

use std::sync::Arc;

use bytes::{BufMut, Bytes, BytesMut};
use wagate_domain::ports::{KeyEntry, KeyKind};
use whatsapp_rust::async_trait;
use whatsapp_rust::wacore::store::traits::SignalStore;

use super::codec::{array, number, read_number, text};
use super::{StoreResult, VaultBackend, entry};

/// First byte of a stored prekey: whether the server has it.
const UPLOADED: u8 = 1;
const KEPT: u8 = 0;

fn prekey_entry(id: u32, record: &[u8], uploaded: bool) -> KeyEntry {
    let mut value = BytesMut::with_capacity(record.len() + 1);
    value.put_u8(if uploaded { UPLOADED } else { KEPT });
    value.put_slice(record);
    entry(KeyKind::PreKey, number(id), value)
}

/// The record without its first byte.
fn prekey_record(value: &Bytes) -> Bytes {
    if value.is_empty() {
        Bytes::new()
    } else {
        value.slice(1..)
    }
}

#[async_trait]
impl SignalStore for VaultBackend {
    async fn put_identity(&self, address: &str, key: [u8; 32]) -> StoreResult<()> {
        self.put(KeyKind::Identity, text(address), key.to_vec()).await
    }

    async fn put_identities_batch(&self, identities: &[(Arc<str>, [u8; 32])]) -> StoreResult<()> {
        let entries = identities
            .iter()
            .map(|(address, key)| entry(KeyKind::Identity, text(address), key.to_vec()))
            .collect();
        self.put_many(entries).await
    }

    async fn load_identity(&self, address: &str) -> StoreResult<Option<[u8; 32]>> {
        let value = self.get(KeyKind::Identity, text(address)).await?;
        value.map(|bytes| array(&bytes, "identity key")).transpose()
    }

    async fn delete_identity(&self, address: &str) -> StoreResult<()> {
        self.delete(KeyKind::Identity, text(address)).await
    }

    async fn get_session(&self, address: &str) -> StoreResult<Option<Bytes>> {
        self.get(KeyKind::Session, text(address)).await
    }

    async fn put_session(&self, address: &str, session: &[u8]) -> StoreResult<()> {
        self.put(KeyKind::Session, text(address), session.to_vec()).await
    }

    async fn put_sessions_batch(&self, sessions: &[(Arc<str>, Bytes)]) -> StoreResult<()> {
        let entries = sessions
            .iter()
            .map(|(address, session)| entry(KeyKind::Session, text(address), session.clone()))
            .collect();
        self.put_many(entries).await
    }

    async fn delete_session(&self, address: &str) -> StoreResult<()> {
        self.delete(KeyKind::Session, text(address)).await
    }

    async fn has_session(&self, address: &str) -> StoreResult<bool> {
        Ok(self.get(KeyKind::Session, text(address)).await?.is_some())
    }

    async fn has_signal_state_for_user(&self, user: &str) -> StoreResult<bool> {
        // An address is `user@server` or `user:device@server`.
        for kind in [KeyKind::Session, KeyKind::Identity] {
            for after in ['@', ':'] {
                if !self.scan(kind, text(&format!("{user}{after}"))).await?.is_empty() {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    async fn store_prekey(&self, id: u32, record: &[u8], uploaded: bool) -> StoreResult<()> {
        self.put_many(vec![prekey_entry(id, record, uploaded)]).await
    }

    async fn store_prekeys_batch(&self, keys: &[(u32, Bytes)], uploaded: bool) -> StoreResult<()> {
        self.put_many(
            keys.iter()
                .map(|(id, record)| prekey_entry(*id, record, uploaded))
                .collect(),
        )
        .await
    }

    async fn load_prekey(&self, id: u32) -> StoreResult<Option<Bytes>> {
        Ok(self
            .get(KeyKind::PreKey, number(id))
            .await?
            .as_ref()
            .map(prekey_record))
    }

    async fn load_prekeys_batch(&self, ids: &[u32]) -> StoreResult<Vec<(u32, Bytes)>> {
        let found = self
            .get_many(KeyKind::PreKey, ids.iter().map(|id| number(*id)).collect())
            .await?;
        found
            .iter()
            .map(|(key, value)| Ok((read_number(key)?, prekey_record(value))))
            .collect()
    }

    async fn mark_prekeys_uploaded(&self, ids: &[u32]) -> StoreResult<()> {
        let _turn = self.turn.lock().await;
        let keys = self.load_prekeys_batch(ids).await?;
        // Replaces only what is still there: a key that was used up meanwhile must stay gone.
        self.replace_many(
            keys.iter()
                .map(|(id, record)| prekey_entry(*id, record, true))
                .collect(),
        )
        .await
    }

    async fn remove_prekey(&self, id: u32) -> StoreResult<()> {
        self.delete(KeyKind::PreKey, number(id)).await
    }

    async fn get_max_prekey_id(&self) -> StoreResult<u32> {
        let all = self.scan(KeyKind::PreKey, Bytes::new()).await?;
        let ids = all
            .iter()
            .map(|(key, _)| read_number(key))
            .collect::<StoreResult<Vec<_>>>()?;
        Ok(ids.into_iter().max().unwrap_or(0))
    }

    async fn store_signed_prekey(&self, id: u32, record: &[u8]) -> StoreResult<()> {
        self.put(KeyKind::SignedPreKey, number(id), record.to_vec()).await
    }

    async fn load_signed_prekey(&self, id: u32) -> StoreResult<Option<Vec<u8>>> {
        Ok(self.get(KeyKind::SignedPreKey, number(id)).await?.map(Vec::from))
    }

    async fn load_all_signed_prekeys(&self) -> StoreResult<Vec<(u32, Vec<u8>)>> {
        let all = self.scan(KeyKind::SignedPreKey, Bytes::new()).await?;
        all.into_iter()
            .map(|(key, value)| Ok((read_number(&key)?, value.into())))
            .collect()
    }

    async fn remove_signed_prekey(&self, id: u32) -> StoreResult<()> {
        self.delete(KeyKind::SignedPreKey, number(id)).await
    }

    async fn put_sender_key(&self, address: &str, record: &[u8]) -> StoreResult<()> {
        self.put(KeyKind::SenderKey, text(address), record.to_vec()).await
    }

    async fn put_sender_keys_batch(&self, sender_keys: &[(Arc<str>, Bytes)]) -> StoreResult<()> {
        let entries = sender_keys
            .iter()
            .map(|(address, record)| entry(KeyKind::SenderKey, text(address), record.clone()))
            .collect();
        self.put_many(entries).await
    }

    async fn get_sender_key(&self, address: &str) -> StoreResult<Option<Vec<u8>>> {
        Ok(self.get(KeyKind::SenderKey, text(address)).await?.map(Vec::from))
    }

    async fn delete_sender_key(&self, address: &str) -> StoreResult<()> {
        self.delete(KeyKind::SenderKey, text(address)).await
    }
}
