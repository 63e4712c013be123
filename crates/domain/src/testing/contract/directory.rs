//! The contract of [`Directory`](crate::ports::Directory), and of contacts in an
//! [`EventBatch`].

use super::{Storage, batch, device, t};
use crate::model::{Contact, Device, Jid, PhoneNumber};
use crate::ports::{EventBatch, NumberLookup};

fn contact(digits: &str) -> Contact {
    Contact::new(Jid::phone(digits))
}

async fn merge(store: &Storage, device: &Device, contacts: Vec<Contact>) {
    store
        .events
        .record(EventBatch {
            contacts,
            ..batch(device)
        })
        .await
        .unwrap();
}

async fn remove(store: &Storage, device: &Device, removed_contacts: Vec<Jid>) {
    store
        .events
        .record(EventBatch {
            removed_contacts,
            ..batch(device)
        })
        .await
        .unwrap();
}

/// What an update does not know stays as it was.
pub async fn contacts_are_merged(store: &Storage) {
    let device = device(store, "one").await;
    let book = Contact {
        first_name: Some("Ana".into()),
        full_name: Some("Ana Maria".into()),
        lid: Some("777@lid".parse().unwrap()),
        ..contact("628111")
    };
    let seen = Contact {
        push_name: Some("ana 🌸".into()),
        business_name: Some("Ana Ltd".into()),
        ..contact("628111")
    };
    let renamed = Contact {
        full_name: Some("Ana Silva".into()),
        ..contact("628111")
    };
    for newer in [&book, &seen, &renamed] {
        merge(store, &device, vec![newer.clone()]).await;
    }
    let mut want = book;
    want.merge(&seen);
    want.merge(&renamed);
    assert_eq!(want.first_name.as_deref(), Some("Ana"));
    assert_eq!(store.directory.contacts(device.id).await.unwrap(), [want]);
}

/// The later entry is the newer one.
pub async fn a_contact_twice_in_one_batch_is_merged_in_order(store: &Storage) {
    let device = device(store, "one").await;
    let older = Contact {
        push_name: Some("old".into()),
        first_name: Some("Ana".into()),
        ..contact("628111")
    };
    let newer = Contact {
        push_name: Some("new".into()),
        ..contact("628111")
    };
    merge(store, &device, vec![older.clone(), contact("628222"), newer]).await;
    let want = [
        Contact {
            push_name: Some("new".into()),
            ..older
        },
        contact("628222"),
    ];
    assert_eq!(store.directory.contacts(device.id).await.unwrap(), want);
}

/// Sorted by the address as text.
pub async fn contacts_are_sorted_by_address_and_belong_to_a_device(store: &Storage) {
    let (one, two) = (device(store, "one").await, device(store, "two").await);
    let lid = Contact::new("628@lid".parse().unwrap());
    merge(
        store,
        &one,
        vec![contact("9"), lid.clone(), contact("628"), contact("6281")],
    )
    .await;
    let want = [contact("6281"), lid, contact("628"), contact("9")];
    assert_eq!(store.directory.contacts(one.id).await.unwrap(), want);
    assert!(store.directory.contacts(two.id).await.unwrap().is_empty());
}

/// The address book's names go. Somebody of whom no other name is known is no contact any more.
pub async fn a_removed_contact_keeps_the_name_it_shows(store: &Storage) {
    let (one, two) = (device(store, "one").await, device(store, "two").await);
    let shows = Contact {
        first_name: Some("A".into()),
        push_name: Some("a".into()),
        ..contact("628111")
    };
    let firm = Contact {
        full_name: Some("B".into()),
        business_name: Some("b".into()),
        ..contact("628222")
    };
    let known = Contact {
        first_name: Some("C".into()),
        full_name: Some("C".into()),
        ..contact("628333")
    };
    let stays = Contact {
        first_name: Some("D".into()),
        ..contact("628444")
    };
    for device in [&one, &two] {
        merge(
            store,
            device,
            vec![shows.clone(), firm.clone(), known.clone(), stays.clone()],
        )
        .await;
    }
    let unknown = Jid::phone("628999");
    remove(
        store,
        &one,
        vec![shows.jid.clone(), firm.jid.clone(), known.jid.clone(), unknown],
    )
    .await;
    let want = [
        Contact {
            first_name: None,
            ..shows
        },
        Contact {
            full_name: None,
            ..firm
        },
        stays,
    ];
    assert_eq!(store.directory.contacts(one.id).await.unwrap(), want);
    assert_eq!(store.directory.contacts(two.id).await.unwrap().len(), 4);
}

/// The last word counts, also when it is that there is no account.
pub async fn a_lookup_is_remembered_and_replaced(store: &Storage) {
    let phone = PhoneNumber::parse("5511912345678", None).unwrap();
    let other = PhoneNumber::parse("5511912345679", None).unwrap();
    assert_eq!(store.directory.lookup(&phone).await.unwrap(), None);
    let mut lookup = NumberLookup {
        phone: phone.clone(),
        jid: Some(Jid::phone("551112345678")),
        checked_at: t(0),
    };
    store.directory.remember_lookup(&lookup).await.unwrap();
    assert_eq!(
        store.directory.lookup(&phone).await.unwrap().as_ref(),
        Some(&lookup)
    );
    lookup.jid = None;
    lookup.checked_at = t(1_000);
    store.directory.remember_lookup(&lookup).await.unwrap();
    assert_eq!(store.directory.lookup(&phone).await.unwrap(), Some(lookup));
    assert_eq!(store.directory.lookup(&other).await.unwrap(), None);
}
