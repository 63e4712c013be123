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

    /// Adds a person with a name in the address book, or takes out one whose name is gone.
    pub(crate) async fn remember(&self, contact: &Contact) {
        let key = parts(&[BOOK, &contact.jid.to_string()]);
        let named = contact.full_name.is_some() || contact.first_name.is_some();
        let done = if named {
            self.vault
                .put_many(self.device, vec![entry(KeyKind::Meta, key, Bytes::new())])
                .await
        } else {
            self.vault
                .delete_many(self.device, KeyKind::Meta, vec![key])
                .await
        };
        if let Err(error) = done {
            // The contact itself is recorded elsewhere; only a story would miss this person.
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
        book.remember(&named).await;
        book.remember(&Contact::new(Jid::phone("628222"))).await;
        assert_eq!(book.people().await.unwrap(), [Jid::phone("628111")]);
        book.remember(&Contact::new(Jid::phone("628111"))).await;
        assert_eq!(book.people().await.unwrap(), []);
    }
}
