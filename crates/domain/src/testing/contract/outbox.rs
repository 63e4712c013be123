//! The contract of [`Outbox`](crate::ports::Outbox).

use super::{Storage, assert_no_device, device, new_device, race, t};
use crate::model::{Answer, Device, Idempotency, Jid, MessageId, MessageStatus, Timestamp};
use crate::ports::{Attempt, OutboxEntry};

/// No key is as old as this.
const EVER: Timestamp = Timestamp(0);

fn message(id: &str) -> MessageId {
    MessageId(id.into())
}

fn entry(device: &Device, id: &str, key: Option<(&str, u8)>) -> OutboxEntry {
    let idempotency = key.map(|(key, byte)| Idempotency {
        key: key.parse().expect("a key"),
        fingerprint: [byte; 32],
    });
    OutboxEntry {
        device: device.id,
        message: message(id),
        idempotency,
        at: t(0),
    }
}

async fn begin(store: &Storage, entry: OutboxEntry) -> Attempt {
    store.outbox.begin(entry, EVER).await.unwrap()
}

fn begun(id: &str) -> Attempt {
    Attempt::Begun(message(id))
}

fn sent() -> Answer {
    Answer::Sent {
        to: Jid::phone("628111"),
        at: t(7),
    }
}

/// Without a key every send is a send of its own.
pub async fn a_send_begins_queued(store: &Storage) {
    let device = device(store, "one").await;
    for id in ["M1", "M2"] {
        assert_eq!(begin(store, entry(&device, id, None)).await, begun(id));
        assert_eq!(
            store.outbox.status(device.id, &message(id)).await.unwrap(),
            Some(MessageStatus::Queued)
        );
    }
    assert_eq!(
        store.outbox.status(device.id, &message("M3")).await.unwrap(),
        None
    );
}

/// Whether the first attempt reached the server is unknown; with the same id it cannot show twice.
pub async fn an_unfinished_attempt_goes_on_with_its_first_id(store: &Storage) {
    let device = device(store, "one").await;
    assert_eq!(
        begin(store, entry(&device, "M1", Some(("k", 1)))).await,
        begun("M1")
    );
    assert_eq!(
        begin(store, entry(&device, "M2", Some(("k", 1)))).await,
        begun("M1")
    );
    store
        .outbox
        .finish(device.id, &message("M1"), MessageStatus::Unknown, None)
        .await
        .unwrap();
    assert_eq!(
        begin(store, entry(&device, "M3", Some(("k", 1)))).await,
        begun("M1")
    );
    assert_eq!(
        store.outbox.status(device.id, &message("M2")).await.unwrap(),
        None,
        "it never began"
    );
    assert_eq!(
        begin(store, entry(&device, "M4", Some(("other", 1)))).await,
        begun("M4")
    );
}

/// Every kind of answer comes back as it was.
pub async fn a_retry_gets_the_stored_answer(store: &Storage) {
    let device = device(store, "one").await;
    let refused = Answer::Refused {
        wa_code: Some(479),
        text: "nö".into(),
    };
    let unspoken = Answer::Refused {
        wa_code: None,
        text: String::new(),
    };
    for (number, answer) in [sent(), Answer::NotOnWhatsApp, refused, unspoken]
        .into_iter()
        .enumerate()
    {
        let (id, key) = (format!("M{number}"), format!("k{number}"));
        begin(store, entry(&device, &id, Some((&key, 1)))).await;
        store
            .outbox
            .finish(
                device.id,
                &message(&id),
                MessageStatus::Sent,
                Some(answer.clone()),
            )
            .await
            .unwrap();
        store
            .outbox
            .finish(device.id, &message(&id), MessageStatus::Sent, None)
            .await
            .unwrap();
        let again = begin(store, entry(&device, "AGAIN", Some((&key, 1)))).await;
        assert_eq!(again, Attempt::Answered(message(&id), answer));
    }
}

/// Before and after the first request was answered.
pub async fn a_key_with_another_request_is_refused(store: &Storage) {
    let device = device(store, "one").await;
    begin(store, entry(&device, "M1", Some(("k", 1)))).await;
    assert_eq!(
        begin(store, entry(&device, "M2", Some(("k", 2)))).await,
        Attempt::KeyReused
    );
    store
        .outbox
        .finish(device.id, &message("M1"), MessageStatus::Sent, Some(sent()))
        .await
        .unwrap();
    assert_eq!(
        begin(store, entry(&device, "M2", Some(("k", 2)))).await,
        Attempt::KeyReused
    );
    assert_eq!(
        store.outbox.status(device.id, &message("M2")).await.unwrap(),
        None
    );
}

/// Two tenants may choose the same key, and the same message id.
pub async fn keys_belong_to_devices(store: &Storage) {
    let (one, two) = (device(store, "one").await, device(store, "two").await);
    assert_eq!(begin(store, entry(&one, "M1", Some(("k", 1)))).await, begun("M1"));
    assert_eq!(begin(store, entry(&two, "M1", Some(("k", 2)))).await, begun("M1"));
    store
        .outbox
        .finish(one.id, &message("M1"), MessageStatus::Sent, Some(sent()))
        .await
        .unwrap();
    assert_eq!(
        store.outbox.status(two.id, &message("M1")).await.unwrap(),
        Some(MessageStatus::Queued)
    );
    assert_eq!(begin(store, entry(&two, "M2", Some(("k", 2)))).await, begun("M1"));
}

/// A key is kept up to and at its age, not beyond. What it sent stays.
pub async fn old_keys_are_forgotten(store: &Storage) {
    let device = device(store, "one").await;
    begin(store, entry(&device, "M1", Some(("k", 1)))).await;
    store
        .outbox
        .finish(device.id, &message("M1"), MessageStatus::Sent, Some(sent()))
        .await
        .unwrap();
    let later = |id: &str| OutboxEntry {
        at: t(100),
        ..entry(&device, id, Some(("k", 2)))
    };
    assert_eq!(
        store.outbox.begin(later("M2"), t(0)).await.unwrap(),
        Attempt::KeyReused
    );
    assert_eq!(store.outbox.begin(later("M3"), t(1)).await.unwrap(), begun("M3"));
    assert_eq!(store.outbox.begin(later("M4"), t(1)).await.unwrap(), begun("M3"));
    assert_eq!(
        store.outbox.status(device.id, &message("M1")).await.unwrap(),
        Some(MessageStatus::Sent)
    );
}

/// An impatient client sends its request several times at once.
pub async fn racing_attempts_agree_on_one_id(store: &Storage) {
    let device = device(store, "one").await;
    let attempts = race(|number| {
        let (store, entry) = (
            store.clone(),
            entry(&device, &format!("M{number}"), Some(("k", 1))),
        );
        async move { store.outbox.begin(entry, EVER).await.unwrap() }
    })
    .await;
    assert!(
        attempts
            .iter()
            .all(|attempt| *attempt == attempts[0] && matches!(attempt, Attempt::Begun(_)))
    );
}

/// A receipt may be faster than the server's own answer.
pub async fn a_status_never_goes_back(store: &Storage) {
    use MessageStatus::{Delivered, Failed, Queued, Sent, Unknown};
    let device = device(store, "one").await;
    begin(store, entry(&device, "M1", None)).await;
    for (told, want) in [
        (Failed, Failed),
        (Queued, Failed),
        (Unknown, Unknown),
        (Delivered, Delivered),
        (Sent, Delivered),
        (Failed, Delivered),
    ] {
        store
            .outbox
            .finish(device.id, &message("M1"), told, None)
            .await
            .unwrap();
        assert_eq!(
            store.outbox.status(device.id, &message("M1")).await.unwrap(),
            Some(want)
        );
    }
}

/// Sends of a device that is gone do not begin, and end without a trace.
pub async fn a_send_needs_its_device(store: &Storage) {
    let missing = new_device("missing");
    assert_no_device(store.outbox.begin(entry(&missing, "M1", None), EVER).await);
    assert_no_device(
        store
            .outbox
            .begin(entry(&missing, "M1", Some(("k", 1))), EVER)
            .await,
    );
    store
        .outbox
        .finish(missing.id, &message("M1"), MessageStatus::Sent, Some(sent()))
        .await
        .unwrap();
    assert_eq!(
        store.outbox.status(missing.id, &message("M1")).await.unwrap(),
        None
    );
}
