//! The stored keys in memory: asking who calls must not cost a query.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use subtle::ConstantTimeEq as _;
use tokio::sync::watch;

use crate::model::{ApiKey, ApiKeyId, KeyDigest, KeyReach, KeyScope, Timestamp, WorkspaceName};

/// When a key was last used is kept to this.
const GRAIN: Duration = Duration::from_mins(1);

/// Before any use.
const NEVER: i64 = i64::MIN;

struct Entry {
    key: Arc<ApiKey>,
    used: AtomicI64,
    /// The last use that is stored.
    noted: AtomicI64,
}

impl Entry {
    fn new(key: ApiKey) -> Self {
        let used = key.last_used_at.map_or(NEVER, |at| at.0);
        Self {
            key: Arc::new(key),
            used: AtomicI64::new(used),
            noted: AtomicI64::new(used),
        }
    }

    fn last_used(&self) -> Option<Timestamp> {
        let used = self.used.load(Ordering::Relaxed);
        (used != NEVER).then_some(Timestamp(used))
    }

    fn use_at(&self, now: Timestamp) {
        if self.last_used().is_none_or(|last| last + GRAIN <= now) {
            self.used.store(now.0, Ordering::Relaxed);
        }
    }

    fn shown(&self) -> ApiKey {
        ApiKey {
            last_used_at: self.last_used(),
            ..(*self.key).clone()
        }
    }
}

/// All keys that are stored.
pub(super) struct Keyring {
    entries: RwLock<Vec<Entry>>,
    changed: watch::Sender<()>,
}

impl Default for Keyring {
    fn default() -> Self {
        Self {
            entries: RwLock::default(),
            changed: watch::Sender::new(()),
        }
    }
}

impl Keyring {
    /// Holds these keys, and no others.
    pub(super) fn replace(&self, keys: Vec<ApiKey>) {
        *self.write() = keys.into_iter().map(Entry::new).collect();
        self.changed.send_replace(());
    }

    pub(super) fn add(&self, key: ApiKey) {
        self.write().push(Entry::new(key));
    }

    /// Forgets a key; says whether it was there.
    pub(super) fn remove(&self, id: ApiKeyId) -> bool {
        let mut entries = self.write();
        let before = entries.len();
        entries.retain(|entry| entry.key.id != id);
        let removed = entries.len() < before;
        drop(entries);
        self.changed.send_replace(());
        removed
    }

    /// The key with this digest, which is used at this moment. Compares with every key, each in constant time: how long
    /// it takes says nothing of how near somebody came.
    pub(super) fn find(&self, digest: &KeyDigest, now: Timestamp) -> Option<Arc<ApiKey>> {
        let entries = self.read();
        let mut found = None;
        for entry in entries.iter() {
            if bool::from(entry.key.digest.0.ct_eq(&digest.0)) {
                found = Some(entry);
            }
        }
        let found = found?;
        found.use_at(now);
        Some(found.key.clone())
    }

    /// Keys for one workspace are for another.
    pub(super) fn rename_workspace(&self, from: &WorkspaceName, to: &WorkspaceName) {
        for entry in self.write().iter_mut() {
            if let KeyScope::Limited { reach, .. } = &mut Arc::make_mut(&mut entry.key).scope
                && matches!(reach, KeyReach::Workspace(name) if name == from)
            {
                *reach = KeyReach::Workspace(to.clone());
            }
        }
    }

    /// Forgets the keys for a workspace.
    pub(super) fn remove_workspace(&self, name: &WorkspaceName) {
        let of_it =
            |entry: &Entry| matches!(entry.key.scope.reach(), KeyReach::Workspace(own) if own == name);
        self.write().retain(|entry| !of_it(entry));
        self.changed.send_replace(());
    }

    /// Whether a key is still one.
    pub(super) fn holds(&self, id: ApiKeyId) -> bool {
        self.read().iter().any(|entry| entry.key.id == id)
    }

    /// Every key, newest first.
    pub(super) fn list(&self) -> Vec<ApiKey> {
        let mut keys: Vec<ApiKey> = self.read().iter().map(Entry::shown).collect();
        keys.sort_unstable_by_key(|key| std::cmp::Reverse(key.id));
        keys
    }

    /// Last uses that are not stored yet.
    pub(super) fn unnoted(&self) -> Vec<(ApiKeyId, Timestamp)> {
        let entries = self.read();
        let unnoted = entries.iter().filter_map(|entry| {
            let used = entry.last_used()?;
            (entry.noted.load(Ordering::Relaxed) != used.0).then_some((entry.key.id, used))
        });
        unnoted.collect()
    }

    /// These uses are stored.
    pub(super) fn noted(&self, uses: &[(ApiKeyId, Timestamp)]) {
        let entries = self.read();
        for (id, at) in uses {
            if let Some(entry) = entries.iter().find(|entry| entry.key.id == *id) {
                entry.noted.store(at.0, Ordering::Relaxed);
            }
        }
    }

    /// Changes whenever a key goes.
    pub(super) fn changes(&self) -> watch::Receiver<()> {
        self.changed.subscribe()
    }

    fn read(&self) -> RwLockReadGuard<'_, Vec<Entry>> {
        self.entries.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Vec<Entry>> {
        self.entries.write().unwrap_or_else(PoisonError::into_inner)
    }
}
