//! Who is meant: WhatsApp addresses the same person now by phone number, now by hidden identity. What
//! leaves the driver names the number whenever it is known, and the identity beside it.

use async_trait::async_trait;
use wagate_domain::model::{Jid, JidServer};
use whatsapp_rust::wacore::types::message::{MessageInfo, MessageSource};
use whatsapp_rust::{Client, Jid as WaJid};

use super::jid::to_account;

/// Knows which phone number belongs to which hidden identity.
#[async_trait]
pub(crate) trait People: Send + Sync {
    /// The other address of the same person, when known.
    async fn other_half(&self, jid: &WaJid) -> Option<WaJid>;
}

#[async_trait]
impl People for Client {
    async fn other_half(&self, jid: &WaJid) -> Option<WaJid> {
        let entry = self.get_lid_pn_entry(&jid.to_non_ad()).await.ok().flatten()?;
        Some(if jid.is_lid() {
            WaJid::pn(&*entry.phone_number)
        } else {
            WaJid::lid(&*entry.lid)
        })
    }
}

/// A person, group or channel with as many of its addresses as are known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Party {
    /// By phone number when known, else as WhatsApp wrote it. Never names a single device.
    pub jid: Jid,
    /// Hidden identity of a person, when known.
    pub lid: Option<Jid>,
}

impl Party {
    /// Names the party of `jid`; `also` is another address of it that came along.
    pub(crate) async fn of(jid: &WaJid, also: Option<&WaJid>, people: &dyn People) -> Option<Self> {
        let written = to_account(jid)?;
        if !written.is_user() {
            return Some(Self {
                jid: written,
                lid: None,
            });
        }
        let also = also
            .and_then(to_account)
            .filter(|also| also.is_user() && also.server() != written.server());
        let other = match also {
            Some(also) => Some(also),
            None => people.other_half(jid).await.as_ref().and_then(to_account),
        };
        Some(match (written.server(), other) {
            (JidServer::Lid, Some(phone)) => Self {
                jid: phone,
                lid: Some(written),
            },
            (JidServer::Lid, None) => Self {
                jid: written.clone(),
                lid: Some(written),
            },
            (_, other) => Self {
                jid: written,
                lid: other,
            },
        })
    }
}

/// Both ends of a message or receipt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Parties {
    pub chat: Party,
    pub sender: Party,
}

impl Parties {
    /// Who a message is from and where it was written.
    pub(crate) async fn of_message(info: &MessageInfo, people: &dyn People) -> Option<Self> {
        Self::named(&info.source, info.peer_recipient_pn.as_ref(), people).await
    }

    /// Who confirmed and where.
    pub(crate) async fn of_receipt(source: &MessageSource, people: &dyn People) -> Option<Self> {
        Self::named(source, None, people).await
    }

    /// Who types and where.
    pub(crate) async fn of_typing(source: &MessageSource, people: &dyn People) -> Option<Self> {
        Self::named(source, None, people).await
    }

    async fn named(source: &MessageSource, peer_phone: Option<&WaJid>, people: &dyn People) -> Option<Self> {
        let also_of_chat = if source.is_from_me {
            source.recipient_alt.as_ref().or(peer_phone)
        } else {
            // In a conversation of two, the chat is the sender.
            source
                .sender_alt
                .as_ref()
                .filter(|_| source.chat.user == source.sender.user)
        };
        let chat = Party::of(&source.chat, also_of_chat, people).await?;
        let sender = Party::of(&source.sender, source.sender_alt.as_ref(), people).await?;
        Some(Self { chat, sender })
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::collections::HashMap;

    use super::*;

    /// An address book of a test.
    #[derive(Default)]
    pub(crate) struct Known(pub HashMap<String, String>);

    impl Known {
        pub(crate) fn pairs(pairs: &[(&str, &str)]) -> Self {
            let both = |(a, b): &(&str, &str)| [((*a).into(), (*b).into()), ((*b).into(), (*a).into())];
            Self(pairs.iter().flat_map(both).collect())
        }
    }

    #[async_trait]
    impl People for Known {
        async fn other_half(&self, jid: &WaJid) -> Option<WaJid> {
            self.0.get(&jid.to_non_ad_string())?.parse().ok()
        }
    }

    fn wa(text: &str) -> WaJid {
        text.parse().unwrap()
    }

    fn source(chat: &str, sender: &str, also: Option<&str>, is_from_me: bool) -> MessageSource {
        MessageSource {
            chat: wa(chat),
            sender: wa(sender),
            sender_alt: also.map(wa),
            is_from_me,
            is_group: chat.ends_with("g.us"),
            ..Default::default()
        }
    }

    fn shown(party: &Party) -> (String, Option<String>) {
        (party.jid.to_string(), party.lid.as_ref().map(ToString::to_string))
    }

    #[tokio::test]
    async fn a_hidden_sender_in_a_conversation_of_two_gets_their_number() {
        let source = source("77@lid", "77:3@lid", Some("628111:3@s.whatsapp.net"), false);
        let parties = Parties::of_receipt(&source, &Known::default()).await.unwrap();
        let want = ("628111@s.whatsapp.net".to_owned(), Some("77@lid".to_owned()));
        assert_eq!(shown(&parties.chat), want);
        assert_eq!(shown(&parties.sender), want);
    }

    #[tokio::test]
    async fn what_the_message_does_not_tell_is_looked_up() {
        let known = Known::pairs(&[
            ("77@lid", "628111@s.whatsapp.net"),
            ("88@lid", "628222@s.whatsapp.net"),
        ]);
        let source = source("88@lid", "77:1@lid", None, true);
        let parties = Parties::of_receipt(&source, &known).await.unwrap();
        assert_eq!(shown(&parties.chat).0, "628222@s.whatsapp.net");
        assert_eq!(shown(&parties.sender).0, "628111@s.whatsapp.net");
    }

    #[tokio::test]
    async fn a_group_has_no_hidden_identity_and_its_members_do() {
        let source = source("12345@g.us", "628111@s.whatsapp.net", Some("77@lid"), false);
        let parties = Parties::of_receipt(&source, &Known::default()).await.unwrap();
        assert_eq!(shown(&parties.chat), ("12345@g.us".into(), None));
        assert_eq!(
            shown(&parties.sender),
            ("628111@s.whatsapp.net".into(), Some("77@lid".into()))
        );
    }

    #[tokio::test]
    async fn an_unknown_identity_stays_what_it_is() {
        let party = Party::of(&wa("99:2@lid"), None, &Known::default()).await.unwrap();
        assert_eq!(shown(&party), ("99@lid".into(), Some("99@lid".into())));
        assert!(
            Party::of(
                &WaJid::new("1", whatsapp_rust::Server::Bot),
                None,
                &Known::default()
            )
            .await
            .is_none()
        );
    }
}
