//! The test's handle on a [`FakeSession`]: what happens to it, what it is to answer, what it was asked.

use std::sync::atomic::Ordering;

use bytes::Bytes;

use super::fake_sent::FakeSent;
use super::fake_session::{CODE_LIFE, FakeSession};
use crate::model::{
    EndReason, Event, EventBody, Group, Jid, MessageId, Secret, SessionState, Typing, TypingState,
};
use crate::ports::{KeyEntry, KeyKind};
use crate::{Error, Result};

impl FakeSession {
    /// Shows a new code to scan, valid for a minute.
    pub async fn issue_qr(&self, qr: &str) {
        let expires_at = self.world.clock.now() + CODE_LIFE;
        self.report(EventBody::QrIssued { expires_at }).await;
        self.state.send_replace(SessionState::AwaitingScan {
            qr: Secret::new(qr),
            expires_at,
        });
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
        self.keys
            .put_many(self.device, vec![key])
            .await
            .expect("the vault takes a key");
        self.script().jid = Some(jid.clone());
        self.report(EventBody::Paired { jid, lid }).await;
        self.connect().await;
    }

    /// The connection is there.
    pub async fn connect(&self) {
        self.report(EventBody::Connected).await;
        self.state.send_replace(SessionState::Connected {
            since: self.world.clock.now(),
        });
    }

    /// The connection breaks; it will be tried again.
    pub async fn drop_connection(&self) {
        self.report(EventBody::Disconnected).await;
        self.state.send_replace(SessionState::Unreachable {
            since: self.world.clock.now(),
            attempts: 1,
        });
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
        self.events
            .commit(
                self.device,
                vec![Event {
                    at: self.world.clock.now(),
                    body,
                }],
            )
            .await
    }

    /// Somebody types to the device, or has stopped.
    pub fn hear_typing(&self, typing: Typing) {
        self.events.typing(self.device, typing);
    }

    /// The next send fails like this; several calls queue up.
    pub fn fail_next_send(&self, error: Error) {
        self.script().failures.push_back(error);
    }

    /// WhatsApp refuses the next send.
    pub fn refuse_next_send(&self, wa_code: u16, text: &str) {
        self.fail_next_send(Error::Refused {
            wa_code: Some(wa_code),
            text: text.into(),
        });
    }

    /// The next send is never answered.
    pub fn time_out_next_send(&self) {
        self.fail_next_send(Error::TimedOut { what: "whatsapp" });
    }

    /// Sends wait from now on, until [`FakeSession::release_sends`].
    pub fn hold_sends(&self) {
        self.sends.close();
    }

    /// Lets waiting sends go on.
    pub fn release_sends(&self) {
        self.sends.open();
    }

    /// Returns once `count` sends or more wait.
    pub async fn sends_waiting(&self, count: usize) {
        self.sends.waiting(count).await;
    }

    /// Questions for numbers wait from now on, until [`FakeSession::release_lookups`].
    pub fn hold_lookups(&self) {
        self.lookups.close();
    }

    /// Lets waiting questions go on.
    pub fn release_lookups(&self) {
        self.lookups.open();
    }

    /// Lets one question go on.
    pub fn release_one_lookup(&self) {
        self.lookups.let_one_in();
    }

    /// Returns once a question for numbers waits.
    pub async fn lookup_waiting(&self) {
        self.lookups.waiting(1).await;
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

    /// Every message that was said to be read, in order, with its conversation.
    pub fn read(&self) -> Vec<(Jid, MessageId)> {
        self.script().read.clone()
    }

    /// Everything that conversations were told of the account's typing, in order.
    pub fn typed(&self) -> Vec<(Jid, TypingState)> {
        self.script().typed.clone()
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

    async fn report(&self, body: EventBody) {
        self.receive(body).await.expect("the gateway takes the event");
    }
}
