//! Trying an endpoint out.

use async_trait::async_trait;

use crate::model::{Attempt, Delivery};

/// Makes one delivery now, whoever waits for it, and keeps nothing.
#[async_trait]
pub trait WebhookTester: Send + Sync {
    /// Signs and posts as the worker would, and says what came of it: also a failure is an answer.
    async fn try_once(&self, delivery: &Delivery) -> Attempt;
}
