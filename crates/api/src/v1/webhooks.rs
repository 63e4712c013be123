//! `/v1/webhooks`: endpoints that receive events.

use actix_web::HttpResponse;
use actix_web::http::header::LOCATION;
use actix_web::web::{Data, Json};
use utoipa::IntoParams;
use wagate_domain::gateway::{NewWebhook, WebhookPatch};
use wagate_domain::model::{CursorQuery, SigningSecret, WebhookId};
use wagate_domain::{Error, Result};

use super::delivery_view::AttemptView;
use super::extract::{Body, Named, NoFields, NoQuery, Params};
use super::problem::{PROBLEM_JSON, ProblemView};
use super::view::PageView;
use super::webhook_body::{CreateWebhookBody, RotateSecretBody, UpdateWebhookBody};
use super::webhook_view::{SecretWebhookView, WebhookView};
use crate::problem::Problem;
use crate::query::QueryFields;
use crate::state::ApiState;

/// Which endpoints.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct WebhooksQuery {
    /// `next` of the page before.
    #[param(value_type = Option<String>)]
    after: Option<WebhookId>,
    /// Most endpoints on the page.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 200, default = 50)]
    limit: u32,
}

impl TryFrom<QueryFields> for WebhooksQuery {
    type Error = Error;

    fn try_from(query: QueryFields) -> Result<Self> {
        Ok(Self {
            after: query.read("after")?,
            limit: query.limit()?,
        })
    }
}

/// Makes an endpoint.
///
/// The answer shows its secret; nothing later does.
#[utoipa::path(
    post,
    path = "/v1/webhooks",
    tag = "webhooks",
    request_body = CreateWebhookBody,
    responses(
        (status = 201, description = "It receives events from now on", body = SecretWebhookView,
         headers(("Location" = String, description = "Where it is"))),
        (status = 404, description = "There is no such device", body = ProblemView, content_type = PROBLEM_JSON),
    ),
)]
pub(super) async fn create_webhook(
    state: Data<ApiState>,
    _: Params<NoQuery>,
    body: Body<CreateWebhookBody>,
) -> Result<HttpResponse, Problem> {
    let new = NewWebhook::try_from(body.0)?;
    let webhook = state
        .run(|gateway| async move { gateway.create_webhook(new).await })
        .await?;
    Ok(HttpResponse::Created()
        .insert_header((LOCATION, format!("/v1/webhooks/{}", webhook.id)))
        .json(SecretWebhookView::from(webhook)))
}

/// Lists endpoints.
///
/// The oldest first.
#[utoipa::path(
    get,
    path = "/v1/webhooks",
    tag = "webhooks",
    params(WebhooksQuery),
    responses((status = 200, description = "One page of endpoints", body = PageView<WebhookView>)),
)]
pub(super) async fn list_webhooks(
    state: Data<ApiState>,
    query: Params<WebhooksQuery>,
) -> Result<Json<PageView<WebhookView>>, Problem> {
    let query = CursorQuery::new(query.0.after, query.0.limit);
    let page = state.gateway.list_webhooks(query).await?;
    Ok(Json(PageView::new(page, WebhookView::from)))
}

/// Gives one endpoint.
#[utoipa::path(
    get,
    path = "/v1/webhooks/{id}",
    tag = "webhooks",
    params(("id" = String, Path, description = "The endpoint's id")),
    responses((status = 200, description = "The endpoint", body = WebhookView)),
)]
pub(super) async fn get_webhook(
    state: Data<ApiState>,
    id: Named<WebhookId>,
    _: Params<NoQuery>,
) -> Result<Json<WebhookView>, Problem> {
    Ok(Json(state.gateway.get_webhook(id.0).await?.into()))
}

/// Changes an endpoint.
#[utoipa::path(
    patch,
    path = "/v1/webhooks/{id}",
    tag = "webhooks",
    params(("id" = String, Path, description = "The endpoint's id")),
    request_body = UpdateWebhookBody,
    responses((status = 200, description = "As it is now", body = WebhookView)),
)]
pub(super) async fn update_webhook(
    state: Data<ApiState>,
    id: Named<WebhookId>,
    _: Params<NoQuery>,
    body: Body<UpdateWebhookBody>,
) -> Result<Json<WebhookView>, Problem> {
    let patch = WebhookPatch::try_from(body.0)?;
    let webhook = state
        .run(|gateway| async move { gateway.update_webhook(id.0, patch).await })
        .await?;
    Ok(Json(webhook.into()))
}

/// Removes an endpoint.
///
/// What is on its way there goes with it.
#[utoipa::path(
    delete,
    path = "/v1/webhooks/{id}",
    tag = "webhooks",
    params(("id" = String, Path, description = "The endpoint's id")),
    responses((status = 204, description = "It is gone")),
)]
pub(super) async fn delete_webhook(
    state: Data<ApiState>,
    id: Named<WebhookId>,
    _: Params<NoQuery>,
) -> Result<HttpResponse, Problem> {
    state
        .run(|gateway| async move { gateway.delete_webhook(id.0).await })
        .await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Gives an endpoint a new secret.
///
/// The former one signs beside it for 24 hours, unless configured, so that a receiver can change over.
#[utoipa::path(
    post,
    path = "/v1/webhooks/{id}/rotate-secret",
    tag = "webhooks",
    params(("id" = String, Path, description = "The endpoint's id")),
    request_body = RotateSecretBody,
    responses((status = 200, description = "The endpoint with its new secret", body = SecretWebhookView)),
)]
pub(super) async fn rotate_webhook_secret(
    state: Data<ApiState>,
    id: Named<WebhookId>,
    _: Params<NoQuery>,
    body: Body<RotateSecretBody>,
) -> Result<Json<SecretWebhookView>, Problem> {
    let secret: Option<SigningSecret> = body.0.try_into()?;
    let webhook = state
        .run(|gateway| async move { gateway.rotate_webhook_secret(id.0, secret).await })
        .await?;
    Ok(Json(webhook.into()))
}

/// Sends a made-up event to an endpoint.
///
/// Now, whatever its state. The answer says what came of it; also a failure is an answer. Nothing is kept.
#[utoipa::path(
    post,
    path = "/v1/webhooks/{id}/test",
    tag = "webhooks",
    params(("id" = String, Path, description = "The endpoint's id")),
    responses((status = 200, description = "What came of it", body = AttemptView)),
)]
pub(super) async fn test_webhook(
    state: Data<ApiState>,
    id: Named<WebhookId>,
    _: Params<NoQuery>,
    _: Body<NoFields>,
) -> Result<Json<AttemptView>, Problem> {
    let attempt = state
        .run(|gateway| async move { gateway.test_webhook(id.0).await })
        .await?;
    Ok(Json(attempt.into()))
}
