//! What clients say about endpoints.

use serde::Deserialize;
use utoipa::ToSchema;
use wagate_domain::gateway::{NewWebhook, ScopeRequest, WebhookPatch};
use wagate_domain::model::{DeliveryStanding, EventFilter, Replay, SigningSecret, Timestamp, WebhookFormat};
use wagate_domain::{Error, Result};

use super::fields::{events, flag, format, headers, secret, time, url};
use crate::extract::{Field, text, under};

/// An endpoint to be made. With neither `device` nor `workspace` it receives everybody's events.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CreateWebhook)]
pub(super) struct CreateWebhookBody {
    /// Where events go: `http:` or `https:`.
    #[schema(value_type = String, example = "https://example.com/hook")]
    url: Field,
    /// Only events of the device with this token.
    #[schema(value_type = Option<String>)]
    device: Field,
    /// Only events of devices in this workspace.
    #[schema(value_type = Option<String>)]
    workspace: Field,
    /// How events are written: `standard` or `classic`.
    #[schema(value_type = Option<String>, default = "standard")]
    format: Field,
    /// Which events: names, families such as `message.*`, or `*`. All of them when left out.
    #[schema(value_type = Option<Vec<String>>, example = json!(["message.*"]))]
    events: Field,
    /// Headers that every request carries, by name.
    #[schema(value_type = Option<std::collections::BTreeMap<String, String>>)]
    headers: Field,
    /// What signs deliveries: `whsec_` and the base64 of 24 to 64 bytes. A new one when left out.
    #[schema(value_type = Option<String>)]
    secret: Field,
}

impl TryFrom<CreateWebhookBody> for NewWebhook {
    type Error = Error;

    fn try_from(body: CreateWebhookBody) -> Result<Self> {
        Ok(Self {
            url: url(body.url)?.ok_or_else(|| Error::invalid("url", "url is required"))?,
            scope: scope(body.device, body.workspace)?,
            format: format(body.format)?.unwrap_or(WebhookFormat::Standard),
            events: events(body.events)?.unwrap_or_else(EventFilter::all),
            headers: headers(body.headers)?.unwrap_or_default(),
            secret: secret(body.secret)?,
        })
    }
}

fn scope(device: Field, workspace: Field) -> Result<ScopeRequest> {
    match (text("device", device)?, text("workspace", workspace)?) {
        (None, None) => Ok(ScopeRequest::Global),
        (Some(token), None) => token
            .parse()
            .map(ScopeRequest::Device)
            .map_err(|error| under("device", error)),
        (None, Some(name)) => name.parse().map(ScopeRequest::Workspace),
        (Some(_), Some(_)) => Err(Error::invalid(
            "device",
            "device and workspace cannot both be given",
        )),
    }
}

/// A change of an endpoint: what is left out, or null, stays as it is.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = UpdateWebhook)]
pub(super) struct UpdateWebhookBody {
    /// Where events go. Deliveries on their way follow.
    #[schema(value_type = Option<String>)]
    url: Field,
    /// How events are written from now on: `standard` or `classic`.
    #[schema(value_type = Option<String>)]
    format: Field,
    /// Which events from now on.
    #[schema(value_type = Option<Vec<String>>)]
    events: Field,
    /// Headers that every request carries, in place of those before.
    #[schema(value_type = Option<std::collections::BTreeMap<String, String>>)]
    headers: Field,
    /// `true` stops the endpoint for a while: its deliveries wait. `false` lets it go on, also one that was
    /// disabled.
    #[schema(value_type = Option<bool>, example = true)]
    paused: Field,
}

impl TryFrom<UpdateWebhookBody> for WebhookPatch {
    type Error = Error;

    fn try_from(body: UpdateWebhookBody) -> Result<Self> {
        Ok(Self {
            url: url(body.url)?,
            format: format(body.format)?,
            events: events(body.events)?,
            headers: headers(body.headers)?,
            paused: flag("paused", body.paused)?,
        })
    }
}

/// A secret to change to.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = RotateSecret)]
pub(super) struct RotateSecretBody {
    /// `whsec_` and the base64 of 24 to 64 bytes. A new one when left out.
    #[schema(value_type = Option<String>)]
    secret: Field,
}

impl TryFrom<RotateSecretBody> for Option<SigningSecret> {
    type Error = Error;

    fn try_from(body: RotateSecretBody) -> Result<Self> {
        secret(body.secret)
    }
}

/// Which deliveries to make once more.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ReplayDeliveries)]
pub(super) struct ReplayDeliveriesBody {
    /// Events recorded then or later: RFC 3339, or unix seconds or milliseconds.
    #[schema(value_type = TimeSchema)]
    since: Field,
    /// Events recorded before; now when left out.
    #[schema(value_type = Option<TimeSchema>)]
    until: Field,
    /// `dead` or `delivered`: those that were given up, or those that were delivered.
    #[schema(value_type = Option<String>, default = "dead")]
    status: Field,
}

/// A moment.
#[derive(ToSchema)]
#[schema(as = Time, example = "2026-01-01T00:00:00Z")]
#[serde(untagged)]
#[expect(dead_code, reason = "documents what is read by hand")]
pub(super) enum TimeSchema {
    /// RFC 3339.
    #[schema(title = "RFC 3339")]
    Text(String),
    /// Unix time in seconds or milliseconds.
    #[schema(title = "unix time")]
    Number(i64),
}

impl ReplayDeliveriesBody {
    /// What is to be replayed, when it is `now`.
    pub(super) fn read(self, now: Timestamp) -> Result<Replay> {
        let since = time("since", self.since)?.ok_or_else(|| Error::invalid("since", "since is required"))?;
        let until = time("until", self.until)?;
        match until {
            Some(until) if until <= since => {
                return Err(Error::invalid("until", "until must be after since"));
            }
            None if now <= since => return Err(Error::invalid("since", "since must be in the past")),
            _ => {}
        }
        Ok(Replay {
            since,
            until: until.unwrap_or(now),
            standing: replayed(self.status)?,
        })
    }
}

fn replayed(status: Field) -> Result<DeliveryStanding> {
    let choice = text("status", status)?;
    match choice.as_deref().unwrap_or("dead") {
        "dead" => Ok(DeliveryStanding::Dead),
        "delivered" => Ok(DeliveryStanding::Delivered),
        "pending" => Err(Error::invalid(
            "status",
            "status cannot be \"pending\": what is pending is on its way already",
        )),
        _ => Err(Error::invalid(
            "status",
            "status must be \"dead\" or \"delivered\"",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_767_225_600_000);

    fn create(json: &str) -> Result<NewWebhook> {
        NewWebhook::try_from(serde_json::from_str::<CreateWebhookBody>(json).unwrap())
    }

    fn replay(json: &str) -> Result<Replay> {
        serde_json::from_str::<ReplayDeliveriesBody>(json)
            .unwrap()
            .read(NOW)
    }

    #[test]
    fn an_endpoint_is_everybodys_and_standard_unless_it_says_otherwise() {
        let plain = create(r#"{"url":"https://example.com/"}"#).unwrap();
        assert_eq!(plain.scope, ScopeRequest::Global);
        assert_eq!(plain.format, WebhookFormat::Standard);
        assert_eq!(plain.events, EventFilter::all());
        assert_eq!((plain.headers.len(), plain.secret), (0, None));
        let device = create(r#"{"url":"https://example.com/","device":"shop","format":"classic"}"#).unwrap();
        assert_eq!(device.scope, ScopeRequest::Device("shop".parse().unwrap()));
        assert_eq!(device.format, WebhookFormat::Classic);
        let workspace = create(r#"{"url":"https://example.com/","workspace":"Sales"}"#).unwrap();
        assert_eq!(workspace.scope, ScopeRequest::Workspace("Sales".parse().unwrap()));
    }

    #[test]
    fn what_is_wrong_with_an_endpoint_is_told_by_name() {
        for (fields, code) in [
            (r#""url":null"#, "invalid_url"),
            (r#""url":7"#, "invalid_url"),
            (r#""url":"u","device":"","workspace":null"#, "invalid_device"),
            (r#""url":"u","device":7"#, "invalid_device"),
            (r#""url":"u","device":"a","workspace":"b""#, "invalid_device"),
            (r#""url":"u","workspace":"a\nb""#, "invalid_workspace"),
            (r#""url":"u","format":"xml""#, "invalid_format"),
            (r#""url":"u","secret":"short""#, "invalid_secret"),
        ] {
            assert_eq!(
                create(&format!("{{{fields}}}")).unwrap_err().code(),
                code,
                "{fields}"
            );
        }
    }

    #[test]
    fn an_empty_patch_changes_nothing() {
        let read =
            |json: &str| WebhookPatch::try_from(serde_json::from_str::<UpdateWebhookBody>(json).unwrap());
        assert_eq!(read("{}").unwrap(), WebhookPatch::default());
        assert_eq!(read(r#"{"paused":true}"#).unwrap().paused, Some(true));
        assert_eq!(read(r#"{"paused":"yes"}"#).unwrap_err().code(), "invalid_paused");
        assert!(serde_json::from_str::<UpdateWebhookBody>(r#"{"device":"other"}"#).is_err());
    }

    #[test]
    fn a_replay_takes_what_was_given_up_until_now() {
        let plain = replay(r#"{"since":1767225000}"#).unwrap();
        assert_eq!((plain.until, plain.standing), (NOW, DeliveryStanding::Dead));
        let all =
            replay(r#"{"since":"2025-01-01T00:00:00Z","until":1767225600001,"status":"delivered"}"#).unwrap();
        assert_eq!(
            (all.until.0, all.standing),
            (1_767_225_600_001, DeliveryStanding::Delivered)
        );
    }

    #[test]
    fn a_replay_of_nothing_is_refused() {
        for (json, code) in [
            ("{}", "invalid_since"),
            (r#"{"since":1767225600}"#, "invalid_since"),
            (r#"{"since":1767225000,"until":1767225000}"#, "invalid_until"),
            (r#"{"since":0,"status":"pending"}"#, "invalid_status"),
            (r#"{"since":0,"status":"all"}"#, "invalid_status"),
        ] {
            assert_eq!(replay(json).unwrap_err().code(), code, "{json}");
        }
    }
}
