//! The contract of [`Webhooks`](crate::ports::Webhooks).

use super::{Storage, assert_no_device, device, event, new_device, new_webhook, record, t, ulid, webhook};
use crate::Error;
use crate::model::{
    CursorQuery, CustomHeader, Device, EventFilter, RetiringSecret, SigningSecret, Webhook, WebhookFormat,
    WebhookId, WebhookScope, WebhookState,
};
use crate::ports::Reservation;

fn scoped(scope: WebhookScope, device: &Device) -> Webhook {
    Webhook {
        scope,
        ..new_webhook(device)
    }
}

async fn due(store: &Storage) -> Vec<crate::model::DeliveryId> {
    let reservation = Reservation {
        now: t(0),
        lease: std::time::Duration::from_secs(1),
        limit: 10,
        per_webhook: 10,
        busy: Vec::new(),
    };
    let due = store.deliveries.reserve(reservation).await.unwrap();
    due.iter().map(|delivery| delivery.id).collect()
}

/// One device has one endpoint of the seed.
pub async fn a_seed_endpoint_is_found_by_its_device(store: &Storage) {
    let (one, two, three) = (
        device(store, "one").await,
        device(store, "two").await,
        device(store, "three").await,
    );
    let (first, second) = (webhook(store, &one).await, webhook(store, &two).await);
    store
        .webhooks
        .create(&scoped(WebhookScope::Device(three.id), &three))
        .await
        .unwrap();
    assert_eq!(store.webhooks.seed_of(one.id).await.unwrap(), Some(first.clone()));
    assert_eq!(store.webhooks.seed_of(three.id).await.unwrap(), None);
    let mut some = store
        .webhooks
        .seeds_of(&[three.id, two.id, one.id])
        .await
        .unwrap();
    some.sort_by_key(|webhook| webhook.id);
    assert_eq!(some, [first, second]);
    assert!(store.webhooks.seeds_of(&[]).await.unwrap().is_empty());
}

/// Deliveries on their way, and their receiver's secret, survive a change of address.
pub async fn a_second_put_changes_the_address_alone(store: &Storage) {
    let device = device(store, "one").await;
    let first = webhook(store, &device).await;
    let second = Webhook {
        url: "https://example.com/new".into(),
        secret: SigningSecret::from_bytes(&[9; 32]),
        created_at: t(1_000),
        ..new_webhook(&device)
    };
    store.webhooks.put_seed(&second, t(0)).await.unwrap();
    let stored = store.webhooks.seed_of(device.id).await.unwrap().unwrap();
    let want = Webhook {
        url: second.url,
        ..first
    };
    assert_eq!(stored, want);
}

/// A new address is a new chance, but does not end a pause.
pub async fn a_new_address_wakes_a_disabled_endpoint(store: &Storage) {
    let device = device(store, "one").await;
    let mut webhook = webhook(store, &device).await;
    let disabled = WebhookState::Disabled {
        reason: "gone".into(),
        at: t(0),
    };
    for (before, after) in [
        (disabled, WebhookState::Active),
        (WebhookState::Paused, WebhookState::Paused),
    ] {
        webhook.state = before;
        store.webhooks.update(&webhook, t(0)).await.unwrap();
        store
            .webhooks
            .put_seed(&new_webhook(&device), t(0))
            .await
            .unwrap();
        let stored = store.webhooks.get(webhook.id).await.unwrap().unwrap();
        assert_eq!(stored.state, after);
    }
}

/// Every field comes back as it was stored.
pub async fn an_endpoint_is_found_with_all_its_fields(store: &Storage) {
    let device = device(store, "one").await;
    let mut webhook = Webhook {
        format: WebhookFormat::Standard,
        events: EventFilter::parse(&["message.*", "session.ended"]).unwrap(),
        headers: vec![CustomHeader::new("authorization", "Basic eA==").unwrap()],
        ..scoped(WebhookScope::Workspace("Büro 1".parse().unwrap()), &device)
    };
    store.webhooks.create(&webhook).await.unwrap();
    assert_eq!(
        store.webhooks.get(webhook.id).await.unwrap(),
        Some(webhook.clone())
    );
    webhook.url = "https://example.com/else".into();
    webhook.format = WebhookFormat::Classic;
    webhook.events = EventFilter::all();
    webhook.headers = Vec::new();
    webhook.retiring = Some(RetiringSecret {
        secret: std::mem::replace(&mut webhook.secret, SigningSecret::from_bytes(&[1; 32])),
        until: t(77),
    });
    for state in [
        WebhookState::Paused,
        WebhookState::Active,
        WebhookState::Disabled {
            reason: "status 410: gone".into(),
            at: t(5),
        },
    ] {
        webhook.state = state;
        store.webhooks.update(&webhook, t(6)).await.unwrap();
        assert_eq!(
            store.webhooks.get(webhook.id).await.unwrap(),
            Some(webhook.clone())
        );
    }
    let unknown = Webhook {
        id: WebhookId::new(ulid()),
        ..webhook
    };
    assert_eq!(store.webhooks.get(unknown.id).await.unwrap(), None);
    let missed = store.webhooks.update(&unknown, t(0)).await;
    assert!(
        matches!(missed, Err(Error::NotFound { what: "webhook", .. })),
        "{missed:?}"
    );
}

/// Own ones, the workspace's and everybody's.
pub async fn a_device_has_its_own_its_workspaces_and_the_global_ones(store: &Storage) {
    let (mut one, two) = (device(store, "one").await, device(store, "two").await);
    one.workspace = Some("Marketing".parse().unwrap());
    store.devices.update(&one).await.unwrap();
    let seed = webhook(store, &one).await;
    let others = [
        WebhookScope::Device(one.id),
        WebhookScope::Workspace("Marketing".parse().unwrap()),
        WebhookScope::Global,
        WebhookScope::Device(two.id),
        WebhookScope::Workspace("Sales".parse().unwrap()),
    ]
    .map(|scope| scoped(scope, &one));
    for webhook in &others {
        store.webhooks.create(webhook).await.unwrap();
    }
    let receiving = |device: &Device| {
        let device = device.clone();
        async move {
            let found = store.webhooks.receiving(&device).await.unwrap();
            found.iter().map(|webhook| webhook.id).collect::<Vec<_>>()
        }
    };
    assert_eq!(
        receiving(&one).await,
        [seed.id, others[0].id, others[1].id, others[2].id]
    );
    assert_eq!(receiving(&two).await, [others[2].id, others[3].id]);
}

/// Page after page, oldest first.
pub async fn endpoints_are_listed_oldest_first(store: &Storage) {
    let device = device(store, "one").await;
    let mut ids = vec![webhook(store, &device).await.id];
    for _ in 0..3 {
        let webhook = scoped(WebhookScope::Global, &device);
        store.webhooks.create(&webhook).await.unwrap();
        ids.push(webhook.id);
    }
    let page = |after, limit| async move {
        let page = store.webhooks.list(CursorQuery::new(after, limit)).await.unwrap();
        (
            page.items.iter().map(|webhook| webhook.id).collect::<Vec<_>>(),
            page.next,
        )
    };
    assert_eq!(page(None, 3).await, (ids[..3].to_vec(), Some(ids[2])));
    assert_eq!(page(Some(ids[2]), 3).await, (ids[3..].to_vec(), None));
}

/// What was to go there is not sent any more; what goes elsewhere is.
pub async fn deleting_drops_what_is_on_its_way(store: &Storage) {
    let (one, two) = (device(store, "one").await, device(store, "two").await);
    let (gone, stays) = (webhook(store, &one).await, webhook(store, &two).await);
    record(store, &one, vec![event(None, &[&gone]), event(None, &[&gone])]).await;
    let left = record(store, &two, vec![event(None, &[&stays])]).await;
    store.webhooks.delete(gone.id).await.unwrap();
    store.webhooks.delete(gone.id).await.unwrap();
    assert_eq!(store.webhooks.seed_of(one.id).await.unwrap(), None);
    assert_eq!(due(store).await, left);

    let again = webhook(store, &one).await;
    assert_ne!(again.id, gone.id);
    assert_eq!(store.webhooks.seed_of(one.id).await.unwrap(), Some(again));
}

/// There is no endpoint of a device without the device.
pub async fn an_endpoint_needs_its_device(store: &Storage) {
    let missing = new_device("missing");
    let webhook = new_webhook(&missing);
    assert_no_device(store.webhooks.put_seed(&webhook, t(0)).await);
    assert_no_device(
        store
            .webhooks
            .create(&scoped(WebhookScope::Device(missing.id), &missing))
            .await,
    );
    store.webhooks.delete(webhook.id).await.unwrap();
}
