//! How deliveries are made: the choices of whoever runs the worker.

use std::time::Duration;

use http::HeaderValue;

use crate::backoff::Schedule;

/// How deliveries are made.
#[derive(Debug, Clone)]
pub struct WorkerSettings {
    /// For one POST, until the head of the answer is there.
    pub timeout: Duration,
    /// How long a reserved delivery is ours. Made longer when a POST and its settling may take as long.
    pub lease: Duration,
    /// Deliveries under way at once: those posted, those whose outcome is not stored yet, and those about
    /// to be posted.
    pub concurrency: usize,
    /// POSTs to one endpoint at once.
    pub per_endpoint: usize,
    /// How long a stopping worker waits for POSTs under way.
    pub drain: Duration,
    /// The longest sleep: another node may have recorded something without waking us.
    pub poll: Duration,
    /// When to try again.
    pub schedule: Schedule,
    /// The `User-Agent` header.
    pub user_agent: String,
}

impl Default for WorkerSettings {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(15),
            lease: Duration::from_mins(2),
            concurrency: 256,
            per_endpoint: 8,
            drain: Duration::from_secs(10),
            poll: Duration::from_secs(30),
            schedule: Schedule::default(),
            user_agent: concat!("wagate/", env!("CARGO_PKG_VERSION")).into(),
        }
    }
}

/// The header of this name; one that is no header is replaced by our plain name.
pub(crate) fn user_agent(name: String) -> HeaderValue {
    HeaderValue::try_from(name).unwrap_or_else(|_| HeaderValue::from_static("wagate"))
}
