//! The way out. The worker does not know how addresses are guarded: who builds it brings the client.

use std::fmt;

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderMap, StatusCode, Version};

use crate::request::Request;

/// Posts requests.
#[async_trait]
pub trait Post: Send + Sync {
    /// Sends the request once and returns the first answer as soon as its head is there: redirects are not
    /// followed. The worker drops the future when the receiver takes too long.
    async fn post(&self, request: Request) -> Result<Response, PostError>;
}

/// The body of an answer, piece by piece. The worker drops it when it has enough, or when it has to wait.
#[async_trait]
pub trait ResponseBody: Send {
    /// The next piece; `None` at the end, and when the connection breaks.
    async fn piece(&mut self) -> Option<Bytes>;
}

/// All of a body at once.
#[async_trait]
impl ResponseBody for Option<Bytes> {
    async fn piece(&mut self) -> Option<Bytes> {
        self.take()
    }
}

/// An answer whose head is there.
pub struct Response {
    /// The version of HTTP.
    pub version: Version,
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// What follows.
    pub body: Box<dyn ResponseBody>,
}

impl fmt::Debug for Response {
    /// No headers: they may hold what is not ours to show.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response")
            .field("status", &self.status)
            .finish_non_exhaustive()
    }
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
