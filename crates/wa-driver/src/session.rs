//! One device's session: requests go straight to the client that is live; what makes or ends a client
//! goes through the one task that owns it.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::{mpsc, oneshot, watch};
use tracing::Instrument as _;
use wagate_domain::model::event::IncomingCall;
use wagate_domain::model::{
    Group, Jid, MessageId, OutgoingMessage, PairCode, PhoneNumber, SentMessage, SessionState, TypingState,
};
use wagate_domain::ports::{NumberLookup, Session};
use wagate_domain::{Error, Result};

use crate::actor::{Actor, Command};
use crate::error::WHATSAPP;
use crate::shared::Shared;
use crate::{error, lookup, pairing, reading, send, typing};

/// Commands that may wait for the session's task.
const COMMANDS: usize = 16;
/// Longest time that closing takes, by the port's promise.
const CLOSE_LIMIT: Duration = Duration::from_secs(10);

/// A session of the real driver.
pub(crate) struct WaSession {
    shared: Arc<Shared>,
    commands: mpsc::Sender<Command>,
}

impl WaSession {
    /// Starts the session's task, which connects.
    pub(crate) fn start(shared: Arc<Shared>) -> Self {
        let (commands, receiver) = mpsc::channel(COMMANDS);
        let actor = Actor::new(shared.clone(), receiver);
        tokio::spawn(actor.run().instrument(shared.span.clone()));
        Self { shared, commands }
    }

    async fn command<T>(&self, command: impl FnOnce(oneshot::Sender<T>) -> Command) -> Result<T> {
        let (reply, answer) = oneshot::channel();
        self.order(command(reply)).await?;
        answer.await.map_err(|_| closed())
    }

    async fn order(&self, command: Command) -> Result<()> {
        self.commands.send(command).await.map_err(|_| closed())
    }
}

fn closed() -> Error {
    Error::unavailable(WHATSAPP, "the session is closed")
}

#[async_trait]
impl Session for WaSession {
    fn state(&self) -> watch::Receiver<SessionState> {
        self.shared.state.subscribe()
    }

    async fn pair_by_phone(&self, phone: &PhoneNumber) -> Result<PairCode> {
        let live = self.command(Command::PrepareToPair).await??;
        pairing::ask(&live, phone, &self.shared.clock)
            .instrument(self.shared.span.clone())
            .await
    }

    fn new_message_id(&self) -> MessageId {
        send::new_message_id()
    }

    async fn send(&self, message: &OutgoingMessage) -> Result<SentMessage> {
        send::send(&self.shared, message)
            .instrument(self.shared.span.clone())
            .await
    }

    async fn look_up(&self, phones: &[PhoneNumber]) -> Result<Vec<NumberLookup>> {
        let live = self.shared.connected()?;
        let asked = lookup::look_up(&live.client, phones, self.shared.clock.now());
        live.work(asked, Shared::went_away)
            .instrument(self.shared.span.clone())
            .await
    }

    async fn groups(&self) -> Result<Vec<Group>> {
        let live = self.shared.connected()?;
        live.work(lookup::groups(&live.client), Shared::went_away)
            .instrument(self.shared.span.clone())
            .await
    }

    async fn mark_read(&self, chat: &Jid, messages: &[(MessageId, Jid)]) -> Result<()> {
        let live = self.shared.connected()?;
        let told = reading::mark_read(&live.client, chat, messages);
        live.work(told, Shared::went_away)
            .instrument(self.shared.span.clone())
            .await
    }

    async fn set_typing(&self, chat: &Jid, state: TypingState) -> Result<()> {
        let live = self.shared.connected()?;
        if state != TypingState::Paused {
            // First: however the rest ends, the account is not left online.
            self.order(Command::Typed).await?;
        }
        let told = typing::tell(&self.shared, &live, chat, state);
        live.work(told, Shared::went_away)
            .instrument(self.shared.span.clone())
            .await
    }

    async fn reject_call(&self, call: &IncomingCall) -> Result<()> {
        let live = self.shared.connected()?;
        let caller = self.shared.calls.caller(call);
        let rejected = async {
            let voip = live.client.voip();
            let rejected = voip
                .reject_call(&caller.call_id, &caller.peer, &caller.creator)
                .await;
            rejected.map_err(|failed| error::request("rejected a call", &failed))
        };
        live.work(rejected, Shared::went_away)
            .instrument(self.shared.span.clone())
            .await
    }

    async fn reconnect(&self) -> Result<()> {
        self.command(Command::Reconnect).await
    }

    async fn logout(&self) -> Result<()> {
        self.command(Command::Logout).await
    }

    async fn close(&self) {
        let closed = self.command(Command::Close);
        if tokio::time::timeout(CLOSE_LIMIT, closed).await.is_err() {
            tracing::warn!(device = %self.shared.device, "the session did not close in time");
        }
    }
}
