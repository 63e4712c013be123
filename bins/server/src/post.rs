//! The webhook worker's way out: through the client that guards addresses. The two crates do not know
//! each other; this is where they meet.

use std::time::Duration;

use async_trait::async_trait;
use reqwest::header::RETRY_AFTER;
use wagate_outbound::{GuardedClient, Refused, is_refused};
use wagate_webhooks::{Post, PostError, Request, Response};

/// What of an answer's body is read, and for how long: enough to keep the connection for the next
/// delivery, too little to be held up by a receiver that talks on.
const READ_BYTES: usize = 64 * 1024;
const READ_PATIENCE: Duration = Duration::from_secs(1);

/// Posts through a guarded client.
#[derive(Debug, Clone)]
pub struct GuardedPost(GuardedClient);

impl GuardedPost {
    /// Posts through this client.
    pub fn new(client: GuardedClient) -> Self {
        Self(client)
    }
}

#[async_trait]
impl Post for GuardedPost {
    async fn post(&self, request: Request) -> Result<Response, PostError> {
        let Request { url, headers, body } = request;
        let call = self.0.post(&url).map_err(|Refused| PostError::Refused)?;
        let answer = call
            .headers(headers)
            .body(body)
            .send()
            .await
            .map_err(|error| reason(&error))?;
        let retry_after = answer
            .headers()
            .get(RETRY_AFTER)
            .and_then(|value| value.to_str().ok());
        let response = Response {
            status: answer.status().as_u16(),
            retry_after: retry_after.map(Into::into),
        };
        read_rest(answer).await;
        Ok(response)
    }
}

/// A connection whose answer was read to its end serves the next delivery. What goes wrong here does
/// not matter: the status is known.
async fn read_rest(mut answer: reqwest::Response) {
    let rest = async {
        let mut read = 0;
        while let Ok(Some(piece)) = answer.chunk().await {
            read += piece.len();
            if read > READ_BYTES {
                break;
            }
        }
    };
    let _in_time = tokio::time::timeout(READ_PATIENCE, rest).await;
}

fn reason(error: &reqwest::Error) -> PostError {
    if is_refused(error) {
        PostError::Refused
    } else if error.is_timeout() {
        PostError::TimedOut
    } else if error.is_connect() {
        PostError::Unreachable
    } else {
        PostError::Broken
    }
}
