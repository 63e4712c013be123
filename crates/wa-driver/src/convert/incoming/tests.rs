//! Every kind of message that a webhook names.

use std::sync::Arc;

use wagate_domain::model::Jid;
use whatsapp_rust::buffa::MessageField;
use whatsapp_rust::chrono::DateTime;
use whatsapp_rust::wacore::types::message::{MessageInfo, MessageSource};
use whatsapp_rust::waproto::whatsapp::{MessageKey, message};

use super::super::party::Party;
use super::*;

fn wrap(inner: Message) -> MessageField<message::FutureProofMessage, Box<message::FutureProofMessage>> {
    MessageField::some(message::FutureProofMessage {
        message: MessageField::some(inner),
    })
}

fn hello() -> Message {
    Message {
        conversation: Some("hello".into()),
        ..Default::default()
    }
}

fn seen(message: &Message) -> Option<(&'static str, String)> {
    read(message).map(|said| (said.kind, said.text))
}

fn says(message: &Message, kind: &'static str, text: &str) {
    assert_eq!(seen(message), Some((kind, text.to_owned())));
}

#[test]
fn plain_and_extended_text() {
    says(&hello(), "conversation", "hello");
    let extended = message::ExtendedTextMessage {
        text: Some("link".into()),
        ..Default::default()
    };
    says(
        &Message {
            extended_text_message: MessageField::some(extended),
            ..Default::default()
        },
        "extendedText",
        "link",
    );
}

#[test]
fn wrappers_are_taken_off() {
    let ephemeral = Message {
        ephemeral_message: wrap(hello()),
        ..Default::default()
    };
    let sent = message::DeviceSentMessage {
        destination_jid: Some("628111@s.whatsapp.net".into()),
        message: MessageField::some(ephemeral),
        ..Default::default()
    };
    let message = Message {
        device_sent_message: MessageField::some(sent),
        ..Default::default()
    };
    says(&message, "conversation", "hello");
    assert!(
        read(&message).unwrap().raw.get("deviceSentMessage").is_some(),
        "raw shows the message as it came"
    );
}

#[test]
fn media_tells_its_file() {
    let document = message::DocumentMessage {
        mimetype: Some("application/pdf".into()),
        file_name: Some("a.pdf".into()),
        file_length: Some(12),
        caption: Some("read this".into()),
        ..Default::default()
    };
    let document = Message {
        document_message: MessageField::some(document),
        ..Default::default()
    };
    let said = read(&Message {
        document_with_caption_message: wrap(document),
        ..Default::default()
    })
    .unwrap();
    assert_eq!((said.kind, said.text.as_str()), ("document", "read this"));
    let media = said.media.unwrap();
    assert_eq!(media.kind, "document");
    assert_eq!(media.mimetype.as_deref(), Some("application/pdf"));
    assert_eq!(media.file_name.as_deref(), Some("a.pdf"));
    assert_eq!(media.size, Some(12));
}

#[test]
fn answers_to_buttons_and_flows() {
    let button = message::ButtonsResponseMessage {
        selected_button_id: Some("id-1".into()),
        response: Some(buttons_response_message::Response::SelectedDisplayText(
            "Yes".into(),
        )),
        ..Default::default()
    };
    says(
        &Message {
            buttons_response_message: MessageField::some(button),
            ..Default::default()
        },
        "buttonsResponse",
        "Yes",
    );
    let flow = message::interactive_response_message::NativeFlowResponseMessage {
        name: Some("menu_options".into()),
        params_json: Some(r#"{"id":"1"}"#.into()),
        ..Default::default()
    };
    let answer = message::InteractiveResponseMessage {
        interactive_response_message: Some(flow.into()),
        ..Default::default()
    };
    says(
        &Message {
            interactive_response_message: MessageField::some(answer),
            ..Default::default()
        },
        "interactiveResponse",
        r#"menu_options | {"id":"1"}"#,
    );
}

#[test]
fn edits_and_revokes() {
    let protocol = |kind, edited| message::ProtocolMessage {
        key: MessageField::some(MessageKey {
            id: Some("3EB0".into()),
            ..Default::default()
        }),
        r#type: kind,
        edited_message: edited,
        ..Default::default()
    };
    let edit = protocol(
        Some(protocol_message::Type::MESSAGE_EDIT),
        MessageField::some(hello()),
    );
    let edit = Message {
        protocol_message: MessageField::some(edit),
        ..Default::default()
    };
    says(&edit, "edited", "hello");
    says(
        &Message {
            edited_message: wrap(edit),
            ..Default::default()
        },
        "edited",
        "hello",
    );
    for kind in [Some(protocol_message::Type::REVOKE), None] {
        let revoke = protocol(kind, MessageField::default());
        says(
            &Message {
                protocol_message: MessageField::some(revoke),
                ..Default::default()
            },
            "revoked",
            "",
        );
    }
}

#[test]
fn reactions_places_people_and_polls() {
    let reaction = message::ReactionMessage {
        text: Some("👍".into()),
        ..Default::default()
    };
    says(
        &Message {
            reaction_message: MessageField::some(reaction),
            ..Default::default()
        },
        "reaction",
        "👍",
    );
    let place = message::LocationMessage {
        name: Some("Office".into()),
        ..Default::default()
    };
    says(
        &Message {
            location_message: MessageField::some(place),
            ..Default::default()
        },
        "location",
        "Office",
    );
    let card = message::ContactMessage {
        display_name: Some("Ana".into()),
        ..Default::default()
    };
    says(
        &Message {
            contact_message: MessageField::some(card),
            ..Default::default()
        },
        "contact",
        "Ana",
    );
    let poll = message::PollCreationMessage {
        name: Some("Lunch?".into()),
        ..Default::default()
    };
    says(
        &Message {
            poll_creation_message_v3: MessageField::some(poll),
            ..Default::default()
        },
        "poll",
        "Lunch?",
    );
    let vote = message::PollUpdateMessage::default();
    says(
        &Message {
            poll_update_message: MessageField::some(vote),
            ..Default::default()
        },
        "pollVote",
        "",
    );
}

#[test]
fn housekeeping_is_no_message() {
    assert_eq!(seen(&Message::default()), None);
    let keys = Message {
        sender_key_distribution_message: MessageField::some(message::SenderKeyDistributionMessage::default()),
        ..Default::default()
    };
    assert_eq!(seen(&keys), None);
    for kind in [
        protocol_message::Type::APP_STATE_SYNC_KEY_SHARE,
        protocol_message::Type::HISTORY_SYNC_NOTIFICATION,
        protocol_message::Type::EPHEMERAL_SETTING,
    ] {
        let protocol = message::ProtocolMessage {
            r#type: Some(kind),
            ..Default::default()
        };
        let message = Message {
            protocol_message: MessageField::some(protocol),
            ..Default::default()
        };
        assert_eq!(seen(&message), None, "{kind:?}");
    }
}

#[test]
fn what_we_do_not_know_is_passed_on_with_its_raw_form() {
    let message = Message {
        order_message: MessageField::some(message::OrderMessage {
            order_id: Some("7".into()),
            ..Default::default()
        }),
        ..Default::default()
    };
    let said = read(&message).unwrap();
    assert_eq!(said.kind, "unknown");
    assert_eq!(said.raw["orderMessage"]["orderId"], "7");
}

#[test]
fn the_envelope_is_kept() {
    let info = MessageInfo {
        source: MessageSource {
            is_from_me: true,
            ..Default::default()
        },
        id: "3EB0A".into(),
        push_name: "Ana".into(),
        timestamp: DateTime::from_timestamp(1_700_000_000, 0).unwrap(),
        ..Default::default()
    };
    let inbound = InboundMessage::builder()
        .message(Arc::new(hello()))
        .info(Arc::new(info))
        .build();
    let chat = Party {
        jid: Jid::phone("628111"),
        lid: Some("77@lid".parse().unwrap()),
    };
    let sender = Party {
        jid: Jid::phone("628999"),
        lid: None,
    };
    let message = to_domain(
        &inbound,
        &Parties {
            chat: chat.clone(),
            sender: sender.clone(),
        },
    )
    .unwrap();
    assert_eq!(message.id, MessageId("3EB0A".into()));
    assert_eq!((message.chat, message.chat_lid), (chat.jid, chat.lid));
    assert_eq!((message.sender, message.sender_lid), (sender.jid, None));
    assert!(message.from_me);
    assert_eq!(message.push_name.as_deref(), Some("Ana"));
    assert_eq!(message.at, Timestamp::from_secs(1_700_000_000));
}
