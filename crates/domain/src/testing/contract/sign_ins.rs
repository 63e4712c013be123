//! The contract of [`SignIns`](crate::ports::SignIns).

use super::admins::new_admin;
use super::{Storage, t};
use crate::Error;
use crate::model::{Account, Admin, KeyDigest, SignIn, TokenDigest};

async fn admin(store: &Storage) -> Admin {
    let admin = new_admin("siti");
    assert!(store.admins.create_first(&admin).await.unwrap());
    admin
}

fn of_admin(admin: &Admin, token: u8) -> SignIn {
    SignIn {
        token: TokenDigest([token; 32]),
        account: Account::Admin {
            id: admin.id,
            name: admin.name.clone(),
        },
        created_at: t(1),
        expires_at: t(100),
    }
}

fn of_key(token: u8, expires_at: i64) -> SignIn {
    SignIn {
        token: TokenDigest([token; 32]),
        account: Account::ApiKey(KeyDigest([0xff; 32])),
        created_at: t(2),
        expires_at: t(expires_at),
    }
}

/// Whoever it is, and also when it has expired.
pub async fn a_sign_in_is_found_by_its_token(store: &Storage) {
    let admin = admin(store).await;
    for sign_in in [of_admin(&admin, 1), of_admin(&admin, 2), of_key(3, -5)] {
        store.sign_ins.create(&sign_in).await.unwrap();
        assert_eq!(store.sign_ins.find(&sign_in.token).await.unwrap(), Some(sign_in));
    }
    assert_eq!(store.sign_ins.find(&TokenDigest([4; 32])).await.unwrap(), None);
}

/// There is no session of somebody who does not exist.
pub async fn a_sign_in_needs_its_admin(store: &Storage) {
    let missing = of_admin(&new_admin("nobody"), 1);
    let refused = store.sign_ins.create(&missing).await;
    assert!(
        matches!(refused, Err(Error::NotFound { what: "admin", .. })),
        "{refused:?}"
    );
    assert_eq!(store.sign_ins.find(&missing.token).await.unwrap(), None);
}

/// Its expiry moves, and nothing else of it or of others.
pub async fn a_sign_in_is_prolonged(store: &Storage) {
    let (one, other) = (of_key(1, 100), of_key(2, 100));
    store.sign_ins.create(&one).await.unwrap();
    store.sign_ins.create(&other).await.unwrap();
    assert!(store.sign_ins.extend(&one.token, t(700)).await.unwrap());
    let longer = SignIn {
        expires_at: t(700),
        ..one
    };
    assert_eq!(store.sign_ins.find(&longer.token).await.unwrap(), Some(longer));
    assert_eq!(store.sign_ins.find(&other.token).await.unwrap(), Some(other));
}

/// What was ended is gone at once and is not prolonged back to life.
pub async fn what_was_ended_does_not_come_back(store: &Storage) {
    let (one, other) = (of_key(1, 100), of_key(2, 100));
    store.sign_ins.create(&one).await.unwrap();
    store.sign_ins.create(&other).await.unwrap();
    store.sign_ins.delete(&one.token).await.unwrap();
    store.sign_ins.delete(&one.token).await.unwrap();
    assert!(!store.sign_ins.extend(&one.token, t(700)).await.unwrap());
    assert_eq!(store.sign_ins.find(&one.token).await.unwrap(), None);
    assert_eq!(store.sign_ins.find(&other.token).await.unwrap(), Some(other));
}

/// A few at a time, and none that still counts.
pub async fn expired_sign_ins_are_pruned_in_steps(store: &Storage) {
    for (token, expires_at) in [(1, 10), (2, 20), (3, 30), (4, 31)] {
        store.sign_ins.create(&of_key(token, expires_at)).await.unwrap();
    }
    let prune = || store.sign_ins.prune(t(30), 2);
    assert_eq!(prune().await.unwrap(), 2);
    assert_eq!(prune().await.unwrap(), 1);
    assert_eq!(prune().await.unwrap(), 0);
    for token in 1..=4 {
        let found = store.sign_ins.find(&TokenDigest([token; 32])).await.unwrap();
        assert_eq!(found.is_some(), token == 4, "{token}");
    }
}
