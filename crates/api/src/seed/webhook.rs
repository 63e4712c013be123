//! `POST /api/webhook`: where the device's events go.

use actix_web::web::{Data, Json};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use wagate_domain::{Error, Result};

use crate::extract::{Field, SeedInput, text};
use crate::problem::Problem;
use crate::state::ApiState;

#[derive(Deserialize, ToSchema)]
#[schema(as = SeedSetWebhook)]
pub(super) struct WebhookBody {
    /// Where events go; empty for nowhere.
    #[schema(value_type = Option<String>)]
    url: Field,
}

#[derive(Serialize, ToSchema)]
#[schema(as = SeedWebhook)]
pub(super) struct WebhookView {
    status: &'static str,
    url: String,
}

/// Sets where the events of the device go; an empty address removes it.
#[utoipa::path(
    post,
    path = "/api/webhook",
    tag = "seed",
    request_body = WebhookBody,
    responses((status = 200, description = "It is set", body = WebhookView)),
)]
pub(super) async fn set_webhook(
    state: Data<ApiState>,
    input: SeedInput<WebhookBody>,
) -> Result<Json<WebhookView>, Problem> {
    let url = required_url(input.body.url)?;
    let view = WebhookView {
        status: "updated",
        url: url.clone(),
    };
    state
        .run(|gateway| async move { gateway.set_webhook(&input.token, &url).await })
        .await?;
    Ok(Json(view))
}

/// A forgotten field must not remove the webhook: only an empty one does.
fn required_url(field: Field) -> Result<String> {
    let url = text("url", field)?;
    url.map(|url| url.trim().to_owned())
        .ok_or_else(|| Error::invalid("url", "url is required; an empty one removes the webhook"))
}
