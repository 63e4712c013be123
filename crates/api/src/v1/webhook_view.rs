//! What clients see of endpoints.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;
use wagate_domain::model::{CustomHeader, DeviceId, Webhook, WebhookId, WebhookScope, WebhookState};

use super::view::{HIDDEN, time};

/// An endpoint.
#[derive(Serialize, ToSchema)]
#[schema(as = Webhook)]
pub(super) struct WebhookView {
    /// Its id.
    #[schema(value_type = String, example = "whk_01K0000000000000000000000A")]
    id: WebhookId,
    /// Whose events it receives.
    scope: ScopeView,
    /// Where they go.
    url: String,
    /// How they are written: `standard` or `classic`.
    format: &'static str,
    /// Which of them: names, families such as `message.*`, or `*`.
    events: Vec<String>,
    /// Headers that every request carries; their values are not shown.
    headers: BTreeMap<String, &'static str>,
    /// `active`, `paused` or `disabled`. Events for one that is not active wait.
    state: &'static str,
    /// Why and since when it is disabled.
    #[schema(required = true)]
    disabled: Option<DisabledView>,
    /// Since when its receiver has taken nothing.
    #[schema(format = DateTime, required = true)]
    failing_since: Option<String>,
    /// Until when the secret before this one signs as well.
    #[schema(format = DateTime, required = true)]
    previous_secret_until: Option<String>,
    /// Whether it is the device's one endpoint of `POST /api/webhook`.
    seed: bool,
    /// When it was made.
    #[schema(format = DateTime)]
    created_at: String,
}

/// An endpoint and the secret that signs what goes there, shown this once.
#[derive(Serialize, ToSchema)]
#[schema(as = WebhookWithSecret)]
pub(super) struct SecretWebhookView {
    #[serde(flatten)]
    webhook: WebhookView,
    /// Signs deliveries, by Standard Webhooks. It is not shown again.
    secret: String,
}

/// Whose events an endpoint receives.
#[derive(Serialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[schema(as = WebhookScope)]
enum ScopeView {
    /// One device's.
    Device {
        /// The device's id.
        #[schema(value_type = String)]
        device: DeviceId,
    },
    /// Those of all devices in a workspace.
    Workspace {
        /// The workspace's name.
        workspace: String,
    },
    /// Everybody's.
    Global,
}

/// Why an endpoint was switched off.
#[derive(Serialize, ToSchema)]
#[schema(as = WebhookDisabled)]
struct DisabledView {
    /// In a few words.
    reason: String,
    /// When.
    #[schema(format = DateTime)]
    at: String,
}

impl From<WebhookScope> for ScopeView {
    fn from(scope: WebhookScope) -> Self {
        match scope {
            WebhookScope::Seed(device) | WebhookScope::Device(device) => Self::Device { device },
            WebhookScope::Workspace(name) => Self::Workspace {
                workspace: name.to_string(),
            },
            WebhookScope::Global => Self::Global,
        }
    }
}

impl From<Webhook> for WebhookView {
    fn from(webhook: Webhook) -> Self {
        let hidden = |header: &CustomHeader| (header.name().to_owned(), HIDDEN);
        Self {
            id: webhook.id,
            seed: matches!(webhook.scope, WebhookScope::Seed(_)),
            scope: webhook.scope.into(),
            url: webhook.url,
            format: webhook.format.as_str(),
            events: webhook.events.patterns().map(ToOwned::to_owned).collect(),
            headers: webhook.headers.iter().map(hidden).collect(),
            state: webhook.state.as_str(),
            disabled: disabled(webhook.state),
            failing_since: webhook.failing_since.map(time),
            previous_secret_until: webhook.retiring.map(|retiring| time(retiring.until)),
            created_at: time(webhook.created_at),
        }
    }
}

fn disabled(state: WebhookState) -> Option<DisabledView> {
    match state {
        WebhookState::Disabled { reason, at } => Some(DisabledView { reason, at: time(at) }),
        WebhookState::Active | WebhookState::Paused => None,
    }
}

impl From<Webhook> for SecretWebhookView {
    fn from(webhook: Webhook) -> Self {
        Self {
            secret: webhook.secret.reveal().to_owned(),
            webhook: webhook.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use ulid::Ulid;
    use wagate_domain::model::{SigningSecret, Timestamp};

    use super::*;

    fn webhook() -> Webhook {
        let id = WebhookId::new(Ulid::from_parts(0, 1));
        let device = DeviceId::new(Ulid::from_parts(0, 2));
        let secret = SigningSecret::from_bytes(&[7; 32]);
        Webhook::seed(id, device, "https://example.com/hook", secret, Timestamp(0))
    }

    #[test]
    fn secrets_and_header_values_are_hidden() {
        let webhook = Webhook {
            headers: vec![CustomHeader::new("Authorization", "Basic eA==").unwrap()],
            ..webhook()
        };
        let secret = webhook.secret.reveal().to_owned();
        let shown = serde_json::to_value(SecretWebhookView::from(webhook.clone())).unwrap();
        assert_eq!(shown["secret"], secret);
        let shown = serde_json::to_value(WebhookView::from(webhook)).unwrap();
        assert_eq!(shown["headers"], json!({ "authorization": "[hidden]" }));
        assert!(shown.get("secret").is_none());
        assert!(!shown.to_string().contains("whsec_") && !shown.to_string().contains("eA=="));
    }

    #[test]
    fn a_disabled_endpoint_says_why() {
        let state = WebhookState::Disabled {
            reason: "answered 410".into(),
            at: Timestamp(1_767_225_600_000),
        };
        let shown = serde_json::to_value(WebhookView::from(Webhook { state, ..webhook() })).unwrap();
        assert_eq!(
            (&shown["state"], &shown["disabled"]),
            (
                &json!("disabled"),
                &json!({ "reason": "answered 410", "at": "2026-01-01T00:00:00.000Z" })
            )
        );
        assert_eq!(
            shown["scope"],
            json!({ "kind": "device", "device": "dev_00000000000000000000000002" })
        );
        assert_eq!(shown["seed"], true);
    }
}
