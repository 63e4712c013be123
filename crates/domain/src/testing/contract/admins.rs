//! The contract of [`Admins`](crate::ports::Admins).

use super::{Storage, T0, race, ulid};
use crate::model::{Admin, AdminId, PasswordHash};

/// An admin that nobody stored yet.
pub(super) fn new_admin(name: &str) -> Admin {
    Admin {
        id: AdminId::new(ulid()),
        name: name.parse().unwrap(),
        password: PasswordHash::new("$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA"),
        created_at: T0,
    }
}

/// By exactly their name, and with all that is known of them.
pub async fn the_first_admin_is_found_by_name(store: &Storage) {
    assert!(!store.admins.any().await.unwrap());
    let admin = new_admin("Sítí R.");
    assert!(store.admins.create_first(&admin).await.unwrap());
    assert!(store.admins.any().await.unwrap());
    assert_eq!(store.admins.find(&admin.name).await.unwrap(), Some(admin));
    for other in ["sítí r.", "Siti R.", "%"] {
        assert_eq!(store.admins.find(&other.parse().unwrap()).await.unwrap(), None);
    }
}

/// Whoever comes second changes nothing.
pub async fn there_is_one_first_admin(store: &Storage) {
    let made = race(|number| {
        let store = store.clone();
        async move {
            let admin = new_admin(&format!("admin {number}"));
            let won = store.admins.create_first(&admin).await.unwrap();
            (won, admin)
        }
    })
    .await;
    let winners: Vec<&Admin> = made
        .iter()
        .filter(|(won, _)| *won)
        .map(|(_, admin)| admin)
        .collect();
    assert_eq!(winners.len(), 1);
    for (won, admin) in &made {
        let found = store.admins.find(&admin.name).await.unwrap();
        assert_eq!(found.as_ref(), won.then_some(admin));
    }
    assert!(!store.admins.create_first(&new_admin("late")).await.unwrap());
}
