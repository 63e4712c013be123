//! One device's fake connection: what the gateway asked of it is recorded, what WhatsApp would answer
//! is scripted.

use std::collections::VecDeque;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use tokio::sync::watch;

use super::fake_driver::FakeWorld;
use crate::model::event::IncomingCall;
use crate::model::{
    Content, Device, DeviceId, EndReason, Event, EventBody, Group, Jid, MediaKind, MessageId, OutgoingMessage,
    PairCode, PhoneNumber, Secret, SentMessage, SessionState,
};
use crate::ports::{EventSink, KeyEntry, KeyKind, KeyVault, NumberLookup, Session};
use crate::{Error, Needs, Result};

/// How long a fake code to scan or to type is valid.
const CODE_LIFE: Duration = Duration::from_mins(1);

/// A session that a test scripts.
pub struct FakeSession {
    world: Arc<FakeWorld>,
    device: DeviceId,
    keys: Arc<dyn KeyVault>,
    events: Arc<dyn EventSink>,
    state: watch::Sender<SessionState>,
    closed: AtomicBool,
    /// While true, sends wait.
    held: watch::Sender<bool>,
    waiting: watch::Sender<usize>,
    script: Mutex<Script>,
}

struct Script {
    jid: Option<Jid>,
    pair_code: String,
    sent: Vec<FakeSent>,
    attempts: Vec<MessageId>,
    failures: VecDeque<Error>,
    groups: Vec<Group>,
    rejected_calls: Vec<String>,
    logouts: u32,
}

/// A message that the fake server accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FakeSent {
    /// Its id.
    pub id: MessageId,
    /// Whom it went to.
    pub to: Jid,
    /// Text, or the caption.
    pub text: Option<String>,
    /// The file.
    pub media: Option<FakeSentMedia>,
}

/// A file that the fake server accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FakeSentMedia {
    /// How WhatsApp shows it.
    pub kind: MediaKind,
    /// MIME type by content.
    pub mimetype: String,
    /// Name shown for it.
    pub file_name: Option<String>,
    /// All of it.
    pub bytes: Bytes,
}

impl fmt::Debug for FakeSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FakeSession").field("device", &self.device).finish_non_exhaustive()
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
            held: watch::Sender::new(false),
            waiting: watch::Sender::new(0),
            script: Mutex::new(script),
        };
        session.dial();
        session
    }

    /// Shows a new code to scan, valid for a minute.
    pub async fn issue_qr(&self, qr: &str) {
        let expires_at = self.world.clock.now() + CODE_LIFE;
        self.report(EventBody::QrIssued { expires_at }).await;
        self.state.send_replace(SessionState::AwaitingScan { qr: Secret::new(qr), expires_at });
    }

    /// A phone scans the code, or types it: the device is now a companion of this account, and
    /// connected. Leaves a key behind, as a real pairing does.
    pub async fn scan(&self, jid: &str, lid: Option<&str>) {
        let jid: Jid = jid.parse().expect("a JID");
        let lid = lid.map(|lid| lid.parse().expect("a LID"));
        let key = KeyEntry {
            kind: KeyKind::Identity,
            key: Bytes::from_static(b"paired"),
            value: Bytes::from(jid.to_string()),
            expires_at: None,
        };
        self.keys.put_many(self.device, vec![key]).await.expect("the vault takes a key");
        self.script().jid = Some(jid.clone());
        self.report(EventBody::Paired { jid, lid }).await;
        self.connect().await;
    }

    /// The connection is there.
    pub async fn connect(&self) {
        self.report(EventBody::Connected).await;
        self.state.send_replace(SessionState::Connected { since: self.world.clock.now() });
    }

    /// The connection breaks; it will be tried again.
    pub async fn drop_connection(&self) {
        self.report(EventBody::Disconnected).await;
        self.state.send_replace(SessionState::Unreachable { since: self.world.clock.now(), attempts: 1 });
    }

    /// It is over: unlinked by the phone, banned, replaced.
    pub async fn end(&self, reason: EndReason) {
        self.report(EventBody::Ended(reason.clone())).await;
        self.state.send_replace(SessionState::Ended(reason));
    }

    /// Nobody scanned in time.
    pub fn give_up_pairing(&self) {
        self.state.send_replace(SessionState::PairingTimedOut);
    }

    /// Something arrives from WhatsApp now.
    pub async fn receive(&self, body: EventBody) -> Result<()> {
        self.events.commit(self.device, vec![Event { at: self.world.clock.now(), body }]).await
    }

    /// The next send fails like this; several calls queue up.
    pub fn fail_next_send(&self, error: Error) {
        self.script().failures.push_back(error);
    }

    /// WhatsApp refuses the next send.
    pub fn refuse_next_send(&self, wa_code: u16, text: &str) {
        self.fail_next_send(Error::Refused { wa_code: Some(wa_code), text: text.into() });
    }

    /// The next send is never answered.
    pub fn time_out_next_send(&self) {
        self.fail_next_send(Error::TimedOut { what: "whatsapp" });
    }

    /// Sends wait from now on, until [`FakeSession::release_sends`].
    pub fn hold_sends(&self) {
        self.held.send_replace(true);
    }

    /// Lets waiting sends go on.
    pub fn release_sends(&self) {
        self.held.send_replace(false);
    }

    /// Returns once `count` sends or more wait.
    pub async fn sends_waiting(&self, count: usize) {
        let mut waiting = self.waiting.subscribe();
        waiting.wait_for(|now| *now >= count).await.expect("the session holds the sender");
    }

    /// The groups that the account is in from now on.
    pub fn set_groups(&self, groups: Vec<Group>) {
        self.script().groups = groups;
    }

    /// The code that the next pairing by phone gets.
    pub fn set_pair_code(&self, code: &str) {
        self.script().pair_code = code.into();
    }

    /// Every message that was accepted, in order.
    pub fn sent(&self) -> Vec<FakeSent> {
        self.script().sent.clone()
    }

    /// The id of every message that was tried, in order, accepted or not.
    pub fn attempts(&self) -> Vec<MessageId> {
        self.script().attempts.clone()
    }

    /// The ids of rejected calls, in order.
    pub fn rejected_calls(&self) -> Vec<String> {
        self.script().rejected_calls.clone()
    }

    /// How often the device was unlinked at WhatsApp.
    pub fn logouts(&self) -> u32 {
        self.script().logouts
    }

    /// Whether the gateway has closed it.
    pub fn is_closed(&self) -> bool {
        self.closed.load(Ordering::SeqCst)
    }

    fn script(&self) -> MutexGuard<'_, Script> {
        self.script.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn report(&self, body: EventBody) {
        self.receive(body).await.expect("the gateway takes the event");
    }

    /// What a connection attempt comes to.
    fn dial(&self) {
        let since = self.world.clock.now();
        let paired = self.script().jid.is_some();
        self.state.send_replace(match (self.world.is_out_of_reach(), paired) {
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
        Err(Error::WrongState { needs: Needs::Connected, is: state.as_str().into() })
    }

    async fn wait_while_held(&self) {
        let mut held = self.held.subscribe();
        if *held.borrow_and_update() {
            self.waiting.send_modify(|count| *count += 1);
            held.wait_for(|held| !held).await.expect("the session holds the sender");
            self.waiting.send_modify(|count| *count -= 1);
        }
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
            return Err(Error::WrongState { needs: Needs::Unpaired, is });
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
        self.wait_while_held().await;
        if let Some(error) = self.script().failures.pop_front() {
            return Err(error);
        }
        self.script().sent.push(sent);
        Ok(SentMessage { id: message.id.clone(), to: message.to.clone(), at: self.world.clock.now() })
    }

    async fn look_up(&self, phones: &[PhoneNumber]) -> Result<Vec<NumberLookup>> {
        self.require_connection()?;
        self.world.look_up(phones)
    }

    async fn groups(&self) -> Result<Vec<Group>> {
        self.require_connection()?;
        Ok(self.script().groups.clone())
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

/// Reads the file now: it is gone when the send is over.
fn record(message: &OutgoingMessage) -> Result<FakeSent> {
    let (text, media) = match &message.content {
        Content::Text(text) => (Some(text.clone()), None),
        Content::Media { file, caption, file_name } => {
            let media = FakeSentMedia {
                kind: file.kind(),
                mimetype: file.mimetype().into(),
                file_name: file_name.clone(),
                bytes: std::fs::read(file.path()).map_err(Error::internal)?.into(),
            };
            (caption.clone(), Some(media))
        }
    };
    Ok(FakeSent { id: message.id.clone(), to: message.to.clone(), text, media })
}
