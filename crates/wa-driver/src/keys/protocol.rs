//! Everything else that the protocol remembers: who has our group keys, LID to phone number, device
//! lists, trust tokens, sent messages for retries, and inbound messages that are not yet committed.

use std::time::Duration;

use bytes::Bytes;
use wagate_domain::model::Timestamp;
use wagate_domain::ports::{KeyEntry, KeyKind};
use whatsapp_rust::async_trait;
use whatsapp_rust::wacore::store::traits::{
    DeviceListRecord, LidPnMappingEntry, PendingInboundKey, PendingInboundRow, ProtocolStore, TcTokenEntry,
};

use super::codec::{from_json, last_part, parts, prefix, text, to_json, utf8};
use super::{StoreResult, VaultBackend, entry};

/// How long upstream keeps what it sent for retries. Its sweep names a cutoff of "now minus this".
const SENT_TTL: Duration = Duration::from_hours(2);
/// How long upstream keeps inbound messages that nobody committed.
const PENDING_TTL: Duration = Duration::from_hours(7 * 24);

/// Upstream's sweeps name the oldest time of *writing* to keep, in unix seconds; the vault knows the
/// time of *expiry*. One is the other plus the lifetime, and "before" is one millisecond less.
fn expiry_before(cutoff_secs: i64, ttl: Duration) -> Timestamp {
    Timestamp(Timestamp::from_secs(cutoff_secs).0 - 1) + ttl
}

impl VaultBackend {
    fn pending(&self, chat: &str, sender: &str, id: &str, message: &[u8]) -> KeyEntry {
        KeyEntry {
            kind: KeyKind::PendingInbound,
            key: parts(&[chat, sender, id]),
            value: Bytes::copy_from_slice(message),
            expires_at: Some(self.now() + PENDING_TTL),
        }
    }
}

fn is_live(token: &TcTokenEntry, token_cutoff: i64, sender_cutoff: i64) -> bool {
    let received = !token.token.is_empty() && token.token_timestamp >= token_cutoff;
    received || token.sender_timestamp.is_some_and(|at| at >= sender_cutoff)
}

#[async_trait]
impl ProtocolStore for VaultBackend {
    async fn get_sender_key_devices(&self, group_jid: &str) -> StoreResult<Vec<(String, bool)>> {
        let rows = self.scan(KeyKind::SenderKeyDevice, prefix(&[group_jid])).await?;
        rows.iter()
            .map(|(key, value)| Ok((last_part(key)?, value.first() == Some(&1))))
            .collect()
    }

    async fn set_sender_key_status(&self, group_jid: &str, entries: &[(&str, bool)]) -> StoreResult<()> {
        let row = |(device, has_key): &(&str, bool)| {
            entry(
                KeyKind::SenderKeyDevice,
                parts(&[group_jid, device]),
                vec![u8::from(*has_key)],
            )
        };
        self.put_many(entries.iter().map(row).collect()).await
    }

    async fn clear_sender_key_devices(&self, group_jid: &str) -> StoreResult<()> {
        self.delete_prefix(KeyKind::SenderKeyDevice, prefix(&[group_jid]))
            .await
    }

    async fn delete_sender_key_device_rows(&self, device_jids: &[&str]) -> StoreResult<()> {
        if device_jids.is_empty() {
            return Ok(());
        }
        let rows = self.scan(KeyKind::SenderKeyDevice, Bytes::new()).await?;
        let named = |key: &Bytes| last_part(key).is_ok_and(|device| device_jids.contains(&device.as_str()));
        self.delete_many(
            KeyKind::SenderKeyDevice,
            rows.into_iter().map(|(key, _)| key).filter(named).collect(),
        )
        .await
    }

    async fn clear_all_sender_key_devices(&self) -> StoreResult<()> {
        self.delete_prefix(KeyKind::SenderKeyDevice, Bytes::new()).await
    }

    async fn get_lid_mapping(&self, lid: &str) -> StoreResult<Option<LidPnMappingEntry>> {
        let value = self.get(KeyKind::LidMapping, text(lid)).await?;
        value.map(|bytes| from_json(&bytes)).transpose()
    }

    async fn get_pn_mapping(&self, phone: &str) -> StoreResult<Option<LidPnMappingEntry>> {
        // The rows by phone number are an index: what they point at decides.
        let index = self.scan(KeyKind::PhoneMapping, prefix(&[phone])).await?;
        let lids = index
            .iter()
            .map(|(key, _)| last_part(key).map(|lid| text(&lid)))
            .collect::<StoreResult<_>>()?;
        let mut newest: Option<LidPnMappingEntry> = None;
        for (_, value) in self.get_many(KeyKind::LidMapping, lids).await? {
            let mapping: LidPnMappingEntry = from_json(&value)?;
            let newer = newest
                .as_ref()
                .is_none_or(|other| mapping.updated_at > other.updated_at);
            if mapping.phone_number == phone && newer {
                newest = Some(mapping);
            }
        }
        Ok(newest)
    }

    async fn put_lid_mapping(&self, entry: &LidPnMappingEntry) -> StoreResult<()> {
        self.put_lid_mappings(std::slice::from_ref(entry)).await
    }

    async fn put_lid_mappings(&self, entries: &[LidPnMappingEntry]) -> StoreResult<()> {
        let _turn = self.turn.lock().await;
        let before = self
            .get_many(
                KeyKind::LidMapping,
                entries.iter().map(|e| text(&e.lid)).collect(),
            )
            .await?;
        let mut stale = Vec::new();
        for (_, value) in before {
            let old: LidPnMappingEntry = from_json(&value)?;
            if entries
                .iter()
                .any(|new| new.lid == old.lid && new.phone_number != old.phone_number)
            {
                stale.push(parts(&[&old.phone_number, &old.lid]));
            }
        }
        let mut rows = Vec::with_capacity(entries.len() * 2);
        for mapping in entries {
            rows.push(entry(KeyKind::LidMapping, text(&mapping.lid), to_json(mapping)?));
            rows.push(entry(
                KeyKind::PhoneMapping,
                parts(&[&mapping.phone_number, &mapping.lid]),
                Bytes::new(),
            ));
        }
        self.put_many(rows).await?;
        self.delete_many(KeyKind::PhoneMapping, stale).await
    }

    async fn get_all_lid_mappings(&self) -> StoreResult<Vec<LidPnMappingEntry>> {
        let rows = self.scan(KeyKind::LidMapping, Bytes::new()).await?;
        rows.iter().map(|(_, value)| from_json(value)).collect()
    }

    async fn save_base_key(&self, address: &str, message_id: &str, base_key: &[u8]) -> StoreResult<()> {
        self.put(KeyKind::BaseKey, parts(&[address, message_id]), base_key.to_vec())
            .await
    }

    async fn has_same_base_key(
        &self,
        address: &str,
        message_id: &str,
        current_base_key: &[u8],
    ) -> StoreResult<bool> {
        let saved = self.get(KeyKind::BaseKey, parts(&[address, message_id])).await?;
        Ok(saved.is_some_and(|key| key == current_base_key))
    }

    async fn delete_base_key(&self, address: &str, message_id: &str) -> StoreResult<()> {
        self.delete(KeyKind::BaseKey, parts(&[address, message_id])).await
    }

    async fn update_device_list(&self, record: DeviceListRecord) -> StoreResult<()> {
        self.update_device_lists(vec![record]).await
    }

    async fn update_device_lists(&self, records: Vec<DeviceListRecord>) -> StoreResult<()> {
        let row =
            |record: &DeviceListRecord| Ok(entry(KeyKind::DeviceList, text(&record.user), to_json(record)?));
        self.put_many(records.iter().map(row).collect::<StoreResult<_>>()?)
            .await
    }

    async fn get_devices(&self, user: &str) -> StoreResult<Option<DeviceListRecord>> {
        let value = self.get(KeyKind::DeviceList, text(user)).await?;
        value.map(|bytes| from_json(&bytes)).transpose()
    }

    async fn delete_devices(&self, user: &str) -> StoreResult<()> {
        self.delete(KeyKind::DeviceList, text(user)).await
    }

    async fn get_group_metadata(&self, group_jid: &str) -> StoreResult<Option<Vec<u8>>> {
        Ok(self
            .get(KeyKind::GroupMetadata, text(group_jid))
            .await?
            .map(Vec::from))
    }

    async fn put_group_metadata(&self, group_jid: &str, blob: &[u8]) -> StoreResult<()> {
        self.put(KeyKind::GroupMetadata, text(group_jid), blob.to_vec())
            .await
    }

    async fn delete_group_metadata(&self, group_jid: &str) -> StoreResult<()> {
        self.delete(KeyKind::GroupMetadata, text(group_jid)).await
    }

    async fn get_tc_token(&self, jid: &str) -> StoreResult<Option<TcTokenEntry>> {
        let value = self.get(KeyKind::TrustToken, text(jid)).await?;
        value.map(|bytes| from_json(&bytes)).transpose()
    }

    async fn put_tc_token(&self, jid: &str, entry: &TcTokenEntry) -> StoreResult<()> {
        self.put(KeyKind::TrustToken, text(jid), to_json(entry)?).await
    }

    async fn delete_tc_token(&self, jid: &str) -> StoreResult<()> {
        self.delete(KeyKind::TrustToken, text(jid)).await
    }

    async fn get_all_tc_token_jids(&self) -> StoreResult<Vec<String>> {
        let rows = self.scan(KeyKind::TrustToken, Bytes::new()).await?;
        rows.iter().map(|(key, _)| utf8(key)).collect()
    }

    async fn delete_expired_tc_tokens(&self, token_cutoff: i64, sender_cutoff: i64) -> StoreResult<u32> {
        let _turn = self.turn.lock().await;
        let mut dead = Vec::new();
        for (key, value) in self.scan(KeyKind::TrustToken, Bytes::new()).await? {
            if !is_live(&from_json(&value)?, token_cutoff, sender_cutoff) {
                dead.push(key);
            }
        }
        let count = u32::try_from(dead.len()).unwrap_or(u32::MAX);
        self.delete_many(KeyKind::TrustToken, dead).await?;
        Ok(count)
    }

    async fn touch_tc_token_sender_timestamp(&self, jid: &str, sender_timestamp: i64) -> StoreResult<()> {
        let _turn = self.turn.lock().await;
        let mut token = self.get_tc_token(jid).await?.unwrap_or(TcTokenEntry {
            token: Vec::new(),
            token_timestamp: sender_timestamp,
            sender_timestamp: None,
        });
        token.sender_timestamp = token.sender_timestamp.max(Some(sender_timestamp));
        self.put_tc_token(jid, &token).await
    }

    async fn store_received_tc_token(
        &self,
        jid: &str,
        token: &[u8],
        token_timestamp: i64,
    ) -> StoreResult<()> {
        let _turn = self.turn.lock().await;
        let known = self.get_tc_token(jid).await?;
        // A placeholder without a token never holds up the first real one.
        if known
            .as_ref()
            .is_some_and(|known| !known.token.is_empty() && token_timestamp < known.token_timestamp)
        {
            return Ok(());
        }
        let sender_timestamp = known.and_then(|known| known.sender_timestamp);
        self.put_tc_token(
            jid,
            &TcTokenEntry {
                token: token.to_vec(),
                token_timestamp,
                sender_timestamp,
            },
        )
        .await
    }

    async fn store_sent_message(&self, chat_jid: &str, message_id: &str, payload: &[u8]) -> StoreResult<()> {
        let row = KeyEntry {
            kind: KeyKind::SentMessage,
            key: parts(&[chat_jid, message_id]),
            value: Bytes::copy_from_slice(payload),
            expires_at: Some(self.now() + SENT_TTL),
        };
        self.put_many(vec![row]).await
    }

    async fn take_sent_message(&self, chat_jid: &str, message_id: &str) -> StoreResult<Option<Vec<u8>>> {
        Ok(self
            .take(KeyKind::SentMessage, parts(&[chat_jid, message_id]))
            .await?
            .map(Vec::from))
    }

    async fn delete_expired_sent_messages(&self, cutoff_timestamp: i64) -> StoreResult<u32> {
        self.expire(KeyKind::SentMessage, expiry_before(cutoff_timestamp, SENT_TTL))
            .await
    }

    async fn store_pending_inbound(
        &self,
        chat: &str,
        sender: &str,
        id: &str,
        message: &[u8],
    ) -> StoreResult<()> {
        self.put_patiently(vec![self.pending(chat, sender, id, message)])
            .await
    }

    async fn get_pending_inbound(&self, chat: &str, sender: &str, id: &str) -> StoreResult<Option<Vec<u8>>> {
        Ok(self
            .get(KeyKind::PendingInbound, parts(&[chat, sender, id]))
            .await?
            .map(Vec::from))
    }

    async fn delete_pending_inbound(&self, chat: &str, sender: &str, id: &str) -> StoreResult<()> {
        self.delete(KeyKind::PendingInbound, parts(&[chat, sender, id]))
            .await
    }

    async fn delete_expired_pending_inbound(&self, cutoff_timestamp: i64) -> StoreResult<u32> {
        self.expire(
            KeyKind::PendingInbound,
            expiry_before(cutoff_timestamp, PENDING_TTL),
        )
        .await
    }

    async fn store_pending_inbound_batch(&self, rows: &[PendingInboundRow<'_>]) -> StoreResult<()> {
        self.put_patiently(
            rows.iter()
                .map(|row| self.pending(row.chat, row.sender, row.id, row.message))
                .collect(),
        )
        .await
    }

    async fn delete_pending_inbound_batch(&self, keys: &[PendingInboundKey<'_>]) -> StoreResult<()> {
        let keys = keys
            .iter()
            .map(|key| parts(&[key.chat, key.sender, key.id]))
            .collect();
        self.delete_many(KeyKind::PendingInbound, keys).await
    }
}
