//! People: the phone's address book, names seen on messages, and which numbers are on WhatsApp.

use async_trait::async_trait;

use crate::Result;
use crate::model::{Contact, DeviceId, Jid, PhoneNumber, Timestamp};

/// What WhatsApp said of a number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NumberLookup {
    /// The number that was asked for.
    pub phone: PhoneNumber,
    /// The account that WhatsApp knows it by, which may have other digits; `None` when it has none.
    pub jid: Option<Jid>,
    /// When WhatsApp said so.
    pub checked_at: Timestamp,
}

/// People that a device knows. Contacts are written with events, in [`EventStore`](super::EventStore).
#[async_trait]
pub trait Directory: Send + Sync {
    /// Every contact of the device, by address.
    async fn contacts(&self, device: DeviceId) -> Result<Vec<Contact>>;

    /// What WhatsApp said of this number earlier, whichever device asked.
    async fn lookup(&self, phone: &PhoneNumber) -> Result<Option<NumberLookup>>;

    /// Keeps what WhatsApp said of a number, in place of what it said before.
    async fn remember_lookup(&self, lookup: &NumberLookup) -> Result<()>;
}
