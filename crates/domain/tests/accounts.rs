//! Signing in over fakes: the first admin, sessions, and what keeps guessing slow.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on must stop here")]

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use wagate_domain::accounts::{NewAdmin, SignedIn};
use wagate_domain::model::{Account, AdminName, KeyDigest, Password, Secret, SessionToken, SetupCode};
use wagate_domain::testing::{FakeClock, FakeHasher, FakeIds, FakeSecrets, MemoryStore};
use wagate_domain::{Accounts, AccountsParts, Error, Result};

const PASSWORD: &str = "correct horse battery";
const DAY: Duration = Duration::from_hours(24);
const HOME: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));

struct Bench {
    accounts: Accounts,
    store: Arc<MemoryStore>,
    clock: Arc<FakeClock>,
    hasher: Arc<FakeHasher>,
}

impl Bench {
    fn new() -> Self {
        let (store, clock) = (Arc::new(MemoryStore::new()), Arc::new(FakeClock::default()));
        let hasher = Arc::new(FakeHasher::new());
        let accounts = Accounts::new(AccountsParts {
            admins: store.clone(),
            sign_ins: store.clone(),
            api_keys: store.clone(),
            hasher: hasher.clone(),
            clock: clock.clone(),
            ids: Arc::new(FakeIds::new()),
            secrets: Arc::new(FakeSecrets::new()),
        });
        Self {
            accounts,
            store,
            clock,
            hasher,
        }
    }

    /// One with an admin called siti.
    async fn set_up() -> Self {
        let bench = Self::new();
        let code = bench.accounts.begin_setup().await.unwrap().unwrap();
        bench.setup(code).await.unwrap();
        bench
    }

    async fn setup(&self, code: SetupCode) -> Result<SignedIn> {
        let new = NewAdmin {
            code,
            name: name("siti"),
            password: Password::new(PASSWORD.into()).unwrap(),
        };
        self.accounts.setup(new, HOME).await
    }

    async fn sign_in(&self, who: &str, password: &str, from: IpAddr) -> Result<SignedIn> {
        self.accounts
            .sign_in(&name(who), &Secret::new(password), from)
            .await
    }

    async fn knows(&self, token: &SessionToken) -> bool {
        self.accounts.who_is(token).await.unwrap().is_some()
    }
}

fn name(text: &str) -> AdminName {
    text.parse().unwrap()
}

fn address(last: u8) -> IpAddr {
    IpAddr::from([198, 51, 100, last])
}

fn code(result: Result<SignedIn>) -> String {
    result.map_or_else(|error| error.code(), |_| "signed in".into())
}

#[tokio::test]
async fn the_code_makes_one_admin_and_is_used_up() {
    let bench = Bench::new();
    assert!(bench.accounts.setup_required().await.unwrap());
    let right = bench.accounts.begin_setup().await.unwrap().unwrap();
    let wrong = SetupCode::from_bytes(&[9; 32]);
    assert_eq!(code(bench.setup(wrong.clone()).await), "wrong_credentials");
    assert!(bench.accounts.setup_required().await.unwrap());

    let signed_in = bench.setup(right.clone()).await.unwrap();
    let known = bench.accounts.who_is(&signed_in.token).await.unwrap().unwrap();
    assert_eq!(known.sign_in, signed_in.sign_in);
    assert!(
        matches!(&known.sign_in.account, Account::Admin { name, .. } if name.as_str() == "siti"),
        "{known:?}"
    );
    assert!(!bench.accounts.setup_required().await.unwrap());
    assert_eq!(code(bench.setup(right).await), "setup_done");
    assert_eq!(code(bench.setup(wrong).await), "setup_done");
    assert!(bench.accounts.begin_setup().await.unwrap().is_none());
}

#[tokio::test]
async fn without_a_code_nobody_sets_up() {
    let bench = Bench::new();
    for bytes in [[0; 32], [1; 32]] {
        let guess = SetupCode::from_bytes(&bytes);
        assert_eq!(code(bench.setup(guess).await), "wrong_credentials");
    }
}

#[tokio::test]
async fn a_new_code_replaces_the_one_before() {
    let bench = Bench::new();
    let first = bench.accounts.begin_setup().await.unwrap().unwrap();
    let second = bench.accounts.begin_setup().await.unwrap().unwrap();
    assert_eq!(code(bench.setup(first).await), "wrong_credentials");
    assert_eq!(code(bench.setup(second).await), "signed in");
}

#[tokio::test]
async fn codes_cannot_be_guessed_for_long() {
    let bench = Bench::new();
    let right = bench.accounts.begin_setup().await.unwrap().unwrap();
    for _ in 0..5 {
        let wrong = SetupCode::from_bytes(&[9; 32]);
        assert_eq!(code(bench.setup(wrong).await), "wrong_credentials");
    }
    assert_eq!(code(bench.setup(right.clone()).await), "throttled");
    bench.clock.advance(Duration::from_mins(15));
    assert_eq!(code(bench.setup(right).await), "signed in");
}

#[tokio::test]
async fn a_name_and_its_password_sign_in() {
    let bench = Bench::set_up().await;
    for (who, password, want) in [
        ("siti", PASSWORD, "signed in"),
        (" siti ", PASSWORD, "signed in"),
        ("siti", "correct horse batter", "wrong_credentials"),
        ("siti", "", "wrong_credentials"),
        ("Siti", PASSWORD, "wrong_credentials"),
        ("budi", PASSWORD, "wrong_credentials"),
    ] {
        assert_eq!(
            code(bench.sign_in(who, password, HOME).await),
            want,
            "{who} {password}"
        );
    }
}

#[tokio::test]
async fn a_name_that_nobody_has_costs_the_same() {
    let bench = Bench::set_up().await;
    for (number, who) in (1..).zip(["siti", "budi"]) {
        assert_eq!(code(bench.sign_in(who, "wrong", HOME).await), "wrong_credentials");
        assert_eq!(bench.hasher.verified(), number, "{who} was verified as well");
    }
}

#[tokio::test]
async fn guessing_has_to_wait_by_name_and_by_address() {
    let bench = Bench::set_up().await;
    for last in 0..5 {
        let wrong = bench.sign_in("siti", "wrong", address(last)).await;
        assert_eq!(code(wrong), "wrong_credentials");
    }
    let waiting = bench.sign_in("siti", PASSWORD, address(9)).await.unwrap_err();
    assert!(
        matches!(waiting, Error::Throttled { retry_after } if retry_after == Duration::from_mins(15)),
        "{waiting:?}"
    );
    let verified = bench.hasher.verified();
    assert_eq!(verified, 5, "whoever has to wait costs nothing");

    for number in 0..5 {
        let wrong = bench.sign_in(&format!("guess {number}"), "wrong", HOME).await;
        assert_eq!(code(wrong), "wrong_credentials");
    }
    assert_eq!(code(bench.sign_in("budi", "wrong", HOME).await), "throttled");
    let key = bench
        .accounts
        .sign_in_with_key(Some(KeyDigest([1; 32])), HOME)
        .await;
    assert_eq!(code(key), "throttled");
    bench.clock.advance(Duration::from_mins(15));
    assert_eq!(code(bench.sign_in("siti", PASSWORD, HOME).await), "signed in");
}

#[tokio::test]
async fn who_is_right_is_never_throttled() {
    let bench = Bench::set_up().await;
    for _ in 0..20 {
        assert_eq!(code(bench.sign_in("siti", PASSWORD, HOME).await), "signed in");
    }
    bench.store.go_down();
    for _ in 0..20 {
        let away = bench.sign_in("siti", PASSWORD, HOME).await;
        assert_eq!(code(away), "database_unavailable");
    }
    bench.store.come_back();
    assert_eq!(code(bench.sign_in("siti", PASSWORD, HOME).await), "signed in");
}

#[tokio::test]
async fn an_api_key_signs_in_and_a_wrong_one_is_counted() {
    let bench = Bench::new();
    let key = KeyDigest([7; 32]);
    let signed_in = bench.accounts.sign_in_with_key(Some(key), HOME).await.unwrap();
    let known = bench.accounts.who_is(&signed_in.token).await.unwrap().unwrap();
    assert_eq!(known.sign_in.account, Account::ApiKey(key));
    for want in ["wrong_credentials"; 5].into_iter().chain(["throttled"]) {
        assert_eq!(code(bench.accounts.sign_in_with_key(None, HOME).await), want);
    }
}

#[tokio::test]
async fn a_session_ends_a_week_after_it_was_last_seen() {
    let bench = Bench::set_up().await;
    let seen = bench.sign_in("siti", PASSWORD, HOME).await.unwrap();
    let unseen = bench.sign_in("siti", PASSWORD, HOME).await.unwrap();
    let week = FakeClock::START + 7 * DAY;
    assert_eq!(seen.sign_in.expires_at, week);

    bench.clock.set(FakeClock::START + DAY - Duration::from_millis(1));
    let early = bench.accounts.who_is(&seen.token).await.unwrap().unwrap();
    assert_eq!((early.extended, early.sign_in.expires_at), (false, week));
    bench.clock.set(FakeClock::START + DAY);
    let later = bench.accounts.who_is(&seen.token).await.unwrap().unwrap();
    assert_eq!((later.extended, later.sign_in.expires_at), (true, week + DAY));
    let again = bench.accounts.who_is(&seen.token).await.unwrap().unwrap();
    assert_eq!((again.extended, again.sign_in.expires_at), (false, week + DAY));

    bench.clock.set(week);
    assert!(!bench.knows(&unseen.token).await);
    assert!(bench.knows(&seen.token).await);
    assert_eq!(
        bench.accounts.prune().await.unwrap(),
        2,
        "those of the setup and the unseen one"
    );
    assert_eq!(bench.accounts.prune().await.unwrap(), 0);
    assert!(bench.knows(&seen.token).await);
}

#[tokio::test]
async fn signing_out_ends_one_session() {
    let bench = Bench::set_up().await;
    let one = bench.sign_in("siti", PASSWORD, HOME).await.unwrap();
    let other = bench.sign_in("siti", PASSWORD, HOME).await.unwrap();
    assert_ne!(one.token, other.token);
    bench.accounts.sign_out(&one.token).await.unwrap();
    bench.accounts.sign_out(&one.token).await.unwrap();
    assert!(!bench.knows(&one.token).await);
    assert!(bench.knows(&other.token).await);
    assert!(!bench.knows(&SessionToken::from_bytes([0; 32])).await);
}
