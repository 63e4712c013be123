//! Answering calls by the device's settings. It happens beside the intake, because recording an event
//! must never call back into the session.

use super::{Gateway, MessageRequest};
use crate::Result;
use crate::model::event::IncomingCall;
use crate::model::{DeviceId, PhoneNumber};

/// A call that rings at a device.
pub(super) struct Ring {
    pub(super) device: DeviceId,
    pub(super) call: IncomingCall,
}

impl Gateway {
    /// Rejects calls where the device's settings say so, until the future is dropped. Run it once
    /// beside the gateway.
    pub async fn answer_calls(&self) {
        let mut rings = self.rings.lock().await;
        while let Some(ring) = rings.recv().await {
            if let Err(error) = self.answer(&ring).await {
                tracing::warn!(device = %ring.device, %error, "call not rejected");
            }
        }
    }

    async fn answer(&self, ring: &Ring) -> Result<()> {
        let Some(device) = self.parts.devices.get(ring.device).await? else {
            return Ok(());
        };
        let caller = ring
            .call
            .from_phone
            .as_ref()
            .and_then(|jid| PhoneNumber::parse(jid.user(), None).ok());
        if !device.calls.rejects(caller.as_ref()) {
            return Ok(());
        }
        self.connected_session(&device)?.reject_call(&ring.call).await?;
        if let Some(text) = device.calls.message.clone() {
            let to = ring
                .call
                .from_phone
                .as_ref()
                .unwrap_or(&ring.call.from)
                .account()
                .to_string();
            let request = MessageRequest {
                to,
                text: Some(text),
                ..MessageRequest::default()
            };
            self.send_message(&device.token, request, None).await?;
        }
        Ok(())
    }
}
