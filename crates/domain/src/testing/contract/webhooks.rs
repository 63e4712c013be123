//! The contract of [`Webhooks`](crate::ports::Webhooks).

use super::{Storage, assert_no_device, device, event, new_device, record, t, ulid, webhook};
use crate::model::{Secret, Webhook, WebhookId};

/// One device has one endpoint.
pub async fn an_endpoint_is_found_by_its_device(store: &Storage) {
    let (one, two, three) = (
        device(store, "one").await,
        device(store, "two").await,
        device(store, "three").await,
    );
    let (first, second) = (webhook(store, &one).await, webhook(store, &two).await);
    assert_eq!(
        store.webhooks.of_device(one.id).await.unwrap(),
        Some(first.clone())
    );
    assert_eq!(store.webhooks.of_device(three.id).await.unwrap(), None);
    let mut some = store
        .webhooks
        .of_devices(&[three.id, two.id, one.id])
        .await
        .unwrap();
    some.sort_by_key(|webhook| webhook.id);
    assert_eq!(some, [first, second]);
    assert!(store.webhooks.of_devices(&[]).await.unwrap().is_empty());
}

/// Deliveries on their way, and their receiver's secret, survive a change of address.
pub async fn a_second_put_changes_the_address_alone(store: &Storage) {
    let device = device(store, "one").await;
    let first = webhook(store, &device).await;
    let second = Webhook {
        id: WebhookId::new(ulid()),
        device: device.id,
        url: "https://example.com/new".into(),
        secret: Secret::new("whsec_b3RoZXI="),
        created_at: t(1_000),
    };
    store.webhooks.put(second.clone()).await.unwrap();
    let stored = store.webhooks.of_device(device.id).await.unwrap().unwrap();
    assert_eq!(
        stored,
        Webhook {
            url: second.url,
            ..first
        }
    );
}

/// What was to go there is not sent any more; what goes elsewhere is.
pub async fn deleting_drops_what_is_on_its_way(store: &Storage) {
    let (one, two) = (device(store, "one").await, device(store, "two").await);
    let (gone, stays) = (webhook(store, &one).await, webhook(store, &two).await);
    record(store, &one, vec![event(None, &[&gone]), event(None, &[&gone])]).await;
    let left = record(store, &two, vec![event(None, &[&stays])]).await;
    store.webhooks.delete(one.id).await.unwrap();
    store.webhooks.delete(one.id).await.unwrap();
    assert_eq!(store.webhooks.of_device(one.id).await.unwrap(), None);
    let due = store
        .deliveries
        .reserve(t(0), std::time::Duration::from_secs(1), 10)
        .await
        .unwrap();
    assert_eq!(due.iter().map(|delivery| delivery.id).collect::<Vec<_>>(), left);

    let again = webhook(store, &one).await;
    assert_ne!(again.id, gone.id);
    assert_eq!(store.webhooks.of_device(one.id).await.unwrap(), Some(again));
}

/// There is no endpoint without a device.
pub async fn an_endpoint_needs_its_device(store: &Storage) {
    let missing = new_device("missing");
    let webhook = Webhook {
        id: WebhookId::new(ulid()),
        device: missing.id,
        url: "https://example.com".into(),
        secret: Secret::new("whsec_"),
        created_at: t(0),
    };
    assert_no_device(store.webhooks.put(webhook).await);
    store.webhooks.delete(missing.id).await.unwrap();
}
