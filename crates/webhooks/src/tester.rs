//! Trying an endpoint out: signed, posted and recorded as the worker does, and nothing kept.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use wagate_domain::model::{Attempt, Delivery};
use wagate_domain::ports::{Clock, WebhookTester};

use crate::attempt::Courier;
use crate::post::Post;
use crate::settings::user_agent;

/// Makes single attempts while somebody waits for them.
pub struct Tester(Courier);

impl Tester {
    /// A tester that posts through this client and waits for an answer up to `timeout`.
    pub fn new(
        client: Arc<dyn Post>,
        clock: Arc<dyn Clock>,
        timeout: Duration,
        user_agent_header: impl Into<String>,
    ) -> Self {
        Self(Courier {
            client,
            clock,
            timeout,
            user_agent: user_agent(user_agent_header.into()),
        })
    }
}

impl fmt::Debug for Tester {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tester")
            .field("timeout", &self.0.timeout)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl WebhookTester for Tester {
    async fn try_once(&self, delivery: &Delivery) -> Attempt {
        self.0.attempt(delivery).await.1
    }
}
