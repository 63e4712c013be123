//! The use cases of signing in.

use std::fmt;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::keyring::Keyring;
use super::throttle::{Attempt, Throttle};
use crate::model::{
    Account, Admin, AdminId, AdminName, KeyDigest, Password, Secret, SessionToken, SetupCode, SetupDigest,
    SignIn,
};
use crate::ports::{Admins, Clock, IdSource, IssuedKeys, PasswordHasher, SecretSource, SignIns};
use crate::{Error, Needs, Result};

/// A session is prolonged when so much of its lifetime is gone: not at every request.
const EXTEND_AFTER: Duration = Duration::from_hours(24);
/// Rows in one step of pruning.
const STEP: u32 = 200;

/// What accounts are made of.
#[derive(Clone)]
pub struct AccountsParts {
    /// Stored admins.
    pub admins: Arc<dyn Admins>,
    /// Stored sessions of browsers.
    pub sign_ins: Arc<dyn SignIns>,
    /// Stored API keys.
    pub api_keys: Arc<dyn IssuedKeys>,
    /// Hashes passwords.
    pub hasher: Arc<dyn PasswordHasher>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// New ids.
    pub ids: Arc<dyn IdSource>,
    /// New secrets.
    pub secrets: Arc<dyn SecretSource>,
}

impl fmt::Debug for AccountsParts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccountsParts").finish_non_exhaustive()
    }
}

/// Somebody who wants to be the first admin.
#[derive(Debug, Clone)]
pub struct NewAdmin {
    /// What the gateway's console shows.
    pub code: SetupCode,
    /// What they will sign in by.
    pub name: AdminName,
    /// What they will sign in with.
    pub password: Password,
}

/// A session that was made just now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedIn {
    /// For the cookie; it is kept nowhere.
    pub token: SessionToken,
    /// The session.
    pub sign_in: SignIn,
}

/// Whose token it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recognized {
    /// The session.
    pub sign_in: SignIn,
    /// Whether it was prolonged just now: then the cookie is, too.
    pub extended: bool,
}

/// Everything about signing in, over the parts it was given.
pub struct Accounts {
    pub(super) parts: AccountsParts,
    pub(super) keyring: Keyring,
    throttle: Throttle,
    setup: Mutex<Option<SetupDigest>>,
}

impl fmt::Debug for Accounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Accounts")
    }
}

impl Accounts {
    /// How long a session lasts after it was last seen, to a day.
    pub const LIFETIME: Duration = Duration::from_hours(7 * 24);

    /// Puts the parts together. Nobody can set up yet: see [`begin_setup`](Self::begin_setup); and no stored key is
    /// known: see [`load_api_keys`](Self::load_api_keys).
    pub fn new(parts: AccountsParts) -> Self {
        Self {
            parts,
            keyring: Keyring::default(),
            throttle: Throttle::default(),
            setup: Mutex::default(),
        }
    }

    /// Makes the code for the first admin, in place of the one before; `None` when there is an admin. Show it where
    /// only whoever runs the gateway can see it.
    pub async fn begin_setup(&self) -> Result<Option<SetupCode>> {
        if self.parts.admins.any().await? {
            return Ok(None);
        }
        let code = SetupCode::from_bytes(&self.parts.secrets.secret_bytes());
        *self.code() = Some(code.digest());
        Ok(Some(code))
    }

    /// Whether there is no admin yet.
    pub async fn setup_required(&self) -> Result<bool> {
        Ok(!self.parts.admins.any().await?)
    }

    /// Makes the first admin and signs them in. `WrongState` when there is one, `WrongCredentials` for a wrong code,
    /// `Throttled` after a few of those.
    #[tracing::instrument(skip_all)]
    pub async fn setup(&self, new: NewAdmin, from: IpAddr) -> Result<SignedIn> {
        if self.parts.admins.any().await? {
            return Err(setup_done());
        }
        let attempt = self.begin(None, from)?;
        let kept = *self.code();
        if !kept.is_some_and(|kept| kept.fits(&new.code)) {
            return Err(refuse(from));
        }
        attempt.forgive();
        let admin = Admin {
            id: AdminId::new(self.parts.ids.next()),
            password: self.parts.hasher.hash(&new.password).await?,
            name: new.name,
            created_at: self.parts.clock.now(),
        };
        if !self.parts.admins.create_first(&admin).await? {
            return Err(setup_done());
        }
        *self.code() = None;
        tracing::info!(admin = %admin.id, address = %from, "the first admin was made");
        self.open(of_admin(admin), from).await
    }

    /// Signs an admin in. `WrongCredentials`, after the same time, whether the name or the password is wrong;
    /// `Throttled` after a few of those.
    #[tracing::instrument(skip_all)]
    pub async fn sign_in(&self, name: &AdminName, password: &Secret, from: IpAddr) -> Result<SignedIn> {
        let attempt = self.begin(Some(name), from)?;
        match self.verified(name, password).await {
            Ok(Some(admin)) => {
                attempt.forgive();
                self.open(of_admin(admin), from).await
            }
            Ok(None) => Err(refuse(from)),
            Err(error) => {
                attempt.forgive();
                Err(error)
            }
        }
    }

    /// Signs in whoever has an API key. `None` is a key that nobody knows: `WrongCredentials`, and `Throttled`
    /// after a few of those.
    #[tracing::instrument(skip_all)]
    pub async fn sign_in_with_key(&self, key: Option<KeyDigest>, from: IpAddr) -> Result<SignedIn> {
        let attempt = self.begin(None, from)?;
        let key = key.ok_or_else(|| refuse(from))?;
        attempt.forgive();
        self.open(Account::ApiKey(key), from).await
    }

    /// Whose token this is; `None` when it is nobody's, has expired or was ended. Prolongs the session, at most once a
    /// day. Whether the API key of an [`Account::ApiKey`] is still one is for the caller to see.
    pub async fn who_is(&self, token: &SessionToken) -> Result<Option<Recognized>> {
        let digest = token.digest();
        let now = self.parts.clock.now();
        let found = self.parts.sign_ins.find(&digest).await?;
        let Some(mut sign_in) = found.filter(|found| now < found.expires_at) else {
            return Ok(None);
        };
        let extended = sign_in.expires_at.since(now) <= Self::LIFETIME.saturating_sub(EXTEND_AFTER);
        if extended {
            sign_in.expires_at = now + Self::LIFETIME;
            if !self.parts.sign_ins.extend(&digest, sign_in.expires_at).await? {
                return Ok(None);
            }
        }
        Ok(Some(Recognized { sign_in, extended }))
    }

    /// Ends the session of a token; one that is nobody's is fine.
    #[tracing::instrument(skip_all)]
    pub async fn sign_out(&self, token: &SessionToken) -> Result<()> {
        let digest = token.digest();
        if let Some(sign_in) = self.parts.sign_ins.find(&digest).await? {
            self.parts.sign_ins.delete(&digest).await?;
            tracing::info!(who = %Who(&sign_in.account), "signed out");
        }
        Ok(())
    }

    /// Removes a few of the sessions that have expired, and says how many: call it again until there are none.
    pub async fn prune(&self) -> Result<u64> {
        let now = self.parts.clock.now();
        self.parts.sign_ins.prune(now, STEP).await
    }

    fn begin(&self, name: Option<&AdminName>, from: IpAddr) -> Result<Attempt<'_>> {
        let begun = self.throttle.begin(name, from, self.parts.clock.now());
        begun.inspect_err(|_| tracing::debug!(address = %from, "signing in has to wait"))
    }

    /// The admin, when the password is theirs.
    async fn verified(&self, name: &AdminName, password: &Secret) -> Result<Option<Admin>> {
        let admin = self.parts.admins.find(name).await?;
        let hash = admin.as_ref().map(|admin| &admin.password);
        let right = self.parts.hasher.verify(password, hash).await?;
        Ok(admin.filter(|_| right))
    }

    async fn open(&self, account: Account, from: IpAddr) -> Result<SignedIn> {
        let token = SessionToken::from_bytes(self.parts.secrets.secret_bytes());
        let now = self.parts.clock.now();
        let sign_in = SignIn {
            token: token.digest(),
            account,
            created_at: now,
            expires_at: now + Self::LIFETIME,
        };
        self.parts.sign_ins.create(&sign_in).await?;
        tracing::info!(who = %Who(&sign_in.account), address = %from, "signed in");
        Ok(SignedIn { token, sign_in })
    }

    fn code(&self) -> MutexGuard<'_, Option<SetupDigest>> {
        self.setup.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn of_admin(admin: Admin) -> Account {
    Account::Admin {
        id: admin.id,
        name: admin.name,
    }
}

fn setup_done() -> Error {
    Error::WrongState {
        needs: Needs::NoAdmin,
        is: "done".into(),
    }
}

/// The log does not say which name: people type passwords into the wrong field.
fn refuse(from: IpAddr) -> Error {
    tracing::warn!(address = %from, "signing in was refused");
    Error::WrongCredentials
}

/// Who it was, as the log tells it.
struct Who<'a>(&'a Account);

impl fmt::Display for Who<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Account::Admin { id, .. } => id.fmt(f),
            Account::ApiKey(_) => f.write_str("API key"),
        }
    }
}
