//! The event log.

use super::Gateway;
use crate::Result;
use crate::model::{CursorPage, CursorQuery, EventId, EventKind, Token};
use crate::ports::{EventQuery, StoredEvent};

impl Gateway {
    /// Events in the order in which they were recorded, of one device or of all, of some kinds or of all.
    pub async fn list_events(
        &self,
        device: Option<&Token>,
        kinds: Vec<EventKind>,
        query: CursorQuery<EventId>,
    ) -> Result<CursorPage<StoredEvent, EventId>> {
        let device = match device {
            Some(token) => Some(self.device(token).await?.id),
            None => None,
        };
        self.parts.events.list(&EventQuery { device, kinds }, query).await
    }
}
