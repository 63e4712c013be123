//! Receipts: only those that say how far our messages came.

use wagate_domain::model::event::{Receipt, ReceiptKind};
use wagate_domain::model::{Event, EventBody, MessageId, Timestamp};
use whatsapp_rust::wacore::types::events::Receipt as WaReceipt;
use whatsapp_rust::wacore::types::presence::ReceiptType;

use super::party::{Parties, People};

/// The receipt as an event; `None` for those that are part of the protocol's own housekeeping.
pub(crate) async fn to_event(receipt: &WaReceipt, people: &dyn People) -> Option<Event> {
    let kind = kind(&receipt.r#type)?;
    let parties = Parties::of_receipt(&receipt.source, people).await?;
    let ids = receipt
        .message_ids
        .iter()
        .map(|id| MessageId(id.clone()))
        .collect();
    Some(Event {
        at: Timestamp(receipt.timestamp.timestamp_millis()),
        body: EventBody::ReceiptReceived(Receipt {
            chat: parties.chat.jid,
            chat_lid: parties.chat.lid,
            sender: parties.sender.jid,
            sender_lid: parties.sender.lid,
            kind,
            ids,
        }),
    })
}

fn kind(kind: &ReceiptType) -> Option<ReceiptKind> {
    Some(match kind {
        // "Inactive" is a device that has the message while nobody looks at it.
        ReceiptType::Delivered | ReceiptType::Inactive => ReceiptKind::Delivered,
        ReceiptType::Read => ReceiptKind::Read,
        ReceiptType::ReadSelf | ReceiptType::PlayedSelf => ReceiptKind::ReadSelf,
        ReceiptType::Played => ReceiptKind::Played,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use whatsapp_rust::chrono::DateTime;
    use whatsapp_rust::wacore::types::message::MessageSource;

    use super::super::party::tests::Known;
    use super::*;

    fn receipt(kind: ReceiptType) -> WaReceipt {
        let source = MessageSource {
            chat: "77@lid".parse().unwrap(),
            sender: "77:2@lid".parse().unwrap(),
            ..Default::default()
        };
        WaReceipt::builder()
            .source(source)
            .message_ids(vec!["3EB0A".into(), "3EB0B".into()])
            .timestamp(DateTime::from_timestamp(1_700_000_000, 0).unwrap())
            .r#type(kind)
            .offline(false)
            .build()
    }

    #[tokio::test]
    async fn a_read_receipt_names_the_number() {
        let known = Known::pairs(&[("77@lid", "628111@s.whatsapp.net")]);
        let event = to_event(&receipt(ReceiptType::Read), &known).await.unwrap();
        assert_eq!(event.at, Timestamp::from_secs(1_700_000_000));
        let EventBody::ReceiptReceived(receipt) = event.body else {
            panic!("not a receipt")
        };
        assert_eq!(receipt.kind, ReceiptKind::Read);
        assert_eq!(receipt.chat.to_string(), "628111@s.whatsapp.net");
        assert_eq!(receipt.sender.to_string(), "628111@s.whatsapp.net");
        let lid = |jid: Option<wagate_domain::model::Jid>| jid.map(|jid| jid.to_string());
        assert_eq!(lid(receipt.chat_lid).as_deref(), Some("77@lid"));
        assert_eq!(lid(receipt.sender_lid).as_deref(), Some("77@lid"));
        assert_eq!(receipt.ids.len(), 2);
    }

    #[tokio::test]
    async fn housekeeping_is_no_event() {
        for kind in [
            ReceiptType::Retry,
            ReceiptType::PeerMsg,
            ReceiptType::HistorySync,
            ReceiptType::Sender,
        ] {
            assert_eq!(to_event(&receipt(kind), &Known::default()).await, None);
        }
    }
}
