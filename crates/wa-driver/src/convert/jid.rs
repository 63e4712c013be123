//! Addresses of both sides. Hosted accounts (a business whose keys a provider holds) are ordinary
//! people to the domain; bots, calls and other networks have no address there.

use wagate_domain::model::{Jid, JidServer};
use whatsapp_rust::{Jid as WaJid, Server};

/// Upstream's address in the domain, or `None` for what the domain does not know.
pub(crate) fn to_domain(jid: &WaJid) -> Option<Jid> {
    let server = match jid.server {
        Server::Pn | Server::Hosted | Server::Legacy => JidServer::Phone,
        Server::Lid | Server::HostedLid => JidServer::Lid,
        Server::Group => JidServer::Group,
        Server::Broadcast => JidServer::Broadcast,
        Server::Newsletter => JidServer::Newsletter,
        Server::Messenger | Server::Interop | Server::Bot | Server::Call => return None,
    };
    let text = match jid.device {
        0 => format!("{}@{}", jid.user, server.as_str()),
        device => format!("{}:{device}@{}", jid.user, server.as_str()),
    };
    text.parse().ok()
}

/// The same without a device: the person, not one of their phones.
pub(crate) fn to_account(jid: &WaJid) -> Option<Jid> {
    to_domain(jid).map(|jid| jid.account())
}

/// The domain's address as upstream writes it.
pub(crate) fn to_wa(jid: &Jid) -> WaJid {
    match jid.server() {
        JidServer::Phone => WaJid::pn_device(jid.user(), jid.device()),
        JidServer::Lid => WaJid::lid_device(jid.user(), jid.device()),
        JidServer::Group => WaJid::group(jid.user()),
        JidServer::Broadcast => WaJid::new(jid.user(), Server::Broadcast),
        JidServer::Newsletter => WaJid::newsletter(jid.user()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_address_of_the_domain_survives_the_way_there_and_back() {
        for text in [
            "628123@s.whatsapp.net",
            "628123:7@s.whatsapp.net",
            "100200300@lid",
            "100200300:3@lid",
            "120363000000000001@g.us",
            "123-456@g.us",
            "status@broadcast",
            "120363000000000002@newsletter",
        ] {
            let jid: Jid = text.parse().unwrap();
            assert_eq!(to_wa(&jid).to_string(), text);
            assert_eq!(to_domain(&to_wa(&jid)), Some(jid));
        }
    }

    #[test]
    fn hosted_accounts_are_people_and_bots_are_not() {
        assert_eq!(
            to_domain(&WaJid::new("628123", Server::Hosted)),
            Some(Jid::phone("628123"))
        );
        assert_eq!(to_domain(&WaJid::new("1", Server::Bot)), None);
        assert_eq!(
            to_account(&WaJid::pn_device("628123", 5)),
            Some(Jid::phone("628123"))
        );
    }
}
