//! The gateway itself: its parts, and the sessions that are open.

use std::collections::HashSet;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::mpsc;

use super::call::Ring;
use super::intake::Intake;
use super::job_board::JobBoard;
use super::jobs::Work;
use super::open_sessions::OpenSessions;
use super::settings::Choices;
use super::stripes::Stripes;
use crate::model::{Device, DeviceId, EndReason, Region, SessionState, Token};
use crate::ports::{
    Chats, Clock, DeliveryLog, DeliveryQueue, Devices, Directory, Driver, EventSink, EventStore, IdSource,
    KeyVault, MediaSource, Outbox, SecretSource, Session, Settings, Targets, WebhookTester, Webhooks,
    Workspaces,
};
use crate::{Dispatch, Error, Needs, Result};

/// Calls that may wait for an answer before new ones are left ringing.
const MAX_WAITING_CALLS: usize = 256;

/// What the gateway is made of. Everything it needs from the world is here.
#[derive(Clone)]
pub struct GatewayParts {
    /// The way to WhatsApp.
    pub driver: Arc<dyn Driver>,
    /// Stored devices.
    pub devices: Arc<dyn Devices>,
    /// Workspaces in use.
    pub workspaces: Arc<dyn Workspaces>,
    /// Stored webhook endpoints.
    pub webhooks: Arc<dyn Webhooks>,
    /// Contacts and numbers.
    pub directory: Arc<dyn Directory>,
    /// Conversations.
    pub chats: Arc<dyn Chats>,
    /// The event log.
    pub events: Arc<dyn EventStore>,
    /// Deliveries that are to be made.
    pub deliveries: Arc<dyn DeliveryQueue>,
    /// Deliveries, also those that were made.
    pub delivery_log: Arc<dyn DeliveryLog>,
    /// Tries endpoints out.
    pub tester: Arc<dyn WebhookTester>,
    /// Sends.
    pub outbox: Arc<dyn Outbox>,
    /// Protocol state.
    pub keys: Arc<dyn KeyVault>,
    /// Settings that were chosen.
    pub settings: Arc<dyn Settings>,
    /// Files named by address.
    pub media: Arc<dyn MediaSource>,
    /// Addresses that may be called.
    pub targets: Arc<dyn Targets>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// New ids.
    pub ids: Arc<dyn IdSource>,
    /// New secrets.
    pub secrets: Arc<dyn SecretSource>,
    /// The short way to whoever makes deliveries.
    pub dispatch: Dispatch,
}

impl fmt::Debug for GatewayParts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GatewayParts").finish_non_exhaustive()
    }
}

/// Choices of whoever runs the gateway.
#[derive(Debug, Clone)]
pub struct GatewaySettings {
    /// Completes national numbers; without it the sending account's own region does. What is chosen while the gateway
    /// runs goes before it.
    pub default_region: Option<Region>,
    /// How long a request waits for a code or a connection.
    pub patience: Duration,
    /// How long "this number is on WhatsApp" is believed.
    pub lookup_ttl: Duration,
    /// How long "this number is not on WhatsApp" is believed.
    pub missing_lookup_ttl: Duration,
    /// How long an idempotency key is kept.
    pub idempotency_ttl: Duration,
    /// How long a delivery that was recorded a moment ago is its worker's: longer than a receiver may take. One
    /// whose commit came through although the database said nothing comes back after that.
    pub delivery_lease: Duration,
    /// How long events, deliveries, sends and conversations are kept. What is chosen while the gateway runs goes
    /// before it.
    pub retention: Duration,
    /// How long a webhook's former secret signs beside the new one.
    pub secret_overlap: Duration,
}

impl Default for GatewaySettings {
    fn default() -> Self {
        Self {
            default_region: None,
            patience: Duration::from_secs(20),
            lookup_ttl: Duration::from_hours(7 * 24),
            missing_lookup_ttl: Duration::from_hours(1),
            idempotency_ttl: Duration::from_hours(24),
            delivery_lease: Duration::from_secs(45),
            retention: Duration::from_hours(30 * 24),
            secret_overlap: Duration::from_hours(24),
        }
    }
}

/// The gateway: all use cases, over the parts it was given.
pub struct Gateway {
    pub(super) parts: GatewayParts,
    pub(super) settings: GatewaySettings,
    pub(super) choices: Choices,
    pub(super) intake: Arc<Intake>,
    pub(super) rings: tokio::sync::Mutex<mpsc::Receiver<Ring>>,
    /// One change of endpoints at a time.
    pub(super) endpoints: tokio::sync::Mutex<()>,
    /// One opening or closing at a time for a device: never two sessions on one device's keys.
    pub(super) lifecycle: Stripes,
    pub(super) sessions: Arc<OpenSessions>,
    pub(super) jobs: Arc<JobBoard>,
    pub(super) work: mpsc::UnboundedSender<Work>,
    pub(super) begun: tokio::sync::Mutex<mpsc::UnboundedReceiver<Work>>,
    running_keys: Mutex<HashSet<(DeviceId, String)>>,
}

impl fmt::Debug for Gateway {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gateway")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

impl Gateway {
    /// Puts the parts together. Nothing runs yet: see [`resume_sessions`](Self::resume_sessions),
    /// [`answer_calls`](Self::answer_calls) and [`run_jobs`](Self::run_jobs); and nothing is chosen: see [`load_settings`](Self::load_settings).
    pub fn new(parts: GatewayParts, settings: GatewaySettings) -> Self {
        let (ring, rings) = mpsc::channel(MAX_WAITING_CALLS);
        // The board says how much may run at a time.
        let (work, begun) = mpsc::unbounded_channel();
        let intake = Arc::new(Intake::new(parts.clone(), ring, settings.delivery_lease));
        Self {
            parts,
            settings,
            choices: Choices::default(),
            intake,
            rings: tokio::sync::Mutex::new(rings),
            endpoints: tokio::sync::Mutex::default(),
            lifecycle: Stripes::default(),
            sessions: Arc::default(),
            jobs: Arc::default(),
            work,
            begun: tokio::sync::Mutex::new(begun),
            running_keys: Mutex::default(),
        }
    }

    /// The parts, for whoever runs workers beside the gateway.
    pub fn parts(&self) -> &GatewayParts {
        &self.parts
    }

    /// The device with this token, or `NotFound`.
    pub(super) async fn device(&self, token: &Token) -> Result<Device> {
        let found = self.parts.devices.find(token).await?;
        found.ok_or_else(|| Error::NotFound {
            what: "device",
            id: token.to_string(),
        })
    }

    /// The open session of a device.
    pub(super) fn session(&self, id: DeviceId) -> Option<Arc<dyn Session>> {
        self.sessions.get(id)
    }

    /// What the device's session is doing; how it ended last time when none is open.
    pub(super) fn state(&self, device: &Device) -> SessionState {
        self.state_of(device.id, device.ended.as_ref())
    }

    /// The same of a device that is known by this much alone.
    pub(super) fn state_of(&self, id: DeviceId, ended: Option<&EndReason>) -> SessionState {
        match (self.session(id), ended) {
            (Some(session), _) => session.state().borrow().clone(),
            (None, Some(reason)) => SessionState::Ended(reason.clone()),
            (None, None) => SessionState::Stopped,
        }
    }

    /// The session of a paired device, connected, or `WrongState`.
    pub(super) fn connected_session(&self, device: &Device) -> Result<Arc<dyn Session>> {
        let state = self.state(device);
        let wrong = |needs| Error::WrongState {
            needs,
            is: state.as_str().into(),
        };
        if !device.is_paired() {
            return Err(wrong(Needs::Paired));
        }
        match self.session(device.id) {
            Some(session) if state.is_connected() => Ok(session),
            _ => Err(wrong(Needs::Connected)),
        }
    }

    /// Opens a session in the driver and keeps it. Call it under the device's lifecycle lock.
    pub(super) async fn open_session(&self, device: &Device) -> Result<Arc<dyn Session>> {
        let sink: Arc<dyn EventSink> = self.intake.clone();
        let session = self
            .parts
            .driver
            .open(device, self.parts.keys.clone(), sink)
            .await?;
        self.sessions
            .insert(device.id, device.token.clone(), session.clone());
        Ok(session)
    }

    /// Closes and forgets a session. Call it under the device's lifecycle lock.
    pub(super) async fn close_session(&self, id: DeviceId) {
        let session = self.sessions.remove(id);
        if let Some(session) = session {
            session.close().await;
        }
    }

    /// Takes all sessions out, to close them.
    pub(super) fn drain_sessions(&self) -> Vec<Arc<dyn Session>> {
        self.sessions.drain()
    }

    /// Marks an idempotency key as running; the mark goes with the guard.
    pub(super) fn run_key(&self, device: DeviceId, key: &str) -> Result<RunningKey<'_>> {
        let entry = (device, key.to_owned());
        if !self.running_keys().insert(entry.clone()) {
            return Err(Error::WrongState {
                needs: Needs::PreviousRequestEnded,
                is: "running".into(),
            });
        }
        Ok(RunningKey { gateway: self, entry })
    }

    fn running_keys(&self) -> MutexGuard<'_, HashSet<(DeviceId, String)>> {
        self.running_keys.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An idempotency key whose request is running.
pub(super) struct RunningKey<'a> {
    gateway: &'a Gateway,
    entry: (DeviceId, String),
}

impl Drop for RunningKey<'_> {
    fn drop(&mut self) {
        self.gateway.running_keys().remove(&self.entry);
    }
}
