//! Who types, and where.

use wagate_domain::model::{Typing, TypingState};
use whatsapp_rust::ChatStateType;
use whatsapp_rust::wacore::types::events::ChatPresenceUpdate;
use whatsapp_rust::wacore::types::presence::{ChatPresence, ChatPresenceMedia};

use super::party::{Parties, People};

/// What somebody does, with the addresses that a message of theirs would have.
pub(crate) async fn to_domain(update: &ChatPresenceUpdate, people: &dyn People) -> Option<Typing> {
    let parties = Parties::of_typing(&update.source, people).await?;
    Some(Typing {
        chat: parties.chat.jid,
        chat_lid: parties.chat.lid,
        sender: parties.sender.jid,
        sender_lid: parties.sender.lid,
        state: match (update.state, update.media) {
            (ChatPresence::Composing, ChatPresenceMedia::Text) => TypingState::Composing,
            (ChatPresence::Composing, ChatPresenceMedia::Audio) => TypingState::Recording,
            (ChatPresence::Paused, _) => TypingState::Paused,
        },
    })
}

/// The domain's state as upstream says it.
pub(crate) fn to_wa(state: TypingState) -> ChatStateType {
    match state {
        TypingState::Composing => ChatStateType::Composing,
        TypingState::Recording => ChatStateType::Recording,
        TypingState::Paused => ChatStateType::Paused,
    }
}

#[cfg(test)]
mod tests {
    use whatsapp_rust::wacore::types::message::MessageSource;

    use super::*;
    use crate::convert::party::tests::Known;

    fn update(chat: &str, sender: &str, state: ChatPresence, media: ChatPresenceMedia) -> ChatPresenceUpdate {
        let source = MessageSource {
            chat: chat.parse().unwrap(),
            sender: sender.parse().unwrap(),
            is_group: chat.ends_with("g.us"),
            ..Default::default()
        };
        ChatPresenceUpdate::builder()
            .source(source)
            .state(state)
            .media(media)
            .build()
    }

    #[tokio::test]
    async fn people_go_by_number_where_it_is_known() {
        let known = Known::pairs(&[("77@lid", "628111@s.whatsapp.net")]);
        let direct = update(
            "77@lid",
            "77@lid",
            ChatPresence::Composing,
            ChatPresenceMedia::Text,
        );
        let typing = to_domain(&direct, &known).await.unwrap();
        assert_eq!(typing.chat.to_string(), "628111@s.whatsapp.net");
        assert_eq!(typing.chat_lid.unwrap().to_string(), "77@lid");
        assert_eq!(typing.state, TypingState::Composing);

        let in_group = update(
            "12345@g.us",
            "77@lid",
            ChatPresence::Composing,
            ChatPresenceMedia::Audio,
        );
        let typing = to_domain(&in_group, &known).await.unwrap();
        assert_eq!(typing.chat.to_string(), "12345@g.us");
        assert_eq!(typing.sender.to_string(), "628111@s.whatsapp.net");
        assert_eq!(typing.sender_lid.unwrap().to_string(), "77@lid");
        assert_eq!(typing.state, TypingState::Recording);
    }

    #[tokio::test]
    async fn whoever_stops_has_stopped_and_strangers_stay_hidden() {
        let stopped = update("99@lid", "99@lid", ChatPresence::Paused, ChatPresenceMedia::Text);
        let typing = to_domain(&stopped, &Known::default()).await.unwrap();
        assert_eq!(typing.chat.to_string(), "99@lid");
        assert_eq!(typing.state, TypingState::Paused);
    }
}
