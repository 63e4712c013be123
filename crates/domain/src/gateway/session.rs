//! Starting, reconnecting, logging out; and all sessions at the start and the end of the process.

use std::sync::Arc;

use futures_util::future::join_all;
use tokio::sync::watch;

use super::{DeviceStatus, Gateway};
use crate::model::{CallSettings, Device, EndReason, Event, EventBody, PhoneNumber, SessionState, Token};
use crate::ports::{EventSink, Session};
use crate::{Error, Needs, Result};

/// Call settings as a client sends them: what is left out stays as it is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CallPatch {
    /// Reject every call, or none.
    pub reject: Option<bool>,
    /// Numbers that are let through, in any human form.
    pub exclude: Option<Vec<String>>,
    /// Text for rejected callers; an empty one sends none.
    pub message: Option<String>,
}

impl CallPatch {
    fn apply(self, calls: &mut CallSettings, region: Option<crate::model::Region>) -> Result<()> {
        if let Some(reject) = self.reject {
            calls.reject = reject;
        }
        if let Some(exclude) = self.exclude {
            let numbers = exclude
                .iter()
                .map(|text| PhoneNumber::parse(text, region).map(|n| n.digits().to_owned()));
            calls.exclude = numbers
                .collect::<Result<_>>()
                .map_err(|error| Error::invalid("reject_exclude_phone", error.to_string()))?;
        }
        if let Some(message) = self.message {
            calls.message = (!message.is_empty()).then_some(message);
        }
        Ok(())
    }
}

impl Gateway {
    /// Makes the device when it is new, stores its call settings, and connects. Doing it again is
    /// fine. A device whose link is gone starts over with fresh keys.
    #[tracing::instrument(skip_all, fields(%token))]
    pub async fn start_session(&self, token: &Token, calls: CallPatch) -> Result<Device> {
        let found = self.parts.devices.find(token).await?;
        // Refused before anything is stored: a bad number must not leave a device behind.
        let region = found
            .as_ref()
            .map_or_else(|| self.default_region(), |device| self.region_for(device));
        calls.clone().apply(&mut CallSettings::default(), region)?;
        let device = if let Some(device) = found {
            device
        } else {
            let id = crate::model::DeviceId::new(self.parts.ids.next());
            self.parts
                .devices
                .create(Device::new(id, token.clone(), self.parts.clock.now()))
                .await?
        };
        let device = if calls == CallPatch::default() {
            device
        } else {
            self.intake
                .change_device(device.id, |device| calls.apply(&mut device.calls, region))
                .await?
        };
        self.ensure_session(&device).await?;
        Ok(device)
    }

    /// Connects a device that is there, and says what it comes to so far. Doing it again is fine. A device whose
    /// link is gone starts over with fresh keys.
    #[tracing::instrument(skip_all, fields(%token))]
    pub async fn wake_session(&self, token: &Token) -> Result<DeviceStatus> {
        let device = self.device(token).await?;
        self.ensure_session(&device).await?;
        self.session_status(token).await
    }

    /// Drops the connection and makes a new one; returns once it is up. `WrongState` when the device
    /// is not paired, `Unavailable` when WhatsApp stays out of reach.
    #[tracing::instrument(skip_all, fields(%token))]
    pub async fn reconnect_session(&self, token: &Token) -> Result<()> {
        let session = self.redial(token).await?;
        self.wait_for(&session, SessionState::is_connected, "connection")
            .await?;
        Ok(())
    }

    /// Drops the connection and begins to make a new one. `WrongState` when the device is not paired.
    #[tracing::instrument(skip_all, fields(%token))]
    pub async fn begin_reconnect(&self, token: &Token) -> Result<DeviceStatus> {
        self.redial(token).await?;
        self.session_status(token).await
    }

    async fn redial(&self, token: &Token) -> Result<Arc<dyn Session>> {
        let device = self.device(token).await?;
        if !device.is_paired() || device.ended == Some(EndReason::LoggedOut) {
            return Err(Error::WrongState {
                needs: Needs::Paired,
                is: self.state(&device).as_str().into(),
            });
        }
        let _turn = self.lifecycle.lock(device.id).await;
        self.clear_end(&device).await?;
        match self.session(device.id) {
            Some(session) => {
                session.reconnect().await?;
                Ok(session)
            }
            None => self.open_session(&device).await,
        }
    }

    /// Unlinks the device at WhatsApp and erases its keys; the device itself stays. `WrongState` when
    /// it is not paired or not connected: then WhatsApp could not be told.
    #[tracing::instrument(skip_all, fields(%token))]
    pub async fn log_out(&self, token: &Token) -> Result<()> {
        let device = self.device(token).await?;
        let session = self.connected_session(&device)?;
        let _turn = self.lifecycle.lock(device.id).await;
        session.logout().await?;
        self.close_session(device.id).await;
        let ended = Event {
            at: self.parts.clock.now(),
            body: EventBody::Ended(EndReason::LoggedOut),
        };
        self.intake.commit(device.id, vec![ended]).await?;
        self.forget_link(&device).await?;
        Ok(())
    }

    /// Opens the sessions of all devices that were linked when the process ended last.
    pub async fn resume_sessions(&self) -> Result<usize> {
        let mut opened = 0;
        for device in self.parts.devices.all().await? {
            if !device.is_paired() || device.ended.is_some() {
                continue;
            }
            let _turn = self.lifecycle.lock(device.id).await;
            if self.session(device.id).is_none() {
                // One device that cannot be opened must not keep the others down.
                match self.open_session(&device).await {
                    Ok(_) => opened += 1,
                    Err(error) => tracing::error!(device = %device.id, %error, "session not resumed"),
                }
            }
        }
        Ok(opened)
    }

    /// Closes every session, all at once.
    pub async fn close_sessions(&self) {
        let sessions = self.drain_sessions();
        join_all(sessions.iter().map(|session| session.close())).await;
    }

    /// A session that is running: opened, woken from rest, or the one that is there.
    pub(super) async fn ensure_session(&self, device: &Device) -> Result<Arc<dyn Session>> {
        let _turn = self.lifecycle.lock(device.id).await;
        // Read again: another request may have changed it while this one waited for its turn.
        let Some(device) = self.parts.devices.get(device.id).await? else {
            return Err(Error::NotFound {
                what: "device",
                id: device.token.to_string(),
            });
        };
        if self.state(&device) == SessionState::Ended(EndReason::LoggedOut) {
            self.close_session(device.id).await;
            let device = self.forget_link(&device).await?;
            self.clear_end(&device).await?;
            return self.open_session(&device).await;
        }
        match self.session(device.id) {
            None => {
                self.clear_end(&device).await?;
                self.open_session(&device).await
            }
            Some(session) => {
                let at_rest = session.state().borrow().is_at_rest();
                if at_rest {
                    self.clear_end(&device).await?;
                    session.reconnect().await?;
                }
                Ok(session)
            }
        }
    }

    /// Erases the keys of a link that is gone: the next pairing must not reuse them.
    async fn forget_link(&self, device: &Device) -> Result<Device> {
        self.parts.keys.erase(device.id).await?;
        self.intake
            .change_device(device.id, |device| {
                device.jid = None;
                device.lid = None;
                device.push_name = None;
                device.picture_url = None;
                Ok(())
            })
            .await
    }

    async fn clear_end(&self, device: &Device) -> Result<()> {
        if device.ended.is_some() {
            self.intake
                .change_device(device.id, |device| {
                    device.ended = None;
                    Ok(())
                })
                .await?;
        }
        Ok(())
    }

    /// Waits until the session's state fits, at most as long as a request may wait. `Unavailable`
    /// when WhatsApp could not be reached meanwhile, `WrongState` when the session came to an end,
    /// else `TimedOut { what }`.
    pub(super) async fn wait_for(
        &self,
        session: &Arc<dyn Session>,
        fits: impl Fn(&SessionState) -> bool,
        what: &'static str,
    ) -> Result<SessionState> {
        let mut states = session.state();
        let settled = wait(&mut states, |state| {
            fits(state) || matches!(state, SessionState::Ended(_))
        });
        let found = tokio::select! {
            found = settled => found,
            () = self.parts.clock.sleep(self.settings.patience) => None,
        };
        match found.unwrap_or_else(|| session.state().borrow().clone()) {
            state if fits(&state) => Ok(state),
            SessionState::Unreachable { .. } => {
                Err(Error::unavailable("whatsapp", "no connection could be made"))
            }
            SessionState::Ended(reason) => Err(Error::WrongState {
                needs: Needs::Connected,
                is: reason.as_str().into(),
            }),
            _ => Err(Error::TimedOut { what }),
        }
    }
}

/// The first state that fits; `None` when the session is gone.
async fn wait(
    states: &mut watch::Receiver<SessionState>,
    fits: impl FnMut(&SessionState) -> bool,
) -> Option<SessionState> {
    states.wait_for(fits).await.ok().map(|state| state.clone())
}
