//! The way to WhatsApp. The driver knows the protocol; the gateway knows what to do with it.

use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::watch;

use super::{KeyVault, NumberLookup};
use crate::Result;
use crate::model::event::IncomingCall;
use crate::model::{
    Device, DeviceId, Event, Group, Jid, MessageId, OutgoingMessage, PairCode, PhoneNumber, SentMessage,
    SessionState, Typing, TypingState,
};

/// Makes sessions.
#[async_trait]
pub trait Driver: Send + Sync {
    /// Opens a session for the device and starts connecting; unpaired devices get codes to scan. The
    /// caller makes sure that no other session of the same device is open.
    async fn open(
        &self,
        device: &Device,
        keys: Arc<dyn KeyVault>,
        events: Arc<dyn EventSink>,
    ) -> Result<Arc<dyn Session>>;
}

/// One device's connection to WhatsApp. It reconnects by itself until it is closed or comes to rest
/// (see [`SessionState::is_at_rest`]).
#[async_trait]
pub trait Session: Send + Sync {
    /// What the session is doing, as it changes.
    fn state(&self) -> watch::Receiver<SessionState>;

    /// Asks WhatsApp for a code that the person types into their phone. `WrongState` when paired,
    /// `Unavailable` when WhatsApp is out of reach, `Refused` when it says no.
    async fn pair_by_phone(&self, phone: &PhoneNumber) -> Result<PairCode>;

    /// A new message id, unique for this account.
    fn new_message_id(&self) -> MessageId;

    /// Sends, and returns once WhatsApp's server has accepted the message. `WrongState` when not
    /// connected (nothing left the machine), `Refused` with WhatsApp's code when the server said no,
    /// `TimedOut` when it did not answer: the message may or may not have arrived, and sending it
    /// again with the same id cannot show it twice.
    async fn send(&self, message: &OutgoingMessage) -> Result<SentMessage>;

    /// Asks WhatsApp which of these numbers have an account; one answer each, in the same order.
    async fn look_up(&self, phones: &[PhoneNumber]) -> Result<Vec<NumberLookup>>;

    /// Every group that the account is in.
    async fn groups(&self) -> Result<Vec<Group>>;

    /// Tells WhatsApp that the account has read these messages of a conversation, each with who wrote it: their
    /// writers see it, unless the account keeps that to itself, and its other devices count them as read.
    async fn mark_read(&self, chat: &Jid, messages: &[(MessageId, Jid)]) -> Result<()>;

    /// Tells the conversation what the account is doing there. WhatsApp forgets it after some seconds. Who types is
    /// shown as online, now and a while after. `WrongState` when not connected.
    async fn set_typing(&self, chat: &Jid, state: TypingState) -> Result<()>;

    /// Rejects a ringing call.
    async fn reject_call(&self, call: &IncomingCall) -> Result<()>;

    /// Drops the connection, if any, and connects anew, also from rest. Returns once that has begun.
    async fn reconnect(&self) -> Result<()>;

    /// Unlinks the device at WhatsApp (as far as it can be reached) and ends. Keys stay: the caller
    /// erases them.
    async fn logout(&self) -> Result<()>;

    /// Disconnects and ends within 10 s, everything saved. The session is of no use afterwards.
    async fn close(&self);
}

/// Where the driver puts what happens.
#[async_trait]
pub trait EventSink: Send + Sync {
    /// Records the events, in order, before WhatsApp is told that we have them: an `Err` means that
    /// nothing was recorded and the driver must not acknowledge. Recording the same event again does
    /// nothing. Never calls back into the session.
    async fn commit(&self, device: DeviceId, events: Vec<Event>) -> Result<()>;

    /// Tells whoever listens now that somebody types to the device, or has stopped. Keeps nothing and never waits.
    fn typing(&self, device: DeviceId, typing: Typing);
}
