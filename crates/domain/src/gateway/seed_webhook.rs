//! The device's one classic endpoint, as `POST /api/webhook` sets it.

use super::Gateway;
use crate::Result;
use crate::model::{SigningSecret, Token, Webhook, WebhookId};

impl Gateway {
    /// Sets where the device's events go; an empty address removes it, and what is on its way there.
    #[tracing::instrument(skip_all, fields(%token))]
    pub async fn set_webhook(&self, token: &Token, url: &str) -> Result<()> {
        let device = self.device(token).await?;
        let url = url.trim();
        let _turn = self.endpoints.lock().await;
        if url.is_empty() {
            return match self.parts.webhooks.seed_of(device.id).await? {
                Some(webhook) => self.parts.webhooks.delete(webhook.id).await,
                None => Ok(()),
            };
        }
        self.parts.targets.check("url", url).await?;
        let now = self.parts.clock.now();
        let webhook = Webhook::seed(
            WebhookId::new(self.parts.ids.next()),
            device.id,
            url,
            SigningSecret::from_bytes(&self.parts.secrets.secret_bytes()),
            now,
        );
        self.parts.webhooks.put_seed(&webhook, now).await?;
        self.parts.dispatch.announce();
        Ok(())
    }

    /// The device's endpoint, with the secret that signs what goes there.
    pub async fn webhook(&self, token: &Token) -> Result<Option<Webhook>> {
        let device = self.device(token).await?;
        self.parts.webhooks.seed_of(device.id).await
    }
}
