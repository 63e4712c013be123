//! What clients see of contacts.

use serde::Serialize;
use utoipa::ToSchema;
use wagate_domain::model::{Contact, Jid, JidServer};

/// Somebody whom the account knows.
#[derive(Serialize, ToSchema)]
#[schema(as = Contact)]
pub(super) struct ContactView {
    /// The person's address: by number when that is known, else by hidden identity.
    jid: String,
    /// The person's number, when known.
    #[schema(required = true)]
    phone: Option<String>,
    /// The person's hidden identity, when known.
    #[schema(required = true)]
    lid: Option<String>,
    /// First name in the phone's address book.
    #[schema(required = true)]
    first_name: Option<String>,
    /// Full name in the phone's address book.
    #[schema(required = true)]
    full_name: Option<String>,
    /// Name that the person shows to others.
    #[schema(required = true)]
    push_name: Option<String>,
    /// Name of the person's business.
    #[schema(required = true)]
    business_name: Option<String>,
}

/// The number in an address, when there is one in it.
pub(super) fn phone(jid: &Jid) -> Option<String> {
    (jid.server() == JidServer::Phone).then(|| jid.user().to_owned())
}

/// The hidden identity: the one that is known beside an address, or the address when it is one itself.
pub(super) fn lid(jid: &Jid, also: Option<&Jid>) -> Option<String> {
    let own = (jid.server() == JidServer::Lid).then_some(jid);
    also.or(own).map(Jid::to_string)
}

impl From<Contact> for ContactView {
    fn from(contact: Contact) -> Self {
        Self {
            jid: contact.jid.to_string(),
            phone: phone(&contact.jid),
            lid: lid(&contact.jid, contact.lid.as_ref()),
            first_name: contact.first_name,
            full_name: contact.full_name,
            push_name: contact.push_name,
            business_name: contact.business_name,
        }
    }
}
