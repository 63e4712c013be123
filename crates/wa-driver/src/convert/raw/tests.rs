//! The spelling that receivers know.

use serde_json::json;
use whatsapp_rust::buffa::MessageField;
use whatsapp_rust::waproto::whatsapp::{self as wa, message};

use super::*;

#[test]
fn a_text_message_is_one_field() {
    let message = wa::Message {
        conversation: Some("hello".into()),
        ..Default::default()
    };
    assert_eq!(to_json(&message), json!({"conversation": "hello"}));
}

#[test]
fn bytes_are_base64_and_names_are_camel_case() {
    let image = message::ImageMessage {
        file_enc_sha256: Some(vec![1, 2, 3]),
        file_length: Some(4096),
        media_key: Some(vec![255; 2]),
        ..Default::default()
    };
    let message = wa::Message {
        image_message: MessageField::some(image),
        ..Default::default()
    };
    assert_eq!(
        to_json(&message),
        json!({"imageMessage": {"fileEncSha256": "AQID", "fileLength": 4096, "mediaKey": "//8="}})
    );
}

#[test]
fn numbers_in_a_list_stay_numbers_and_enums_are_names() {
    let list = wa::ADVKeyIndexList {
        valid_indexes: vec![1, 2],
        ..Default::default()
    };
    assert_eq!(to_json(&list)["validIndexes"], json!([1, 2]));
    let protocol = message::ProtocolMessage {
        r#type: Some(message::protocol_message::Type::REVOKE),
        ..Default::default()
    };
    assert_eq!(to_json(&protocol), json!({"type": "REVOKE"}));
}

#[test]
fn a_choice_carries_the_name_of_its_case() {
    let flow = message::interactive_response_message::NativeFlowResponseMessage {
        name: Some("menu".into()),
        params_json: Some("{}".into()),
        ..Default::default()
    };
    let response = message::InteractiveResponseMessage {
        interactive_response_message: Some(flow.into()),
        ..Default::default()
    };
    assert_eq!(
        to_json(&response),
        json!({"nativeFlowResponseMessage": {"name": "menu", "paramsJson": "{}"}})
    );
}
