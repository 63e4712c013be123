//! Keys of programs: made, listed, revoked, recognised.

use std::sync::Arc;

use super::Accounts;
use crate::model::{
    ApiKey, ApiKeyId, ApiKeyName, CursorPage, CursorQuery, KeyDigest, KeyScope, PlainKey, WorkspaceName,
};
use crate::{Error, Result};

/// A key that somebody wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewApiKey {
    /// What people will call it.
    pub name: ApiKeyName,
    /// What it may do.
    pub scope: KeyScope,
}

/// A key that was made just now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssuedKey {
    /// To be shown, this once.
    pub plain: PlainKey,
    /// What is kept.
    pub key: ApiKey,
}

impl Accounts {
    /// Takes the stored keys into memory, where callers are looked up. Call it once, before the first of them.
    pub async fn load_api_keys(&self) -> Result<()> {
        self.keyring.replace(self.parts.api_keys.all().await?);
        Ok(())
    }

    /// Makes a key. It opens from now on, and only the answer has it.
    #[tracing::instrument(skip_all)]
    pub async fn create_api_key(&self, new: NewApiKey) -> Result<IssuedKey> {
        let plain = PlainKey::from_bytes(self.parts.secrets.secret_bytes());
        let key = ApiKey {
            id: ApiKeyId::new(self.parts.ids.next()),
            name: new.name,
            prefix: plain.prefix(),
            digest: plain.digest(),
            scope: new.scope,
            created_at: self.parts.clock.now(),
            last_used_at: None,
        };
        self.parts.api_keys.create(&key).await?;
        self.keyring.add(key.clone());
        tracing::info!(key = %key.id, "an API key was made");
        Ok(IssuedKey { plain, key })
    }

    /// Keys, newest first. Asks memory alone.
    pub fn list_api_keys(&self, query: CursorQuery<ApiKeyId>) -> CursorPage<ApiKey, ApiKeyId> {
        let mut items = self.keyring.list();
        if let Some(after) = query.after {
            items.retain(|key| key.id < after);
        }
        let more = items.len() > query.limit() as usize;
        items.truncate(query.limit() as usize);
        CursorPage {
            next: items.last().filter(|_| more).map(|key| key.id),
            items,
        }
    }

    /// One key, or `NotFound`.
    pub fn get_api_key(&self, id: ApiKeyId) -> Result<ApiKey> {
        let found = self.keyring.list().into_iter().find(|key| key.id == id);
        found.ok_or_else(|| no_key(id))
    }

    /// Takes a key away, and with it every session that it opened; `NotFound` when there is none. After an error of the
    /// database it may still open: ask again.
    #[tracing::instrument(skip_all, fields(%id))]
    pub async fn revoke_api_key(&self, id: ApiKeyId) -> Result<()> {
        let stored = self.parts.api_keys.delete(id).await?;
        if self.keyring.remove(id) || stored {
            tracing::info!(key = %id, "an API key was revoked");
            Ok(())
        } else {
            Err(no_key(id))
        }
    }

    /// A workspace has another name in the store: its keys in memory follow.
    pub fn workspace_renamed(&self, from: &WorkspaceName, to: &WorkspaceName) {
        self.keyring.rename_workspace(from, to);
    }

    /// A workspace went with its keys in the store: they open nothing any more.
    pub fn workspace_deleted(&self, name: &WorkspaceName) {
        self.keyring.remove_workspace(name);
    }

    /// The key with this digest, when it is one; it counts as used now.
    pub fn key_with(&self, digest: &KeyDigest) -> Option<Arc<ApiKey>> {
        self.keyring.find(digest, self.parts.clock.now())
    }

    /// Returns once the key is none any more.
    pub async fn key_revoked(&self, id: ApiKeyId) {
        let mut changes = self.keyring.changes();
        while self.keyring.holds(id) {
            if changes.changed().await.is_err() {
                return;
            }
        }
    }

    /// Stores when keys were last used, where that has changed, and says of how many. Call it now and then, and before
    /// the database is closed.
    pub async fn note_key_uses(&self) -> Result<u64> {
        let uses = self.keyring.unnoted();
        if !uses.is_empty() {
            self.parts.api_keys.note_uses(&uses).await?;
            self.keyring.noted(&uses);
        }
        Ok(uses.len() as u64)
    }
}

fn no_key(id: ApiKeyId) -> Error {
    Error::NotFound {
        what: "api_key",
        id: id.to_string(),
    }
}
