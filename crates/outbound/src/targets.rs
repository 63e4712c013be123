//! Tells a client early that an address will not be called. The guard that protects stands in the
//! client, when the call is made.

use std::time::Duration;

use async_trait::async_trait;
use wagate_domain::ports::Targets;
use wagate_domain::{Error, Result};

use crate::client::{GuardedClient, Refused};

/// How long a name may take. A name that does not resolve in time is fine: it is looked up again when
/// it is called.
const LOOKUP_PATIENCE: Duration = Duration::from_secs(2);

/// Checks addresses with the eyes of the client that will call them.
#[derive(Debug, Clone)]
pub struct GuardedTargets {
    client: GuardedClient,
    setting: &'static str,
}

impl GuardedTargets {
    /// `setting` names what an operator changes to allow more: `webhooks.allow_private`.
    pub fn new(client: GuardedClient, setting: &'static str) -> Self {
        Self { client, setting }
    }

    async fn permitted(&self, url: &str) -> Result<(), Refused> {
        let url = self.client.check_url(url)?;
        let Some(name) = url.domain() else { return Ok(()) };
        let lookup = self.client.resolver().permitted(name);
        match tokio::time::timeout(LOOKUP_PATIENCE, lookup).await {
            Ok(Ok(None)) => Err(Refused),
            Ok(Ok(Some(_)) | Err(_)) | Err(_) => Ok(()),
        }
    }
}

#[async_trait]
impl Targets for GuardedTargets {
    async fn check(&self, field: &'static str, url: &str) -> Result<()> {
        self.permitted(url)
            .await
            .map_err(|Refused| refusal(field, self.setting))
    }
}

/// What a client is told, whatever the reason was.
pub(crate) fn refusal(field: &'static str, setting: &str) -> Error {
    Error::invalid(
        field,
        format!("the address must be http or https, without credentials, and not private (see {setting})"),
    )
}
