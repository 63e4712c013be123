//! Sending, once.

use std::time::Duration;

use wagate_domain::gateway::{MessageRequest, SendOutcome};
use wagate_domain::model::event::{Receipt, ReceiptKind};
use wagate_domain::model::{EventBody, Idempotency, MessageId, MessageStatus};
use wagate_domain::ports::{Clock, Outbox, OutboxEntry, Session};
use wagate_domain::{Error, Needs, Result};

use crate::bench::{Bench, SHOP, jid, token};

fn hello(to: &str) -> MessageRequest {
    MessageRequest {
        to: to.into(),
        text: Some("hi".into()),
        ..MessageRequest::default()
    }
}

fn once(key: &str) -> Idempotency {
    Idempotency {
        key: key.parse().unwrap(),
        fingerprint: [1; 32],
    }
}

async fn send(bench: &Bench, to: &str, key: Option<&str>) -> Result<SendOutcome> {
    bench
        .gateway
        .send_message(&token(SHOP), hello(to), key.map(once))
        .await
}

fn id_of(outcome: Result<SendOutcome>) -> MessageId {
    match outcome.unwrap() {
        SendOutcome::Sent(message) => message.id,
        SendOutcome::NotOnWhatsApp { phone } => panic!("{phone} is on WhatsApp"),
    }
}

#[tokio::test]
async fn a_send_that_a_crash_cut_short_goes_out_with_its_first_id() {
    let mut bench = Bench::new();
    let session = bench.paired(SHOP).await;
    let device = bench.device(SHOP).await.id;
    // The process dies between storing the send and hearing of the server.
    let began = session.new_message_id();
    let entry = OutboxEntry {
        to: String::new(),
        said: None,
        device,
        message: began.clone(),
        idempotency: Some(once("k1")),
        at: bench.clock.now(),
    };
    bench.store.begin(entry, bench.clock.now()).await.unwrap();
    bench.restart().await;
    bench.gateway.resume_sessions().await.unwrap();

    assert_eq!(id_of(send(&bench, "628111111111", Some("k1")).await), began);
    assert_eq!(id_of(send(&bench, "628111111111", Some("k1")).await), began);
    assert_eq!(bench.driver.session(SHOP).attempts(), [began]);
}

#[tokio::test]
async fn a_send_whose_end_could_not_be_stored_is_repeated_with_the_same_id() {
    let bench = Bench::new();
    let session = bench.paired(SHOP).await;
    session.hold_sends();
    let (failed, ()) = tokio::join!(send(&bench, "628111111111", Some("k1")), async {
        session.sends_waiting(1).await;
        bench.store.go_down();
        session.release_sends();
    });
    assert!(matches!(failed, Err(Error::Unavailable { what: "database", .. })));
    bench.store.come_back();
    let id = id_of(send(&bench, "628111111111", Some("k1")).await);
    assert_eq!(session.attempts(), [id.clone(), id]);
}

#[tokio::test]
async fn two_requests_with_one_key_at_once_send_one_message() {
    let bench = Bench::new();
    let session = bench.paired(SHOP).await;
    session.hold_sends();
    let (first, second) = tokio::join!(send(&bench, "628111111111", Some("k1")), async {
        session.sends_waiting(1).await;
        let second = send(&bench, "628111111111", Some("k1")).await;
        session.release_sends();
        second
    });
    assert!(matches!(
        second,
        Err(Error::WrongState {
            needs: Needs::PreviousRequestEnded,
            ..
        })
    ));
    let id = id_of(first);
    assert_eq!(id_of(send(&bench, "628111111111", Some("k1")).await), id);
    assert_eq!(session.attempts(), [id]);
}

#[tokio::test]
async fn a_key_is_forgotten_after_a_day() {
    let bench = Bench::new();
    let session = bench.paired(SHOP).await;
    let first = id_of(send(&bench, "628111111111", Some("k1")).await);
    bench.clock.advance(Duration::from_hours(24));
    assert_eq!(id_of(send(&bench, "628111111111", Some("k1")).await), first);
    bench.clock.advance(Duration::from_millis(1));
    assert_ne!(id_of(send(&bench, "628111111111", Some("k1")).await), first);
    assert_eq!(session.sent().len(), 2);
}

#[tokio::test]
async fn the_status_of_a_send_follows_what_became_of_it() {
    let bench = Bench::new();
    let session = bench.paired(SHOP).await;
    let device = bench.device(SHOP).await.id;
    let status = async |id: &MessageId| {
        Outbox::get(&*bench.store, device, id)
            .await
            .unwrap()
            .map(|send| send.status)
    };
    session.time_out_next_send();
    send(&bench, "628111111111", None).await.unwrap_err();
    assert_eq!(status(&session.attempts()[0]).await, Some(MessageStatus::Unknown));
    session.refuse_next_send(463, "no");
    send(&bench, "628111111111", None).await.unwrap_err();
    assert_eq!(status(&session.attempts()[1]).await, Some(MessageStatus::Failed));

    let sent = id_of(send(&bench, "628111111111", None).await);
    assert_eq!(status(&sent).await, Some(MessageStatus::Sent));
    for (kind, want) in [
        (ReceiptKind::Read, MessageStatus::Read),
        (ReceiptKind::Delivered, MessageStatus::Read),
        (ReceiptKind::Played, MessageStatus::Played),
    ] {
        let chat = jid("628111111111@s.whatsapp.net");
        let receipt = Receipt {
            chat_lid: None,
            sender_lid: None,
            sender: chat.clone(),
            chat,
            kind,
            ids: vec![sent.clone()],
        };
        session
            .receive(EventBody::ReceiptReceived(receipt))
            .await
            .unwrap();
        assert_eq!(status(&sent).await, Some(want), "{kind:?}");
    }
}

#[tokio::test]
async fn a_number_is_asked_for_once_a_week() {
    let bench = Bench::new();
    bench.paired(SHOP).await;
    let asked = || bench.driver.looked_up().len();
    send(&bench, "628111111111", None).await.unwrap();
    send(&bench, "+62 811 1111 111", None).await.unwrap();
    bench
        .clock
        .advance(Duration::from_hours(7 * 24) - Duration::from_millis(1));
    send(&bench, "628111111111", None).await.unwrap();
    assert_eq!(asked(), 1);
    bench.clock.advance(Duration::from_millis(1));
    send(&bench, "628111111111", None).await.unwrap();
    assert_eq!(asked(), 2);
}

#[tokio::test]
async fn a_number_without_an_account_is_asked_for_again_after_an_hour() {
    let bench = Bench::new();
    bench.paired(SHOP).await;
    bench.driver.not_on_whatsapp("628999999999");
    let missing = async || {
        matches!(
            send(&bench, "628999999999", None).await,
            Ok(SendOutcome::NotOnWhatsApp { .. })
        )
    };
    assert!(missing().await);
    bench.driver.joins_whatsapp("628999999999");
    bench.clock.advance(Duration::from_mins(59));
    assert!(missing().await);
    bench.clock.advance(Duration::from_mins(1));
    assert!(!missing().await);
    assert_eq!(bench.driver.looked_up().len(), 2);
}

#[tokio::test]
async fn a_national_number_is_completed_by_the_sending_account() {
    let bench = Bench::new();
    let session = bench.paired(SHOP).await;
    bench.driver.known_as("6281111111111", "6281111111112");
    send(&bench, "0811 1111 1111", None).await.unwrap();
    assert_eq!(bench.driver.looked_up(), ["6281111111111"]);
    assert_eq!(session.sent()[0].to, jid("6281111111112@s.whatsapp.net"));
}

#[tokio::test]
async fn an_address_is_not_looked_up_and_loses_its_device() {
    let bench = Bench::new();
    let session = bench.paired(SHOP).await;
    for to in [
        "628111111111:3@s.whatsapp.net",
        "111:2@lid",
        "120363000000000001@g.us",
        "status@broadcast",
    ] {
        send(&bench, to, None).await.unwrap();
    }
    let to: Vec<String> = session.sent().iter().map(|sent| sent.to.to_string()).collect();
    assert_eq!(
        to,
        [
            "628111111111@s.whatsapp.net",
            "111@lid",
            "120363000000000001@g.us",
            "status@broadcast"
        ]
    );
    assert!(bench.driver.looked_up().is_empty());
}

#[tokio::test]
async fn a_file_is_fetched_once_for_a_send_that_goes_out() {
    let bench = Bench::new();
    let session = bench.paired(SHOP).await;
    bench.driver.not_on_whatsapp("628999999999");
    bench.media.put(
        "https://example.com/a",
        "application/pdf",
        Some("a.pdf"),
        &b"%PDF"[..],
    );
    let request = |to: &str| MessageRequest {
        file_url: Some("https://example.com/a".into()),
        ..hello(to)
    };
    bench
        .gateway
        .send_message(&token(SHOP), request("628999999999"), None)
        .await
        .unwrap();
    assert!(bench.media.fetched().is_empty(), "nobody is there to send it to");
    bench
        .gateway
        .send_message(&token(SHOP), request("628111111111"), Some(once("k1")))
        .await
        .unwrap();
    bench
        .gateway
        .send_message(&token(SHOP), request("628111111111"), Some(once("k1")))
        .await
        .unwrap();
    assert_eq!(bench.media.fetched().len(), 1);
    assert_eq!(
        session.sent()[0].media.as_ref().unwrap().file_name.as_deref(),
        Some("a.pdf")
    );
}
