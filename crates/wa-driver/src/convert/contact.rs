//! Contacts: the phone's address book, which arrives as app state, and names seen on messages.

use wagate_domain::model::{Contact, Jid};
use whatsapp_rust::wacore::types::events::ContactUpdate;
use whatsapp_rust::wacore::types::message::MessageInfo;

use super::jid::to_account;
use super::party::Parties;

/// What WhatsApp writes where a person has no name.
const NO_NAME: &str = "-";

/// An entry of the phone's address book.
pub(crate) fn of_address_book(update: &ContactUpdate) -> Option<Contact> {
    let parsed = |text: &Option<String>| text.as_deref().and_then(|text| text.parse::<Jid>().ok());
    let written = to_account(&update.jid).filter(Jid::is_user)?;
    let is_lid = written.server() == wagate_domain::model::JidServer::Lid;
    let phone = if is_lid {
        parsed(&update.action.pn_jid)
    } else {
        Some(written.clone())
    };
    let lid = if is_lid {
        Some(written.clone())
    } else {
        parsed(&update.action.lid_jid)
    };
    Some(Contact {
        lid: lid.map(|jid| jid.account()),
        first_name: named(update.action.first_name.as_deref()),
        full_name: named(update.action.full_name.as_deref()),
        ..Contact::new(phone.map_or(written, |jid| jid.account()))
    })
}

/// The writer of a message, when the message tells a name.
pub(crate) fn of_message(info: &MessageInfo, parties: &Parties) -> Option<Contact> {
    if info.source.is_from_me || !parties.sender.jid.is_user() {
        return None;
    }
    let push_name = named(Some(&info.push_name));
    let business_name = named(
        info.verified_name
            .as_ref()
            .and_then(|verified| verified.name.as_deref()),
    );
    if push_name.is_none() && business_name.is_none() {
        return None;
    }
    let lid = parties.sender.lid.clone();
    Some(Contact {
        lid,
        push_name,
        business_name,
        ..Contact::new(parties.sender.jid.clone())
    })
}

fn named(name: Option<&str>) -> Option<String> {
    name.map(str::trim)
        .filter(|name| !name.is_empty() && *name != NO_NAME)
        .map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use whatsapp_rust::chrono::DateTime;
    use whatsapp_rust::waproto::whatsapp::sync_action_value::ContactAction;

    use super::*;

    fn update(jid: &str, action: ContactAction) -> ContactUpdate {
        ContactUpdate::builder()
            .jid(jid.parse().unwrap())
            .timestamp(DateTime::from_timestamp(1, 0).unwrap())
            .action(Box::new(action))
            .from_full_sync(false)
            .build()
    }

    #[test]
    fn an_entry_under_the_hidden_identity_is_filed_under_the_number() {
        let action = ContactAction {
            full_name: Some("Ana Souza".into()),
            first_name: Some("Ana".into()),
            pn_jid: Some("628111@s.whatsapp.net".into()),
            ..Default::default()
        };
        let contact = of_address_book(&update("77@lid", action)).unwrap();
        assert_eq!(contact.jid.to_string(), "628111@s.whatsapp.net");
        assert_eq!(contact.lid.unwrap().to_string(), "77@lid");
        assert_eq!(contact.full_name.as_deref(), Some("Ana Souza"));
        assert_eq!(contact.first_name.as_deref(), Some("Ana"));
    }

    #[test]
    fn an_empty_name_is_no_name() {
        let action = ContactAction {
            full_name: Some(" ".into()),
            ..Default::default()
        };
        let contact = of_address_book(&update("628111@s.whatsapp.net", action)).unwrap();
        assert_eq!(contact, Contact::new(Jid::phone("628111")));
    }
}
