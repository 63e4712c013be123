//! Addresses that clients tell us to call.

use async_trait::async_trait;

use crate::Result;

/// Says whether an address may be called. The check at connect time is the one that protects; this
/// one tells a client early.
#[async_trait]
pub trait Targets: Send + Sync {
    /// `Invalid { field }` when the address is not `http:` or `https:`, holds credentials, or points
    /// at an address that the configuration does not allow. A name that does not resolve now is fine.
    async fn check(&self, field: &'static str, url: &str) -> Result<()>;
}
