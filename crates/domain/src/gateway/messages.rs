//! What became of messages.

use super::Gateway;
use super::intake::of_change;
use crate::model::event::{Failure, Progress};
use crate::model::{CursorPage, CursorQuery, Device, MessageId, MessageStatus, StoredSend, Token};
use crate::{Error, Result};

/// Messages looked at in one round.
const ROUND: u32 = 200;

impl Gateway {
    /// One message of the device, or `NotFound`.
    pub async fn get_message(&self, token: &Token, id: &MessageId) -> Result<StoredSend> {
        let device = self.device(token).await?;
        let found = self.parts.outbox.get(device.id, id).await?;
        found.ok_or_else(|| Error::NotFound {
            what: "message",
            id: id.to_string(),
        })
    }

    /// The device's own messages, newest first.
    pub async fn list_messages(
        &self,
        token: &Token,
        query: CursorQuery<MessageId>,
    ) -> Result<CursorPage<StoredSend, MessageId>> {
        let device = self.device(token).await?;
        self.parts.outbox.list(device.id, query).await
    }

    /// Says of every message that a former process left queued that nobody knows what became of it. To be
    /// called once, before requests are taken; says how many there were.
    pub async fn settle_unfinished_messages(&self) -> Result<u64> {
        let before = self.parts.clock.now();
        let mut count = 0;
        loop {
            let unfinished = self.parts.outbox.unfinished(before, ROUND).await?;
            if unfinished.is_empty() {
                return Ok(count);
            }
            for send in unfinished {
                if let Some(device) = self.parts.devices.get(send.device).await? {
                    self.record_progress(&device, unknown(send.id)).await?;
                }
                count += 1;
            }
        }
    }

    async fn record_progress(&self, device: &Device, progress: Progress) -> Result<()> {
        let change = self.intake.status_change(device, progress).await?;
        let deliveries = of_change(&change);
        self.intake
            .dispatch(deliveries, |express| {
                self.parts.outbox.finish(device.id, change, None, express)
            })
            .await?;
        Ok(())
    }
}

fn unknown(id: MessageId) -> Progress {
    Progress {
        id,
        chat: None,
        chat_lid: None,
        status: MessageStatus::Unknown,
        failure: Some(Failure {
            code: "interrupted".into(),
            wa_code: None,
            text: "the gateway stopped while the message was being sent".into(),
        }),
    }
}
