//! The contract of [`Outbox`](crate::ports::Outbox).

use super::{Storage, assert_no_device, device, new_device, race, t};
use crate::model::{Answer, Device, DeviceId, Idempotency, Jid, MessageId, MessageStatus, Timestamp};
use crate::model::{CursorQuery, StoredSend};
use crate::ports::{Express, OutboxEntry, SendBegin, StatusChange};

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
        to: "+62 811 1".into(),
        said: None,
        idempotency,
        at: t(0),
    }
}

async fn begin(store: &Storage, entry: OutboxEntry) -> SendBegin {
    store.outbox.begin(entry, EVER).await.unwrap()
}

fn begun(id: &str) -> SendBegin {
    SendBegin::Begun(message(id))
}

async fn status(store: &Storage, device: DeviceId, id: &str) -> Option<MessageStatus> {
    let found = store.outbox.get(device, &message(id)).await.unwrap();
    found.map(|send| send.status)
}

fn change(id: &str, status: MessageStatus) -> StatusChange {
    StatusChange {
        message: message(id),
        status,
        to: None,
        failure: None,
        at: t(1),
        event: None,
    }
}

async fn finish(store: &Storage, device: DeviceId, id: &str, status: MessageStatus, answer: Option<Answer>) {
    let recorded = store
        .outbox
        .finish(device, change(id, status), answer, Express::NONE)
        .await
        .unwrap();
    assert!(recorded.events.is_empty());
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
        assert_eq!(status(store, device.id, id).await, Some(MessageStatus::Queued));
    }
    assert_eq!(status(store, device.id, "M3").await, None);
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
    finish(store, device.id, "M1", MessageStatus::Unknown, None).await;
    assert_eq!(
        begin(store, entry(&device, "M3", Some(("k", 1)))).await,
        begun("M1")
    );
    assert_eq!(status(store, device.id, "M2").await, None, "it never began");
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
        finish(store, device.id, &id, MessageStatus::Sent, Some(answer.clone())).await;
        finish(store, device.id, &id, MessageStatus::Sent, None).await;
        let again = begin(store, entry(&device, "AGAIN", Some((&key, 1)))).await;
        assert_eq!(again, SendBegin::Answered(message(&id), answer));
    }
}

/// Before and after the first request was answered.
pub async fn a_key_with_another_request_is_refused(store: &Storage) {
    let device = device(store, "one").await;
    begin(store, entry(&device, "M1", Some(("k", 1)))).await;
    assert_eq!(
        begin(store, entry(&device, "M2", Some(("k", 2)))).await,
        SendBegin::KeyReused
    );
    finish(store, device.id, "M1", MessageStatus::Sent, Some(sent())).await;
    assert_eq!(
        begin(store, entry(&device, "M2", Some(("k", 2)))).await,
        SendBegin::KeyReused
    );
    assert_eq!(status(store, device.id, "M2").await, None);
}

/// Two tenants may choose the same key, and the same message id.
pub async fn keys_belong_to_devices(store: &Storage) {
    let (one, two) = (device(store, "one").await, device(store, "two").await);
    assert_eq!(begin(store, entry(&one, "M1", Some(("k", 1)))).await, begun("M1"));
    assert_eq!(begin(store, entry(&two, "M1", Some(("k", 2)))).await, begun("M1"));
    finish(store, one.id, "M1", MessageStatus::Sent, Some(sent())).await;
    assert_eq!(status(store, two.id, "M1").await, Some(MessageStatus::Queued));
    assert_eq!(begin(store, entry(&two, "M2", Some(("k", 2)))).await, begun("M1"));
}

/// A key is kept up to and at its age, not beyond. What it sent stays.
pub async fn old_keys_are_forgotten(store: &Storage) {
    let device = device(store, "one").await;
    begin(store, entry(&device, "M1", Some(("k", 1)))).await;
    finish(store, device.id, "M1", MessageStatus::Sent, Some(sent())).await;
    let later = |id: &str| OutboxEntry {
        at: t(100),
        ..entry(&device, id, Some(("k", 2)))
    };
    assert_eq!(
        store.outbox.begin(later("M2"), t(0)).await.unwrap(),
        SendBegin::KeyReused
    );
    assert_eq!(store.outbox.begin(later("M3"), t(1)).await.unwrap(), begun("M3"));
    assert_eq!(store.outbox.begin(later("M4"), t(1)).await.unwrap(), begun("M3"));
    assert_eq!(status(store, device.id, "M1").await, Some(MessageStatus::Sent));
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
            .all(|attempt| *attempt == attempts[0] && matches!(attempt, SendBegin::Begun(_)))
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
        finish(store, device.id, "M1", told, None).await;
        assert_eq!(status(store, device.id, "M1").await, Some(want));
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
    finish(store, missing.id, "M1", MessageStatus::Sent, Some(sent())).await;
    assert_eq!(status(store, missing.id, "M1").await, None);
}

async fn listed(store: &Storage, device: &Device, after: Option<&str>, limit: u32) -> Vec<String> {
    let query = CursorQuery::new(after.map(message), limit);
    let page = store.outbox.list(device.id, query).await.unwrap();
    page.items.into_iter().map(|send| send.id.0).collect()
}

/// The newest is what somebody looks for.
pub async fn messages_are_listed_newest_first(store: &Storage) {
    let (one, two) = (device(store, "one").await, device(store, "two").await);
    for (number, id) in ["M3", "M1", "M2"].into_iter().enumerate() {
        let mut entry = entry(&one, id, None);
        entry.at = t(i64::try_from(number).unwrap());
        begin(store, entry).await;
    }
    begin(store, entry(&two, "M9", None)).await;
    assert_eq!(listed(store, &one, None, 9).await, ["M2", "M1", "M3"]);
    assert_eq!(listed(store, &one, None, 1).await, ["M2"]);
    assert_eq!(listed(store, &one, Some("M2"), 1).await, ["M1"]);
    assert_eq!(listed(store, &one, Some("M3"), 9).await, [""; 0]);
    let found = store.outbox.get(one.id, &message("M3")).await.unwrap();
    let want = StoredSend {
        id: message("M3"),
        device: one.id,
        to: "+62 811 1".into(),
        status: MessageStatus::Queued,
        failure: None,
        created_at: t(0),
        updated_at: t(0),
    };
    assert_eq!(found, Some(want));
}

/// A process that starts learns what the one before it left behind.
pub async fn what_never_ended_is_found(store: &Storage) {
    let device = device(store, "one").await;
    for id in ["M1", "M2", "M3"] {
        begin(store, entry(&device, id, None)).await;
    }
    finish(store, device.id, "M2", MessageStatus::Sent, None).await;
    let unfinished = |before, limit| async move {
        let found = store.outbox.unfinished(before, limit).await.unwrap();
        let mut ids: Vec<String> = found.into_iter().map(|send| send.id.0).collect();
        ids.sort();
        ids
    };
    assert_eq!(unfinished(t(0), 9).await, [""; 0]);
    assert_eq!(unfinished(t(1), 1).await.len(), 1);
    assert_eq!(unfinished(t(1), 9).await, ["M1", "M3"]);
}

/// Old ones go, a few at a time.
pub async fn old_messages_are_pruned_in_steps(store: &Storage) {
    let device = device(store, "one").await;
    for number in 0..4 {
        let mut entry = entry(&device, &format!("M{number}"), None);
        entry.at = t(number);
        begin(store, entry).await;
    }
    assert_eq!(store.outbox.prune(t(3), 2).await.unwrap(), 2);
    assert_eq!(store.outbox.prune(t(3), 2).await.unwrap(), 1);
    assert_eq!(store.outbox.prune(t(3), 2).await.unwrap(), 0);
    assert_eq!(listed(store, &device, None, 9).await, ["M3"]);
}
