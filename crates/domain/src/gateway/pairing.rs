//! Linking a device: a code to scan, or a code to type.

use super::{DeviceStatus, Gateway};
use crate::model::{Device, EndReason, Pairing, PhoneNumber, Secret, SessionState, Timestamp, Token};
use crate::{Error, Needs, Result};

/// What a request for a code to scan comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum QrOutcome {
    /// Scan this.
    Scan {
        /// The pairing string.
        qr: Secret,
        /// When it stops being valid.
        expires_at: Timestamp,
    },
    /// The device is linked already.
    Paired(Box<DeviceStatus>),
}

impl Gateway {
    /// The code to scan now; waits for the first one. `TimedOut { what: "qr" }` when none comes,
    /// `Unavailable` when WhatsApp is out of reach.
    #[tracing::instrument(skip_all, fields(%token))]
    pub async fn pairing_qr(&self, token: &Token) -> Result<QrOutcome> {
        let device = self.device(token).await?;
        if is_linked(&device) {
            return Ok(QrOutcome::Paired(Box::new(self.status_of(device))));
        }
        let session = self.ensure_session(&device).await?;
        let ready = |state: &SessionState| match state {
            // The next code is due already: this one could no longer be scanned.
            SessionState::AwaitingScan { expires_at, .. } => *expires_at > self.parts.clock.now(),
            state => state.is_connected(),
        };
        match self.wait_for(&session, ready, "qr").await? {
            SessionState::AwaitingScan { qr, expires_at } => Ok(QrOutcome::Scan { qr, expires_at }),
            _ => Ok(QrOutcome::Paired(Box::new(self.session_status(token).await?))),
        }
    }

    /// A code that the person at `phone` types into WhatsApp. `WrongState` when the device is linked
    /// already.
    #[tracing::instrument(skip_all, fields(%token))]
    pub async fn pair_by_phone(&self, token: &Token, phone: &str) -> Result<Pairing> {
        let device = self.device(token).await?;
        let phone = PhoneNumber::parse(phone, self.default_region())?;
        if is_linked(&device) {
            return Err(Error::WrongState {
                needs: Needs::Unpaired,
                is: self.state(&device).as_str().into(),
            });
        }
        let session = self.ensure_session(&device).await?;
        let ready = |state: &SessionState| {
            matches!(
                state,
                SessionState::AwaitingScan { .. } | SessionState::Connected { .. }
            )
        };
        match self.wait_for(&session, ready, "pairing").await? {
            SessionState::AwaitingScan { .. } => {
                let code = session.pair_by_phone(&phone).await?;
                Ok(Pairing { phone, code })
            }
            state => Err(Error::WrongState {
                needs: Needs::Unpaired,
                is: state.as_str().into(),
            }),
        }
    }
}

/// A device whose link ended by logging out is free to be paired again.
fn is_linked(device: &Device) -> bool {
    device.is_paired() && device.ended != Some(EndReason::LoggedOut)
}
