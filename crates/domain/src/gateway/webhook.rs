//! The device's one classic endpoint.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use super::Gateway;
use crate::Result;
use crate::model::{Secret, Token, Webhook, WebhookId};

impl Gateway {
    /// Sets where the device's events go; an empty address removes it, and what is on its way there.
    #[tracing::instrument(skip_all, fields(%token))]
    pub async fn set_webhook(&self, token: &Token, url: &str) -> Result<()> {
        let device = self.device(token).await?;
        let url = url.trim();
        if url.is_empty() {
            return self.parts.webhooks.delete(device.id).await;
        }
        self.parts.targets.check("url", url).await?;
        let secret = BASE64_STANDARD.encode(self.parts.secrets.secret_bytes());
        let webhook = Webhook {
            id: WebhookId::new(self.parts.ids.next()),
            device: device.id,
            url: url.into(),
            secret: Secret::new(format!("whsec_{secret}")),
            created_at: self.parts.clock.now(),
        };
        self.parts.webhooks.put(webhook).await
    }

    /// The device's endpoint, with the secret that signs what goes there.
    pub async fn webhook(&self, token: &Token) -> Result<Option<Webhook>> {
        let device = self.device(token).await?;
        self.parts.webhooks.of_device(device.id).await
    }
}
