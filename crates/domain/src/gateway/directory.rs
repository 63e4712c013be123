//! People and groups.

use super::Gateway;
use crate::Result;
use crate::model::{Contact, Device, Group, Jid, PhoneNumber, Region, Token};
use crate::ports::{NumberLookup, Session};

impl Gateway {
    /// The device's contacts, as its phone synced them and names were seen.
    pub async fn list_contacts(&self, token: &Token) -> Result<Vec<Contact>> {
        let device = self.device(token).await?;
        self.parts.directory.contacts(device.id).await
    }

    /// The groups that the account is in, asked of WhatsApp now.
    pub async fn list_groups(&self, token: &Token) -> Result<Vec<Group>> {
        let device = self.device(token).await?;
        self.connected_session(&device)?.groups().await
    }

    /// The account behind a number, from the cache or asked of WhatsApp; `None` when it has none.
    pub(super) async fn account_of(&self, session: &dyn Session, phone: &PhoneNumber) -> Result<Option<Jid>> {
        if let Some(known) = self.parts.directory.lookup(phone).await?
            && self.is_fresh(&known)
        {
            return Ok(known.jid);
        }
        let Some(lookup) = session
            .look_up(std::slice::from_ref(phone))
            .await?
            .into_iter()
            .next()
        else {
            return Ok(None);
        };
        self.parts.directory.remember_lookup(&lookup).await?;
        Ok(lookup.jid)
    }

    /// The region that completes national numbers for this device.
    pub(super) fn region_for(&self, device: &Device) -> Option<Region> {
        self.settings
            .default_region
            .or_else(|| Region::of(&PhoneNumber::parse(device.phone()?, None).ok()?))
    }

    fn is_fresh(&self, lookup: &NumberLookup) -> bool {
        let ttl = match lookup.jid {
            Some(_) => self.settings.lookup_ttl,
            None => self.settings.missing_lookup_ttl,
        };
        self.parts.clock.now().since(lookup.checked_at) < ttl
    }
}
