//! Secrets of messages, with which later votes, edits and answers to them are decrypted.

use std::collections::HashMap;

use bytes::{BufMut, Bytes, BytesMut};
use wagate_domain::model::Timestamp;
use wagate_domain::ports::{KeyEntry, KeyKind};
use whatsapp_rust::async_trait;
use whatsapp_rust::wacore::store::traits::{
    MessageSecret, MsgSecretEntry, MsgSecretStore, merge_msg_secret_expiry, merge_msg_secret_message_ts,
};

use super::codec::{array, parts};
use super::{StoreResult, VaultBackend};

/// A secret as stored: the secret, its deadline and the time of its message, both in unix seconds.
struct Stored {
    secret: MessageSecret,
    expires_at: i64,
    message_ts: i64,
}

impl Stored {
    const LEN: usize = 48;

    fn read(bytes: &[u8]) -> StoreResult<Self> {
        let all: [u8; Self::LEN] = array(bytes, "message secret")?;
        Ok(Self {
            secret: array(&all[..32], "secret")?,
            expires_at: i64::from_be_bytes(array(&all[32..40], "deadline")?),
            message_ts: i64::from_be_bytes(array(&all[40..], "message time")?),
        })
    }

    /// Later deadline and later known time win, so that a redelivery never shortens a window.
    fn merge(&mut self, older: &Self) {
        self.expires_at = merge_msg_secret_expiry(older.expires_at, self.expires_at);
        self.message_ts = merge_msg_secret_message_ts(older.message_ts, self.message_ts);
    }

    fn into_entry(self, key: Bytes) -> KeyEntry {
        let mut value = BytesMut::with_capacity(Self::LEN);
        value.put_slice(&self.secret);
        value.put_i64(self.expires_at);
        value.put_i64(self.message_ts);
        KeyEntry {
            kind: KeyKind::MessageSecret,
            key,
            value: value.freeze(),
            expires_at: (self.expires_at != 0).then(|| Timestamp::from_secs(self.expires_at)),
        }
    }
}

#[async_trait]
impl MsgSecretStore for VaultBackend {
    async fn put_msg_secret(
        &self,
        chat: &str,
        sender: &str,
        msg_id: &str,
        secret: &MessageSecret,
    ) -> StoreResult<()> {
        let entry = MsgSecretEntry {
            chat: chat.into(),
            sender: sender.into(),
            msg_id: msg_id.into(),
            secret: *secret,
            expires_at: 0,
            message_ts: 0,
        };
        self.put_msg_secrets(vec![entry]).await.map(drop)
    }

    async fn put_msg_secrets(&self, entries: Vec<MsgSecretEntry>) -> StoreResult<usize> {
        let count = entries.len();
        let _turn = self.turn.lock().await;
        let keys = entries
            .iter()
            .map(|e| parts(&[&e.chat, &e.sender, &e.msg_id]))
            .collect();
        let mut merged = HashMap::new();
        for (key, value) in self.get_many(KeyKind::MessageSecret, keys).await? {
            merged.insert(key, Stored::read(&value)?);
        }
        for e in entries {
            let mut new = Stored {
                secret: e.secret,
                expires_at: e.expires_at,
                message_ts: e.message_ts,
            };
            let key = parts(&[&e.chat, &e.sender, &e.msg_id]);
            if let Some(older) = merged.get(&key) {
                new.merge(older);
            }
            merged.insert(key, new);
        }
        self.put_many(
            merged
                .into_iter()
                .map(|(key, stored)| stored.into_entry(key))
                .collect(),
        )
        .await?;
        Ok(count)
    }

    async fn get_msg_secret(&self, chat: &str, sender: &str, msg_id: &str) -> StoreResult<Option<Vec<u8>>> {
        Ok(self
            .get_msg_secret_with_ts(chat, sender, msg_id)
            .await?
            .map(|(secret, _)| secret))
    }

    async fn get_msg_secret_with_ts(
        &self,
        chat: &str,
        sender: &str,
        msg_id: &str,
    ) -> StoreResult<Option<(Vec<u8>, i64)>> {
        let value = self
            .get(KeyKind::MessageSecret, parts(&[chat, sender, msg_id]))
            .await?;
        let stored = value.map(|bytes| Stored::read(&bytes)).transpose()?;
        Ok(stored.map(|stored| (stored.secret.to_vec(), stored.message_ts)))
    }

    async fn delete_expired_msg_secrets(&self, cutoff_timestamp: i64) -> StoreResult<u32> {
        self.expire(KeyKind::MessageSecret, Timestamp::from_secs(cutoff_timestamp))
            .await
    }
}
