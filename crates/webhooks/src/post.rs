//! The way out. The worker does not know how addresses are guarded: who builds it brings the client.

use async_trait::async_trait;

use crate::request::Request;

/// Posts requests.
#[async_trait]
pub trait Post: Send + Sync {
    /// Sends the request once and returns the first answer: redirects are not followed. The worker
    /// drops the future when the receiver takes too long.
    async fn post(&self, request: Request) -> Result<Response, PostError>;
}

/// What of an answer matters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// The `Retry-After` header as it came: seconds or a date.
    pub retry_after: Option<String>,
}

/// Why there is no answer. The texts are shown to whoever owns the endpoint: none tells an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PostError {
    /// The endpoint's address may not be called.
    #[error("the address may not be called")]
    Refused,
    /// No connection came about.
    #[error("could not connect")]
    Unreachable,
    /// It took too long.
    #[error("timed out")]
    TimedOut,
    /// The connection ended before an answer was there.
    #[error("the connection broke")]
    Broken,
}
