//! Who is in the phone's address book. A story goes to these people, and WhatsApp leaves it to the
//! sending client to name every one of them.

use std::sync::Arc;

use bytes::Bytes;
use wagate_domain::Result;
use wagate_domain::model::{Contact, DeviceId, Jid};
use wagate_domain::ports::{KeyKind, KeyVault};

use super::codec::{last_part, parts, prefix};
use super::entry;

/// First part of the keys.
const BOOK: &str = "address_book";

/// The people of one device.
#[derive(Clone)]
pub(crate) struct AddressBook {
    device: DeviceId,
    vault: Arc<dyn KeyVault>,
}

impl AddressBook {
    pub(crate) fn new(device: DeviceId, vault: Arc<dyn KeyVault>) -> Self {
        Self { device, vault }
    }

    /// Adds people with a name in the address book, and takes out those whose name is gone.
    pub(crate) async fn remember(&self, contacts: &[Contact]) {
        let key = |contact: &Contact| parts(&[BOOK, &contact.jid.to_string()]);
        let named = |contact: &&Contact| contact.full_name.is_some() || contact.first_name.is_some();
        let (named, nameless): (Vec<_>, Vec<_>) = contacts.iter().partition(named);
        let entries = named
            .into_iter()
            .map(|contact| entry(KeyKind::Meta, key(contact), Bytes::new()))
            .collect();
        let gone: Vec<_> = nameless.into_iter().map(key).collect();
        if contacts.is_empty() {
            return;
        }
        let mut done = self.vault.put_many(self.device, entries).await;
        if done.is_ok() && !gone.is_empty() {
            done = self.vault.delete_many(self.device, KeyKind::Meta, gone).await;
        }
        if let Err(error) = done {
            // The contacts themselves are recorded elsewhere; only a story would miss these people.
            tracing::warn!(%error, "the address book could not be updated");
        }
    }

    /// Everybody in it.
    pub(crate) async fn people(&self) -> Result<Vec<Jid>> {
        let rows = self
            .vault
            .scan(self.device, KeyKind::Meta, prefix(&[BOOK]))
            .await?;
        Ok(rows
            .iter()
            .filter_map(|(key, _)| last_part(key).ok()?.parse().ok())
            .collect())
    }
}

#[cfg(test)]
mod tests {
    use ulid::Ulid;
    use wagate_domain::model::{Device, Timestamp};
    use wagate_domain::ports::Devices as _;
    use wagate_domain::testing::MemoryStore;

    use super::*;

    #[tokio::test]
    async fn people_come_and_go() {
        let device = Device::new(
            DeviceId::new(Ulid::from_parts(1, 1)),
            "t".parse().unwrap(),
            Timestamp(0),
        );
        let store = Arc::new(MemoryStore::new());
        store.create(device.clone()).await.unwrap();
        let book = AddressBook::new(device.id, store);
        let named = Contact {
            full_name: Some("Ana".into()),
            ..Contact::new(Jid::phone("628111"))
        };
        book.remember(&[named, Contact::new(Jid::phone("628222"))]).await;
        assert_eq!(book.people().await.unwrap(), [Jid::phone("628111")]);
        book.remember(&[Contact::new(Jid::phone("628111"))]).await;
        assert_eq!(book.people().await.unwrap(), []);
    }
}
