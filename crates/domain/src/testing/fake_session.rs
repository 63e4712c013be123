//! One device's fake connection: what the gateway asked of it is recorded, what WhatsApp would answer
//! is scripted.

use std::collections::VecDeque;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::watch;

use super::fake_driver::FakeWorld;
use super::fake_gate::FakeGate;
use super::fake_sent::{FakeSent, record};
use crate::model::event::IncomingCall;
use crate::model::{
    Device, DeviceId, EndReason, Group, Jid, MessageId, OutgoingMessage, PairCode, PhoneNumber, Secret,
    SentMessage, SessionState, TypingState,
};
use crate::ports::{EventSink, KeyVault, NumberLookup, Session};
use crate::{Error, Needs, Result};

/// How long a fake code to scan or to type is valid.
pub(super) const CODE_LIFE: Duration = Duration::from_mins(1);

/// A session that a test scripts.
pub struct FakeSession {
    pub(super) world: Arc<FakeWorld>,
    pub(super) device: DeviceId,
    pub(super) keys: Arc<dyn KeyVault>,
    pub(super) events: Arc<dyn EventSink>,
    pub(super) state: watch::Sender<SessionState>,
    pub(super) closed: AtomicBool,
    pub(super) sends: FakeGate,
    pub(super) lookups: FakeGate,
    script: Mutex<Script>,
}

pub(super) struct Script {
    pub(super) jid: Option<Jid>,
    pub(super) pair_code: String,
    pub(super) sent: Vec<FakeSent>,
    pub(super) attempts: Vec<MessageId>,
    pub(super) failures: VecDeque<Error>,
    pub(super) groups: Vec<Group>,
    pub(super) read: Vec<(Jid, MessageId)>,
    pub(super) typed: Vec<(Jid, TypingState)>,
    pub(super) rejected_calls: Vec<String>,
    pub(super) logouts: u32,
}

impl fmt::Debug for FakeSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FakeSession")
            .field("device", &self.device)
            .finish_non_exhaustive()
    }
}

impl FakeSession {
    pub(super) fn open(
        world: Arc<FakeWorld>,
        device: &Device,
        keys: Arc<dyn KeyVault>,
        events: Arc<dyn EventSink>,
    ) -> Self {
        let script = Script {
            jid: device.jid.clone(),
            pair_code: "ABCD1234".into(),
            sent: Vec::new(),
            attempts: Vec::new(),
            failures: VecDeque::new(),
            groups: Vec::new(),
            read: Vec::new(),
            typed: Vec::new(),
            rejected_calls: Vec::new(),
            logouts: 0,
        };
        let session = Self {
            world,
            device: device.id,
            keys,
            events,
            state: watch::Sender::new(SessionState::Connecting),
            closed: AtomicBool::new(false),
            sends: FakeGate::default(),
            lookups: FakeGate::default(),
            script: Mutex::new(script),
        };
        session.dial();
        session
    }

    pub(super) fn script(&self) -> MutexGuard<'_, Script> {
        self.script.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What a connection attempt comes to.
    fn dial(&self) {
        let since = self.world.clock.now();
        let paired = self.script().jid.is_some();
        self.state
            .send_replace(match (self.world.is_out_of_reach(), paired) {
                (true, _) => SessionState::Unreachable { since, attempts: 1 },
                (false, true) => SessionState::Connected { since },
                (false, false) => SessionState::Connecting,
            });
    }

    fn require_connection(&self) -> Result<()> {
        let state = self.state.borrow();
        if state.is_connected() {
            return Ok(());
        }
        Err(Error::WrongState {
            needs: Needs::Connected,
            is: state.as_str().into(),
        })
    }
}

#[async_trait]
impl Session for FakeSession {
    fn state(&self) -> watch::Receiver<SessionState> {
        self.state.subscribe()
    }

    async fn pair_by_phone(&self, _phone: &PhoneNumber) -> Result<PairCode> {
        if self.script().jid.is_some() {
            let is = self.state.borrow().as_str().into();
            return Err(Error::WrongState {
                needs: Needs::Unpaired,
                is,
            });
        }
        let code = Secret::new(self.script().pair_code.clone());
        Ok(PairCode::new(code, self.world.clock.now() + CODE_LIFE))
    }

    fn new_message_id(&self) -> MessageId {
        self.world.new_message_id()
    }

    async fn send(&self, message: &OutgoingMessage) -> Result<SentMessage> {
        self.require_connection()?;
        let sent = record(message)?;
        self.script().attempts.push(message.id.clone());
        self.sends.pass().await;
        if let Some(error) = self.script().failures.pop_front() {
            return Err(error);
        }
        self.script().sent.push(sent);
        Ok(SentMessage {
            id: message.id.clone(),
            to: message.to.clone(),
            at: self.world.clock.now(),
        })
    }

    async fn look_up(&self, phones: &[PhoneNumber]) -> Result<Vec<NumberLookup>> {
        self.require_connection()?;
        self.lookups.pass().await;
        self.require_connection()?;
        self.world.look_up(phones)
    }

    async fn groups(&self) -> Result<Vec<Group>> {
        self.require_connection()?;
        Ok(self.script().groups.clone())
    }

    async fn mark_read(&self, chat: &Jid, messages: &[(MessageId, Jid)]) -> Result<()> {
        self.require_connection()?;
        let read = messages.iter().map(|(id, _)| (chat.clone(), id.clone()));
        self.script().read.extend(read);
        Ok(())
    }

    async fn set_typing(&self, chat: &Jid, state: TypingState) -> Result<()> {
        self.require_connection()?;
        self.script().typed.push((chat.clone(), state));
        Ok(())
    }

    async fn reject_call(&self, call: &IncomingCall) -> Result<()> {
        self.require_connection()?;
        self.script().rejected_calls.push(call.call_id.clone());
        Ok(())
    }

    async fn reconnect(&self) -> Result<()> {
        self.dial();
        Ok(())
    }

    async fn logout(&self) -> Result<()> {
        let mut script = self.script();
        script.logouts += 1;
        script.jid = None;
        drop(script);
        self.state.send_replace(SessionState::Ended(EndReason::LoggedOut));
        Ok(())
    }

    async fn close(&self) {
        self.closed.store(true, Ordering::SeqCst);
        // A session that has come to its end keeps the reason.
        self.state.send_if_modified(|state| {
            let runs = !state.is_at_rest();
            if runs {
                *state = SessionState::Stopped;
            }
            runs
        });
    }
}
