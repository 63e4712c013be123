//! The contract of [`Devices`](crate::ports::Devices).

use super::{Storage, assert_no_device, batch, device, event, new_device, race, record, t, webhook};
use crate::model::{
    CallSettings, Contact, Device, DeviceFilter, DeviceId, DeviceQuery, DeviceStanding, EndReason, Jid,
    MessageId, PageQuery, Timestamp,
};
use crate::ports::{EventBatch, KeyEntry, KeyKind, OutboxEntry, Reservation};

/// A device with every field set.
fn full_device(token: &str) -> Device {
    Device {
        label: Some("Corner shop 🏪".parse().expect("a label")),
        jid: Some("628123:7@s.whatsapp.net".parse().expect("a jid")),
        lid: Some("99887766:7@lid".parse().expect("a jid")),
        push_name: Some("Zoë 🦀".into()),
        picture_url: Some("https://pps.example/1.jpg".into()),
        workspace: Some("Büro %_".parse().expect("a name")),
        calls: CallSettings {
            reject: true,
            exclude: vec!["628111".into()],
            message: Some("later".into()),
        },
        ended: Some(EndReason::Banned {
            code: 402,
            until: Some(t(60_000)),
        }),
        ..new_device(token)
    }
}

/// What is stored comes back as it was.
pub async fn a_new_device_is_found_with_all_its_fields(store: &Storage) {
    for new in [full_device("full"), new_device("bare")] {
        assert_eq!(store.devices.create(new.clone()).await.unwrap(), new);
        assert_eq!(store.devices.find(&new.token).await.unwrap().as_ref(), Some(&new));
        assert_eq!(store.devices.get(new.id).await.unwrap().as_ref(), Some(&new));
    }
    assert_eq!(store.devices.find(&"other".parse().unwrap()).await.unwrap(), None);
    assert_eq!(store.devices.get(new_device("other").id).await.unwrap(), None);
    assert_eq!(
        store.devices.find(&"FULL".parse().unwrap()).await.unwrap(),
        None,
        "tokens are exact"
    );
}

/// A token names one device.
pub async fn creating_a_token_again_returns_the_first(store: &Storage) {
    let first = store.devices.create(full_device("same")).await.unwrap();
    assert_eq!(store.devices.create(new_device("same")).await.unwrap(), first);
    assert_eq!(store.devices.all().await.unwrap(), [first]);
}

/// Of many that create the same token, one wins and all get its device.
pub async fn racing_creators_get_the_same_device(store: &Storage) {
    let created = race(|_| {
        let devices = store.devices.clone();
        async move { devices.create(new_device("same")).await.unwrap() }
    })
    .await;
    let stored = store.devices.all().await.unwrap();
    assert_eq!(stored.len(), 1);
    assert!(created.iter().all(|device| *device == stored[0]));
}

/// Fields are set and cleared.
pub async fn update_overwrites_every_field(store: &Storage) {
    let bare = device(store, "one").await;
    let other = device(store, "two").await;
    let full = Device {
        id: bare.id,
        ..full_device("one")
    };
    store.devices.update(&full).await.unwrap();
    assert_eq!(store.devices.get(bare.id).await.unwrap(), Some(full));
    store.devices.update(&bare).await.unwrap();
    assert_eq!(store.devices.get(bare.id).await.unwrap(), Some(bare));
    assert_eq!(store.devices.get(other.id).await.unwrap(), Some(other));
}

/// An update does not make a device.
pub async fn update_misses_a_device_that_is_gone(store: &Storage) {
    let gone = device(store, "gone").await;
    store.devices.delete(gone.id).await.unwrap();
    assert_no_device(store.devices.update(&gone).await);
    assert!(store.devices.all().await.unwrap().is_empty());
}

fn query(page: u32, limit: u32) -> DeviceQuery {
    DeviceQuery {
        page: PageQuery::new(page, limit),
        filter: DeviceFilter::default(),
    }
}

async fn tokens(store: &Storage, query: &DeviceQuery) -> (Vec<String>, u64) {
    let page = store.devices.list(query).await.unwrap();
    (
        page.items.iter().map(|device| device.token.to_string()).collect(),
        page.total,
    )
}

/// Age decides, not the order of storing, nor the token.
pub async fn lists_are_oldest_first_and_come_in_pages(store: &Storage) {
    assert_eq!(tokens(store, &query(1, 10)).await, (vec![], 0));
    for (token, age) in [("c", 3), ("a", 2), ("d", 4), ("b", 1), ("e", 5)] {
        let created_at: Timestamp = t(-age);
        store
            .devices
            .create(Device {
                created_at,
                ..new_device(token)
            })
            .await
            .unwrap();
    }
    let all: Vec<String> = store
        .devices
        .all()
        .await
        .unwrap()
        .iter()
        .map(|device| device.token.to_string())
        .collect();
    assert_eq!(all, ["e", "d", "c", "a", "b"]);
    let page = |items: &[&str]| (items.iter().map(ToString::to_string).collect::<Vec<_>>(), 5);
    assert_eq!(tokens(store, &query(1, 2)).await, page(&["e", "d"]));
    assert_eq!(tokens(store, &query(2, 2)).await, page(&["c", "a"]));
    assert_eq!(tokens(store, &query(3, 2)).await, page(&["b"]));
    assert_eq!(tokens(store, &query(4, 2)).await, page(&[]));
    assert_eq!(tokens(store, &query(u32::MAX, 200)).await, page(&[]));
}

async fn found(store: &Storage, text: &str) -> Vec<String> {
    let (found, total) = tokens(
        store,
        &DeviceQuery {
            filter: DeviceFilter {
                text: Some(text.into()),
                workspace: None,
            },
            ..query(1, 50)
        },
    )
    .await;
    assert_eq!(found.len() as u64, total, "{text}");
    found
}

async fn named(store: &Storage, token: &str, name: &str) {
    store
        .devices
        .create(Device {
            push_name: Some(name.into()),
            ..new_device(token)
        })
        .await
        .unwrap();
}

/// Case means nothing, in any alphabet.
pub async fn text_finds_token_names_and_phone_in_any_case(store: &Storage) {
    let jid = Some(Jid::phone("628123456"));
    store
        .devices
        .create(Device {
            jid,
            label: Some("Corner Ümläut".parse().unwrap()),
            ..new_device("Shop-1")
        })
        .await
        .unwrap();
    named(store, "x-2", "Ärger & Söhne").await;
    named(store, "x-3", "Мария ΟΔΥΣΣΕΥΣ").await;
    for (text, want) in [
        ("sHOP", "Shop-1"),
        ("p-1", "Shop-1"),
        ("8123", "Shop-1"),
        ("corner üMLÄ", "Shop-1"),
        ("ärGER", "x-2"),
        ("& SÖHNE", "x-2"),
        ("мАРИЯ", "x-3"),
        ("οδυσσ", "x-3"),
        ("ΣΣΕΥΣ", "x-3"),
    ] {
        assert_eq!(found(store, text).await, [want], "{text}");
    }
    assert_eq!(found(store, "").await.len(), 3);
    assert_eq!(found(store, "X-").await, ["x-2", "x-3"]);
    for nothing in ["628123456@s.whatsapp.net", "nobody", "a r g e r"] {
        assert!(found(store, nothing).await.is_empty(), "{nothing}");
    }
    let mut renamed = store
        .devices
        .find(&"x-2".parse().unwrap())
        .await
        .unwrap()
        .unwrap();
    renamed.push_name = Some("Neu".into());
    store.devices.update(&renamed).await.unwrap();
    assert!(found(store, "ärger").await.is_empty());
    assert_eq!(found(store, "neu").await, ["x-2"]);
}

/// Nothing in the text has a meaning of its own.
pub async fn text_is_taken_literally(store: &Storage) {
    for (token, name) in [
        ("t1", "100 % cotton"),
        ("t2", "snake_case"),
        ("t3", r"back\slash"),
        ("t4", "O'Neil \"x\""),
        ("t5", "plain*?[a]"),
    ] {
        named(store, token, name).await;
    }
    for (text, want) in [
        ("%", "t1"),
        ("0 %", "t1"),
        ("_", "t2"),
        ("e_c", "t2"),
        (r"\", "t3"),
        (r"k\s", "t3"),
        ("'", "t4"),
        ("\"", "t4"),
        ("*?[", "t5"),
    ] {
        assert_eq!(found(store, text).await, [want], "{text}");
    }
    for nothing in [
        "1%n",
        "s_ake",
        "%%",
        r"\%",
        r"\\",
        "t%",
        "[a-z]",
        "'; DROP TABLE devices; --",
    ] {
        assert!(found(store, nothing).await.is_empty(), "{nothing}");
    }
}

/// Workspace and text narrow each other.
pub async fn filters_must_all_match(store: &Storage) {
    for (token, workspace) in [
        ("a1", Some("North")),
        ("a2", Some("South")),
        ("b1", Some("North")),
        ("a3", None),
    ] {
        let workspace = workspace.map(|name| name.parse().unwrap());
        store
            .devices
            .create(Device {
                workspace,
                ..new_device(token)
            })
            .await
            .unwrap();
    }
    let ask = async |text: Option<&str>, workspace: &str| {
        let workspace = Some(workspace.parse().unwrap());
        tokens(
            store,
            &DeviceQuery {
                filter: DeviceFilter {
                    text: text.map(Into::into),
                    workspace,
                },
                ..query(1, 50)
            },
        )
        .await
        .0
    };
    assert_eq!(ask(None, "North").await, ["a1", "b1"]);
    assert_eq!(ask(Some("A"), "North").await, ["a1"]);
    assert!(ask(None, "north").await.is_empty(), "a workspace is exact");
    assert!(ask(None, "Nor").await.is_empty());
}

async fn standing(store: &Storage, text: Option<&str>, workspace: Option<&str>) -> Vec<DeviceStanding> {
    let filter = DeviceFilter {
        text: text.map(Into::into),
        workspace: workspace.map(|name| name.parse().unwrap()),
    };
    store.devices.standings(&filter).await.unwrap()
}

/// The id decides, not the time; why one ended comes along.
pub async fn standings_are_newest_first_and_filtered(store: &Storage) {
    assert_eq!(standing(store, None, None).await, []);
    let mut devices = Vec::new();
    for (number, token) in (0..).zip(["a1", "b1", "a2", "b2"]) {
        let new = Device {
            created_at: t(-number),
            workspace: (number > 1).then(|| "North".parse().unwrap()),
            ended: (number == 3).then_some(EndReason::Replaced),
            ..new_device(token)
        };
        devices.push(store.devices.create(new).await.unwrap());
    }
    let of = |numbers: &[usize]| -> Vec<DeviceStanding> {
        let standing = |number: &usize| DeviceStanding {
            id: devices[*number].id,
            ended: devices[*number].ended.clone(),
        };
        numbers.iter().map(standing).collect()
    };
    assert_eq!(standing(store, None, None).await, of(&[3, 2, 1, 0]));
    assert_eq!(standing(store, Some("A"), None).await, of(&[2, 0]));
    assert_eq!(standing(store, None, Some("North")).await, of(&[3, 2]));
    assert_eq!(standing(store, Some("b"), Some("North")).await, of(&[3]));
    assert_eq!(standing(store, Some("%"), None).await, []);
}

/// Those that are there, in one order, whatever the order of asking.
pub async fn many_are_read_at_once(store: &Storage) {
    let (one, two) = (device(store, "one").await, device(store, "two").await);
    device(store, "other").await;
    let gone = DeviceId::new(super::ulid());
    let found = store.devices.get_many(&[one.id, gone, two.id]).await.unwrap();
    assert_eq!(found, [two, one]);
    assert_eq!(store.devices.get_many(&[]).await.unwrap(), []);
}

/// Nothing of a deleted device is left; everything of the others is.
pub async fn deleting_takes_everything_along(store: &Storage) {
    let message = MessageId("M1".into());
    let key = || KeyEntry {
        kind: KeyKind::Device,
        key: "k".into(),
        value: "v".into(),
        expires_at: None,
    };
    let mut devices = Vec::new();
    for token in ["gone", "stays"] {
        let device = device(store, token).await;
        let webhook = webhook(store, &device).await;
        record(store, &device, vec![event(Some("e"), &[&webhook])]).await;
        let contacts = vec![Contact::new(Jid::phone("628111"))];
        store
            .events
            .record(EventBatch {
                contacts,
                ..batch(&device)
            })
            .await
            .unwrap();
        store.keys.put_many(device.id, vec![key()]).await.unwrap();
        let entry = OutboxEntry {
            device: device.id,
            message: message.clone(),
            to: "628111".into(),
            said: None,
            idempotency: None,
            at: t(0),
        };
        store.outbox.begin(entry, t(0)).await.unwrap();
        devices.push(device);
    }
    let [gone, stays] = &devices[..] else {
        unreachable!()
    };
    store.devices.delete(gone.id).await.unwrap();
    store.devices.delete(gone.id).await.unwrap();

    for (device, count) in [(gone, 0), (stays, 1)] {
        assert_eq!(
            usize::from(store.devices.get(device.id).await.unwrap().is_some()),
            count
        );
        assert_eq!(
            usize::from(store.webhooks.seed_of(device.id).await.unwrap().is_some()),
            count
        );
        assert_eq!(store.directory.contacts(device.id).await.unwrap().len(), count);
        assert_eq!(
            store
                .keys
                .scan(device.id, KeyKind::Device, "".into())
                .await
                .unwrap()
                .len(),
            count
        );
        assert_eq!(
            usize::from(store.outbox.get(device.id, &message).await.unwrap().is_some()),
            count
        );
    }
    let left = store
        .deliveries
        .reserve(Reservation {
            now: t(0),
            lease: std::time::Duration::from_secs(1),
            limit: 10,
            per_webhook: 10,
            busy: Vec::new(),
        })
        .await
        .unwrap();
    assert_eq!(
        left.iter().map(|delivery| delivery.device).collect::<Vec<_>>(),
        [stays.id]
    );
}

/// The same token may be used again, and finds nothing of what was.
pub async fn a_deleted_token_is_free_again(store: &Storage) {
    let first = device(store, "again").await;
    record(store, &first, vec![event(Some("e"), &[])]).await;
    store.devices.delete(first.id).await.unwrap();
    let second = device(store, "again").await;
    assert_ne!(second.id, first.id);
    let redelivered = EventBatch {
        events: vec![event(Some("e"), &[])],
        ..batch(&second)
    };
    assert_eq!(store.events.record(redelivered).await.unwrap().events.len(), 1);
}
