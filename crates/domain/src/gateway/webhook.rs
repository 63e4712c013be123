//! Endpoints: made, changed, paused, tried out.

use super::Gateway;
use crate::model::{
    Attempt, CursorPage, CursorQuery, CustomHeader, Delivery, DeliveryId, Device, Event, EventBody,
    EventFilter, EventId, EventKind, RetiringSecret, SigningSecret, Token, Webhook, WebhookFormat, WebhookId,
    WebhookScope, WebhookState, WorkspaceName,
};
use crate::{Error, Result};

/// Whose events a new endpoint is to receive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ScopeRequest {
    /// One device's.
    Device(Token),
    /// A workspace's.
    Workspace(WorkspaceName),
    /// Everybody's.
    Global,
}

/// An endpoint that somebody wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewWebhook {
    /// Whose events.
    pub scope: ScopeRequest,
    /// Where they go.
    pub url: String,
    /// How they are written.
    pub format: WebhookFormat,
    /// Which of them.
    pub events: EventFilter,
    /// Sent along with each.
    pub headers: Vec<CustomHeader>,
    /// Signs them; `None` for a new one.
    pub secret: Option<SigningSecret>,
}

/// A change of an endpoint: what is left out stays as it is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct WebhookPatch {
    /// Where events go.
    pub url: Option<String>,
    /// How they are written from now on.
    pub format: Option<WebhookFormat>,
    /// Which of them from now on.
    pub events: Option<EventFilter>,
    /// Sent along with each, in place of those before.
    pub headers: Option<Vec<CustomHeader>>,
    /// `Some(true)` stops it for a while, `Some(false)` lets it go on, also one that was disabled.
    pub paused: Option<bool>,
}

impl Gateway {
    /// Makes an endpoint. Its secret is in the answer.
    #[tracing::instrument(skip_all)]
    pub async fn create_webhook(&self, new: NewWebhook) -> Result<Webhook> {
        self.check_endpoint(&new.url, &new.headers).await?;
        let scope = match &new.scope {
            ScopeRequest::Device(token) => WebhookScope::Device(self.device(token).await?.id),
            ScopeRequest::Workspace(name) => WebhookScope::Workspace(name.clone()),
            ScopeRequest::Global => WebhookScope::Global,
        };
        let webhook = Webhook {
            id: WebhookId::new(self.parts.ids.next()),
            scope,
            url: new.url,
            format: new.format,
            events: new.events,
            headers: new.headers,
            secret: new.secret.unwrap_or_else(|| self.new_secret()),
            retiring: None,
            state: WebhookState::Active,
            failing_since: None,
            created_at: self.parts.clock.now(),
        };
        self.parts.webhooks.create(&webhook).await?;
        Ok(webhook)
    }

    /// Endpoints, oldest first.
    pub async fn list_webhooks(
        &self,
        query: CursorQuery<WebhookId>,
    ) -> Result<CursorPage<Webhook, WebhookId>> {
        self.parts.webhooks.list(query).await
    }

    /// One endpoint, or `NotFound`.
    pub async fn get_webhook(&self, id: WebhookId) -> Result<Webhook> {
        let found = self.parts.webhooks.get(id).await?;
        found.ok_or_else(|| Error::NotFound {
            what: "webhook",
            id: id.to_string(),
        })
    }

    /// Changes an endpoint. One that becomes active makes the deliveries that waited.
    #[tracing::instrument(skip_all, fields(%id))]
    pub async fn update_webhook(&self, id: WebhookId, patch: WebhookPatch) -> Result<Webhook> {
        let _turn = self.endpoints.lock().await;
        let mut webhook = self.get_webhook(id).await?;
        if let Some(url) = patch.url {
            webhook.url = url;
        }
        if let Some(headers) = patch.headers {
            webhook.headers = headers;
        }
        self.check_endpoint(&webhook.url, &webhook.headers).await?;
        webhook.format = patch.format.unwrap_or(webhook.format);
        webhook.events = patch.events.unwrap_or(webhook.events);
        match patch.paused {
            Some(true) => webhook.state = WebhookState::Paused,
            Some(false) => webhook.state = WebhookState::Active,
            None => {}
        }
        self.store_webhook(&webhook).await?;
        self.get_webhook(id).await
    }

    /// Gives an endpoint a new secret. The former one signs beside it for a while.
    #[tracing::instrument(skip_all, fields(%id))]
    pub async fn rotate_webhook_secret(
        &self,
        id: WebhookId,
        secret: Option<SigningSecret>,
    ) -> Result<Webhook> {
        let _turn = self.endpoints.lock().await;
        let mut webhook = self.get_webhook(id).await?;
        let fresh = secret.unwrap_or_else(|| self.new_secret());
        webhook.retiring = Some(RetiringSecret {
            secret: std::mem::replace(&mut webhook.secret, fresh),
            until: self.parts.clock.now() + self.settings.secret_overlap,
        });
        self.store_webhook(&webhook).await?;
        Ok(webhook)
    }

    /// Removes an endpoint and what is on its way there.
    #[tracing::instrument(skip_all, fields(%id))]
    pub async fn delete_webhook(&self, id: WebhookId) -> Result<()> {
        let _turn = self.endpoints.lock().await;
        self.get_webhook(id).await?;
        self.parts.webhooks.delete(id).await
    }

    /// Sends a made-up event to an endpoint now, whatever its state, and says what came of it. It stands
    /// in no log.
    #[tracing::instrument(skip_all, fields(%id))]
    pub async fn test_webhook(&self, id: WebhookId) -> Result<Attempt> {
        let webhook = self.get_webhook(id).await?;
        let now = self.parts.clock.now();
        let event = Event {
            at: now,
            body: EventBody::Connected,
        };
        let event_id = EventId::new(self.parts.ids.next());
        let device = self.test_device(&webhook).await?;
        let body = match webhook.format {
            WebhookFormat::Standard => {
                super::standard::render(&device, event_id, EventKind::Connected, &event)?
            }
            WebhookFormat::Classic => {
                super::classic::render(&device, event_id, &event, now).unwrap_or_default()
            }
        };
        let delivery = Delivery {
            id: DeliveryId::new(self.parts.ids.next()),
            event: event_id,
            webhook: webhook.id,
            device: device.id,
            secrets: webhook.secrets(now),
            url: webhook.url,
            headers: webhook.headers,
            body,
            attempts: 0,
            queued_at: now,
        };
        Ok(self.parts.tester.try_once(&delivery).await)
    }

    /// The endpoint's device; a made-up one for endpoints of several.
    async fn test_device(&self, webhook: &Webhook) -> Result<Device> {
        let stored = match webhook.scope.device() {
            Some(id) => self.parts.devices.get(id).await?,
            None => None,
        };
        let made_up = || -> Result<Device> {
            let id = crate::model::DeviceId::new(self.parts.ids.next());
            Ok(Device::new(id, "test".parse()?, self.parts.clock.now()))
        };
        stored.map_or_else(made_up, Ok)
    }

    async fn store_webhook(&self, webhook: &Webhook) -> Result<()> {
        self.parts
            .webhooks
            .update(webhook, self.parts.clock.now())
            .await?;
        self.parts.dispatch.announce();
        Ok(())
    }

    async fn check_endpoint(&self, url: &str, headers: &[CustomHeader]) -> Result<()> {
        if headers.len() > Webhook::MAX_HEADERS {
            return Err(Error::invalid(
                "headers",
                format!("at most {} headers", Webhook::MAX_HEADERS),
            ));
        }
        self.parts.targets.check("url", url).await
    }

    fn new_secret(&self) -> SigningSecret {
        SigningSecret::from_bytes(&self.parts.secrets.secret_bytes())
    }
}
