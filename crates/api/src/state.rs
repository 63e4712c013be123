//! What the routes stand on, handed in by whoever builds the server.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use tracing::Instrument;
use wagate_domain::model::Timestamp;
use wagate_domain::{Accounts, Error, Gateway, Result};

use crate::auth::ApiKeys;
use crate::peer::TrustedProxies;
use crate::streams::Streams;

/// Everything the routes need. Cloned into every worker.
#[derive(Clone)]
pub struct ApiState {
    /// The use cases.
    pub gateway: Arc<Gateway>,
    /// Who may call them.
    pub keys: ApiKeys,
    /// Who may sign in, and is.
    pub accounts: Arc<Accounts>,
    /// Whose word is taken for who calls.
    pub proxies: TrustedProxies,
    /// Whether the process can do its work now.
    pub readiness: Arc<dyn Readiness>,
    /// Renders the metrics in Prometheus' text format.
    pub metrics: Arc<dyn Fn() -> String + Send + Sync>,
    /// How full the disk of the data directory is; `None` when nobody knows.
    pub disk: Arc<dyn Fn() -> Option<DiskSpace> + Send + Sync>,
    /// Largest request body, in bytes.
    pub max_body_bytes: usize,
    /// Where use cases run: what they start, such as a session, must outlive actix's own workers.
    pub runtime: tokio::runtime::Handle,
    /// The streams that are open; whoever stops the server ends them first.
    pub streams: Streams,
    /// What is told of the process.
    pub about: About,
}

/// What is told of the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct About {
    /// When it was started.
    pub started_at: Timestamp,
    /// `sqlite` or `postgres`.
    pub database: &'static str,
    /// `whatsapp`, or `simulated`: then nobody that it talks to is real.
    pub network: &'static str,
}

/// How full a disk is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DiskSpace {
    /// What can still be written.
    pub free_bytes: u64,
    /// All of it.
    pub total_bytes: u64,
}

impl ApiState {
    /// Default of [`ApiState::max_body_bytes`]: a `data:` address of 16 MiB in base64, and the rest.
    pub const DEFAULT_MAX_BODY_BYTES: usize = 24 * 1024 * 1024;

    /// Runs a use case to its end, also when the client hangs up meanwhile: actix drops the handler
    /// then, and a logout must not stop between WhatsApp and our store.
    pub(crate) async fn run<T, F>(&self, use_case: impl FnOnce(Arc<Gateway>) -> F) -> Result<T>
    where
        T: Send + 'static,
        F: Future<Output = Result<T>> + Send + 'static,
    {
        self.to_end(use_case(self.gateway.clone())).await
    }

    /// The same for a use case of [`Accounts`].
    pub(crate) async fn run_accounts<T, F>(&self, use_case: impl FnOnce(Arc<Accounts>) -> F) -> Result<T>
    where
        T: Send + 'static,
        F: Future<Output = Result<T>> + Send + 'static,
    {
        self.to_end(use_case(self.accounts.clone())).await
    }

    async fn to_end<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T>> + Send + 'static,
    ) -> Result<T> {
        let task = self.runtime.spawn(work.in_current_span());
        task.await.unwrap_or_else(|error| Err(Error::internal(error)))
    }
}

impl fmt::Debug for ApiState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiState")
            .field("max_body_bytes", &self.max_body_bytes)
            .finish_non_exhaustive()
    }
}

/// Whether the process can do its work now.
#[async_trait]
pub trait Readiness: Send + Sync {
    /// `Err` says in a few words what is missing. Anybody may read them.
    async fn check(&self) -> Result<(), String>;
}
