//! People and groups.

use super::Gateway;
use crate::model::{Contact, CursorPage, CursorQuery, Device, Group, Jid, PhoneNumber, Region, Token};
use crate::ports::{NumberLookup, Session};
use crate::{Error, Result};

impl Gateway {
    /// All of the device's contacts, as its phone synced them and names were seen, by address.
    pub async fn all_contacts(&self, token: &Token) -> Result<Vec<Contact>> {
        let device = self.device(token).await?;
        self.parts.directory.contacts(device.id).await
    }

    /// The device's contacts that have `search` in a name or in their number, by address.
    pub async fn list_contacts(
        &self,
        token: &Token,
        search: Option<&str>,
        query: &CursorQuery<Jid>,
    ) -> Result<CursorPage<Contact, Jid>> {
        let mut contacts = self.all_contacts(token).await?;
        if let Some(text) = search.map(fold) {
            contacts.retain(|contact| contact_has(contact, &text));
        }
        Ok(page_by_address(contacts, query, |contact| &contact.jid))
    }

    /// All groups that the account is in, asked of WhatsApp now.
    pub async fn all_groups(&self, token: &Token) -> Result<Vec<Group>> {
        let device = self.device(token).await?;
        let groups = self.connected_session(&device)?.groups().await?;
        self.remember_subjects(device.id, &groups).await;
        Ok(groups)
    }

    /// The groups that have `search` in their name, by address; asked of WhatsApp now.
    pub async fn list_groups(
        &self,
        token: &Token,
        search: Option<&str>,
        query: &CursorQuery<Jid>,
    ) -> Result<CursorPage<Group, Jid>> {
        let mut groups = self.all_groups(token).await?;
        if let Some(text) = search.map(fold) {
            groups.retain(|group| fold(&group.name).contains(&text));
        }
        Ok(page_by_address(groups, query, |group| &group.jid))
    }

    /// One group that the account is in, or `NotFound`; asked of WhatsApp now.
    pub async fn get_group(&self, token: &Token, id: &Jid) -> Result<Group> {
        let groups = self.all_groups(token).await?;
        let found = groups.into_iter().find(|group| group.jid == *id);
        found.ok_or_else(|| Error::NotFound {
            what: "group",
            id: id.to_string(),
        })
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
        self.default_region()
            .or_else(|| Region::of(&PhoneNumber::parse(device.phone()?, None).ok()?))
    }

    pub(super) fn is_fresh(&self, lookup: &NumberLookup) -> bool {
        let ttl = match lookup.jid {
            Some(_) => self.settings.lookup_ttl,
            None => self.settings.missing_lookup_ttl,
        };
        self.parts.clock.now().since(lookup.checked_at) < ttl
    }
}

/// Letter by letter, as devices are searched.
fn fold(text: &str) -> String {
    text.chars().flat_map(char::to_lowercase).collect()
}

fn contact_has(contact: &Contact, text: &str) -> bool {
    [
        contact.first_name.as_deref(),
        contact.full_name.as_deref(),
        contact.push_name.as_deref(),
        contact.business_name.as_deref(),
        Some(contact.jid.user()),
    ]
    .into_iter()
    .flatten()
    .any(|whole| fold(whole).contains(text))
}

/// One page of a list in the order of its addresses as text.
fn page_by_address<T>(
    items: Vec<T>,
    query: &CursorQuery<Jid>,
    address: impl Fn(&T) -> &Jid,
) -> CursorPage<T, Jid> {
    let after = query.after.as_ref().map(Jid::to_string);
    let mut later: Vec<(String, T)> = items
        .into_iter()
        .map(|item| (address(&item).to_string(), item))
        .filter(|(text, _)| after.as_ref().is_none_or(|after| text > after))
        .collect();
    later.sort_by(|(a, _), (b, _)| a.cmp(b));
    let more = later.len() > query.limit() as usize;
    later.truncate(query.limit() as usize);
    CursorPage {
        next: later
            .last()
            .filter(|_| more)
            .map(|(_, item)| address(item).clone()),
        items: later.into_iter().map(|(_, item)| item).collect(),
    }
}
