//! Who may sign in, and who is.

use async_trait::async_trait;

use crate::Result;
use crate::model::{Admin, AdminName, SignIn, Timestamp, TokenDigest};

/// Stored admins.
#[async_trait]
pub trait Admins: Send + Sync {
    /// Whether there is one.
    async fn any(&self) -> Result<bool>;

    /// The admin of exactly this name.
    async fn find(&self, name: &AdminName) -> Result<Option<Admin>>;

    /// Stores the first admin. `false`, and nothing is stored, when there is one already: of those that race, one
    /// wins.
    async fn create_first(&self, admin: &Admin) -> Result<bool>;
}

/// Browsers that are signed in.
#[async_trait]
pub trait SignIns: Send + Sync {
    /// Stores one. Durable on return; `NotFound` when its admin is gone.
    async fn create(&self, sign_in: &SignIn) -> Result<()>;

    /// The one with this token, also when it has expired and is still there.
    async fn find(&self, token: &TokenDigest) -> Result<Option<SignIn>>;

    /// Moves the expiry. One that was ended meanwhile does not come back; says whether it is still there.
    async fn extend(&self, token: &TokenDigest, expires_at: Timestamp) -> Result<bool>;

    /// Ends one. Ending one that is gone is fine.
    async fn delete(&self, token: &TokenDigest) -> Result<()>;

    /// Removes at most `limit` of those that have expired at `now`, and says how many.
    async fn prune(&self, now: Timestamp, limit: u32) -> Result<u64>;
}
