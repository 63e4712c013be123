//! What is old goes, in small steps, so that nobody waits for it.

use super::Gateway;
use crate::Result;

/// Rows in one step.
const STEP: u32 = 200;

impl Gateway {
    /// Removes a few of the events, sends and messages of conversations that are older than the retention, and says how many: call
    /// it again until there are none.
    pub async fn prune(&self) -> Result<u64> {
        let before = self.parts.clock.now() - self.retention();
        let events = self.parts.events.prune(before, STEP).await?;
        let messages = self.parts.outbox.prune(before, STEP).await?;
        let said = self.parts.chats.prune(before, STEP).await?;
        Ok(events + messages + said)
    }
}
