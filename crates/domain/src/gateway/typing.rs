//! Typing, both ways: telling a conversation that the account types, and hearing of others who do. Nothing of it is
//! recorded, and whoever listens slowly loses what is old.

use std::sync::Arc;

use futures_util::stream::{self, BoxStream, StreamExt};
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;

use super::Gateway;
use super::open_sessions::OpenSessions;
use crate::model::{DeviceId, Jid, Token, Typing, TypingState};
use crate::{Error, Result};

/// What is kept for somebody who listens slowly; what is older is lost to them.
const KEPT: usize = 64;

/// Somebody types to a device, or has stopped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypingChange {
    /// To whom.
    pub device: Token,
    /// Who, where and what.
    pub typing: Typing,
}

/// Where it is announced. Costs nothing while nobody listens.
pub(super) struct TypingChanges(broadcast::Sender<(DeviceId, Typing)>);

impl Default for TypingChanges {
    fn default() -> Self {
        Self(broadcast::Sender::new(KEPT))
    }
}

impl TypingChanges {
    /// Tells those who listen now.
    pub(super) fn announce(&self, device: DeviceId, typing: Typing) {
        // It fails when nobody listens.
        let _ = self.0.send((device, typing));
    }
}

impl Gateway {
    /// Tells the conversation what the account is doing there. WhatsApp shows it for some seconds and then forgets it:
    /// whoever goes on typing says so again. `Invalid` for what is neither a person nor a group, `WrongState` when not
    /// connected.
    pub async fn set_typing(&self, token: &Token, chat: &Jid, state: TypingState) -> Result<()> {
        let device = self.device(token).await?;
        if !chat.is_user() && !chat.is_group() {
            return Err(Error::invalid(
                "jid",
                "only people and groups are told that somebody types",
            ));
        }
        self.connected_session(&device)?.set_typing(chat, state).await
    }

    /// Who types to devices, from now on; to one device or to all. Somebody who listens slowly hears the latest of it
    /// and misses what was before. Ends with the gateway.
    pub async fn watch_typing(&self, device: Option<&Token>) -> Result<BoxStream<'static, TypingChange>> {
        let changes = self.intake.typing.0.subscribe();
        let device = match device {
            Some(token) => Some(self.device(token).await?.id),
            None => None,
        };
        let watching = Watching {
            sessions: self.sessions.clone(),
            changes,
            device,
        };
        Ok(stream::unfold(watching, |mut watching| async move {
            let change = watching.next().await?;
            Some((change, watching))
        })
        .boxed())
    }
}

struct Watching {
    sessions: Arc<OpenSessions>,
    changes: broadcast::Receiver<(DeviceId, Typing)>,
    device: Option<DeviceId>,
}

impl Watching {
    async fn next(&mut self) -> Option<TypingChange> {
        loop {
            let (id, typing) = match self.changes.recv().await {
                Ok(change) => change,
                Err(RecvError::Lagged(_)) => continue,
                Err(RecvError::Closed) => return None,
            };
            if self.device.is_some_and(|only| only != id) {
                continue;
            }
            // A device that is gone meanwhile is told nothing.
            if let Some(device) = self.sessions.token(id) {
                return Some(TypingChange { device, typing });
            }
        }
    }
}
