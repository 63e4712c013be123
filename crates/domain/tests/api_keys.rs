//! Keys of programs over fakes: made once, looked up in memory, revoked at once.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on must stop here")]

use std::sync::Arc;
use std::time::Duration;

use wagate_domain::accounts::{IssuedKey, NewApiKey};
use wagate_domain::model::{ApiKeyId, CursorQuery, KeyAction, KeyReach, KeyScope, Timestamp};
use wagate_domain::ports::{Clock as _, IssuedKeys as _};
use wagate_domain::testing::{FakeClock, FakeHasher, FakeIds, FakeSecrets, MemoryStore};
use wagate_domain::{Accounts, AccountsParts, Error};

struct Bench {
    accounts: Arc<Accounts>,
    store: Arc<MemoryStore>,
    clock: Arc<FakeClock>,
}

impl Bench {
    fn new() -> Self {
        Self::over(Arc::new(MemoryStore::new()), Arc::new(FakeClock::default()))
    }

    fn over(store: Arc<MemoryStore>, clock: Arc<FakeClock>) -> Self {
        let accounts = Arc::new(Accounts::new(AccountsParts {
            admins: store.clone(),
            sign_ins: store.clone(),
            api_keys: store.clone(),
            hasher: Arc::new(FakeHasher::new()),
            clock: clock.clone(),
            ids: Arc::new(FakeIds::new()),
            secrets: Arc::new(FakeSecrets::new()),
        }));
        Self {
            accounts,
            store,
            clock,
        }
    }

    /// The same after the process was started again.
    async fn restarted(&self) -> Self {
        let bench = Self::over(self.store.clone(), self.clock.clone());
        bench.accounts.load_api_keys().await.unwrap();
        bench
    }

    async fn issue(&self, name: &str, scope: KeyScope) -> IssuedKey {
        let new = NewApiKey {
            name: name.parse().unwrap(),
            scope,
        };
        self.accounts.create_api_key(new).await.unwrap()
    }

    fn opens(&self, issued: &IssuedKey) -> bool {
        self.accounts.key_with(&issued.plain.digest()).is_some()
    }

    async fn stored_use(&self, id: ApiKeyId) -> Option<Timestamp> {
        let stored = self.store.all().await.unwrap();
        let key = stored.into_iter().find(|key| key.id == id).unwrap();
        key.last_used_at
    }
}

fn sending() -> KeyScope {
    KeyScope::Limited {
        actions: vec![KeyAction::Send],
        reach: KeyReach::Everything,
    }
}

#[tokio::test]
async fn a_key_opens_from_the_start_and_after_a_restart() {
    let bench = Bench::new();
    let (one, other) = (
        bench.issue("one", KeyScope::All).await,
        bench.issue("other", sending()).await,
    );
    assert_ne!(one.plain, other.plain);
    for bench in [&bench, &bench.restarted().await] {
        let known = bench.accounts.key_with(&other.plain.digest()).unwrap();
        assert_eq!((known.id, &known.scope), (other.key.id, &sending()));
        assert!(bench.opens(&one));
    }
    let stranger = Bench::new().issue("stranger", KeyScope::All).await;
    assert_eq!(stranger.plain, one.plain, "fakes repeat their secrets");
    assert!(!Bench::new().opens(&stranger));
}

#[tokio::test]
async fn looking_a_key_up_asks_no_database() {
    let bench = Bench::new();
    let key = bench.issue("one", KeyScope::All).await;
    bench.store.go_down();
    assert!(bench.opens(&key));
    assert_eq!(
        bench
            .accounts
            .list_api_keys(CursorQuery::new(None, 50))
            .items
            .len(),
        1
    );
}

#[tokio::test]
async fn a_revoked_key_opens_nothing_at_once() {
    let bench = Bench::new();
    let (one, other) = (
        bench.issue("one", KeyScope::All).await,
        bench.issue("other", sending()).await,
    );
    let (accounts, id) = (bench.accounts.clone(), one.key.id);
    let told = tokio::spawn(async move { accounts.key_revoked(id).await });
    bench.accounts.revoke_api_key(one.key.id).await.unwrap();
    told.await.unwrap();
    assert!(!bench.opens(&one) && bench.opens(&other));
    assert!(!bench.restarted().await.opens(&one));
    let again = bench.accounts.revoke_api_key(one.key.id).await;
    assert!(
        matches!(again, Err(Error::NotFound { what: "api_key", .. })),
        "{again:?}"
    );
}

#[tokio::test]
async fn a_change_that_is_not_stored_does_not_happen() {
    let bench = Bench::new();
    let key = bench.issue("one", KeyScope::All).await;
    bench.store.go_down();
    assert!(bench.accounts.revoke_api_key(key.key.id).await.is_err());
    let new = NewApiKey {
        name: "two".parse().unwrap(),
        scope: KeyScope::All,
    };
    assert!(bench.accounts.create_api_key(new).await.is_err());
    bench.store.come_back();
    assert!(bench.opens(&key));
    assert_eq!(
        bench
            .accounts
            .list_api_keys(CursorQuery::new(None, 50))
            .items
            .len(),
        1
    );
    bench.accounts.revoke_api_key(key.key.id).await.unwrap();
}

#[tokio::test]
async fn keys_are_listed_newest_first_page_by_page() {
    let bench = Bench::new();
    for name in ["a", "b", "c"] {
        bench.issue(name, sending()).await;
    }
    let names = |after, limit| {
        let page = bench.accounts.list_api_keys(CursorQuery::new(after, limit));
        let names: Vec<String> = page.items.iter().map(|key| key.name.to_string()).collect();
        (names.join(""), page.next)
    };
    let (first, next) = names(None, 2);
    assert_eq!(first, "cb");
    assert_eq!(names(next, 2), ("a".to_owned(), None));
    assert_eq!(names(None, 3).1, None);
}

#[tokio::test]
async fn a_use_is_kept_once_a_minute() {
    let bench = Bench::new();
    let issued = bench.issue("one", sending()).await;
    let id = issued.key.id;
    let shown = || bench.accounts.get_api_key(id).unwrap().last_used_at;
    assert_eq!(
        (shown(), bench.accounts.note_key_uses().await.unwrap()),
        (None, 0)
    );

    let first = bench.clock.now();
    assert!(bench.opens(&issued));
    bench.clock.advance(Duration::from_secs(59));
    assert!(bench.opens(&issued));
    assert_eq!((shown(), bench.stored_use(id).await), (Some(first), None));
    assert_eq!(bench.accounts.note_key_uses().await.unwrap(), 1);
    assert_eq!(bench.accounts.note_key_uses().await.unwrap(), 0);
    assert_eq!(bench.stored_use(id).await, Some(first));

    bench.clock.advance(Duration::from_secs(1));
    assert!(bench.opens(&issued));
    bench.store.go_down();
    assert!(bench.accounts.note_key_uses().await.is_err());
    bench.store.come_back();
    assert_eq!(bench.accounts.note_key_uses().await.unwrap(), 1);
    let second = first + Duration::from_mins(1);
    assert_eq!(bench.stored_use(id).await, Some(second));
    assert_eq!(
        bench
            .restarted()
            .await
            .accounts
            .get_api_key(id)
            .unwrap()
            .last_used_at,
        Some(second)
    );
}
