//! Admins and their sessions in memory.

use async_trait::async_trait;

use super::memory::MemoryStore;
use crate::model::{Account, Admin, AdminName, SignIn, Timestamp, TokenDigest};
use crate::ports::{Admins, SignIns};
use crate::{Error, Result};

#[async_trait]
impl Admins for MemoryStore {
    async fn any(&self) -> Result<bool> {
        Ok(!self.lock()?.admins.is_empty())
    }

    async fn find(&self, name: &AdminName) -> Result<Option<Admin>> {
        let state = self.lock()?;
        Ok(state.admins.values().find(|admin| admin.name == *name).cloned())
    }

    async fn create_first(&self, admin: &Admin) -> Result<bool> {
        let mut state = self.lock()?;
        if !state.admins.is_empty() {
            return Ok(false);
        }
        state.admins.insert(admin.id, admin.clone());
        Ok(true)
    }
}

#[async_trait]
impl SignIns for MemoryStore {
    async fn create(&self, sign_in: &SignIn) -> Result<()> {
        let mut state = self.lock()?;
        if let Account::Admin { id, .. } = &sign_in.account
            && !state.admins.contains_key(id)
        {
            return Err(Error::NotFound {
                what: "admin",
                id: id.to_string(),
            });
        }
        state.sign_ins.insert(sign_in.token, sign_in.clone());
        Ok(())
    }

    async fn find(&self, token: &TokenDigest) -> Result<Option<SignIn>> {
        Ok(self.lock()?.sign_ins.get(token).cloned())
    }

    async fn extend(&self, token: &TokenDigest, expires_at: Timestamp) -> Result<bool> {
        let mut state = self.lock()?;
        let found = state.sign_ins.get_mut(token);
        Ok(found.map(|sign_in| sign_in.expires_at = expires_at).is_some())
    }

    async fn delete(&self, token: &TokenDigest) -> Result<()> {
        self.lock()?.sign_ins.remove(token);
        Ok(())
    }

    async fn prune(&self, now: Timestamp, limit: u32) -> Result<u64> {
        let mut state = self.lock()?;
        let expired: Vec<TokenDigest> = state
            .sign_ins
            .values()
            .filter(|sign_in| sign_in.expires_at <= now)
            .map(|sign_in| sign_in.token)
            .take(limit as usize)
            .collect();
        state.sign_ins.retain(|token, _| !expired.contains(token));
        Ok(expired.len() as u64)
    }
}
