//! `/v1/api-keys`: what programs call with. Only who may do everything makes keys: a key never makes a greater one.

use actix_web::HttpResponse;
use actix_web::http::header::LOCATION;
use actix_web::web::{Data, Json};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use wagate_domain::accounts::NewApiKey;
use wagate_domain::model::{ApiKeyId, ApiKeyName, CursorQuery, KeyReach, KeyScope, Token, WorkspaceName};
use wagate_domain::{Error, Gateway, Result};

use super::api_key_view::{ApiKeyView, IssuedKeyView};
use super::extract::{Body, Named, NoQuery, Params};
use super::fields::{required, scope_words};
use super::problem::{PROBLEM_JSON, ProblemView};
use super::view::PageView;
use crate::extract::{Field, text, under};
use crate::problem::Problem;
use crate::query::QueryFields;
use crate::state::ApiState;

/// Which keys.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct ApiKeysQuery {
    /// `next` of the page before.
    #[param(value_type = Option<String>)]
    after: Option<ApiKeyId>,
    /// Most keys on the page.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 200, default = 50)]
    limit: u32,
}

impl TryFrom<QueryFields> for ApiKeysQuery {
    type Error = Error;

    fn try_from(query: QueryFields) -> Result<Self> {
        Ok(Self {
            after: query.read("after")?,
            limit: query.limit()?,
        })
    }
}

/// A key to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CreateApiKey)]
pub(super) struct CreateApiKeyBody {
    /// What people will call it: 1 to 64 characters.
    #[schema(value_type = String)]
    name: Field,
    /// What it may do: `["all"]`, or some of `read`, `send` and `manage`.
    #[schema(value_type = Vec<String>, example = json!(["read", "send"]))]
    scope: Field,
    /// Only on the device with this token. The key is for this very device, whatever is called so later.
    #[schema(value_type = Option<String>)]
    device: Field,
    /// Only on devices in this workspace.
    #[schema(value_type = Option<String>)]
    workspace: Field,
}

/// What a key is to be for.
enum Wanted {
    Everything,
    Device(Token),
    Workspace(WorkspaceName),
}

impl Wanted {
    fn read(device: Field, workspace: Field) -> Result<Self> {
        match (text("device", device)?, text("workspace", workspace)?) {
            (None, None) => Ok(Self::Everything),
            (Some(token), None) => token
                .parse()
                .map(Self::Device)
                .map_err(|error| under("device", error)),
            (None, Some(name)) => name.parse().map(Self::Workspace),
            (Some(_), Some(_)) => Err(Error::invalid(
                "device",
                "device and workspace cannot both be given",
            )),
        }
    }

    async fn reach(self, gateway: &Gateway) -> Result<KeyReach> {
        Ok(match self {
            Self::Everything => KeyReach::Everything,
            Self::Device(token) => KeyReach::Device(gateway.get_device(&token).await?.device.id),
            Self::Workspace(name) => KeyReach::Workspace(name),
        })
    }
}

/// Makes a key.
///
/// The answer shows it; nothing later does. A key for one device or workspace opens what names it: below
/// `/v1/devices/{device}`, events and the stream with `device`, and in `/api` what has its token; one for a workspace
/// also lists devices with `workspace`.
#[utoipa::path(
    post,
    path = "/v1/api-keys",
    tag = "api keys",
    request_body = CreateApiKeyBody,
    responses(
        (status = 201, description = "It opens from now on", body = IssuedKeyView,
         headers(("Location" = String, description = "Where it is"))),
        (status = 404, description = "There is no such device", body = ProblemView, content_type = PROBLEM_JSON),
    ),
)]
pub(super) async fn create_api_key(
    state: Data<ApiState>,
    _: Params<NoQuery>,
    body: Body<CreateApiKeyBody>,
) -> Result<HttpResponse, Problem> {
    let body = body.0;
    let name: ApiKeyName = required("name", body.name)?.parse()?;
    let words = scope_words(body.scope)?;
    let reach = Wanted::read(body.device, body.workspace)?
        .reach(&state.gateway)
        .await?;
    let scope = KeyScope::parse(&words, reach)?;
    let issued = state
        .run_accounts(|accounts| async move { accounts.create_api_key(NewApiKey { name, scope }).await })
        .await?;
    Ok(HttpResponse::Created()
        .insert_header((LOCATION, format!("/v1/api-keys/{}", issued.key.id)))
        .json(IssuedKeyView::from(issued)))
}

/// Lists keys.
///
/// The newest first. The key of the configuration, or of the first start, is not among them.
#[utoipa::path(
    get,
    path = "/v1/api-keys",
    tag = "api keys",
    params(ApiKeysQuery),
    responses((status = 200, description = "One page of keys", body = PageView<ApiKeyView>)),
)]
pub(super) async fn list_api_keys(
    state: Data<ApiState>,
    query: Params<ApiKeysQuery>,
) -> Result<Json<PageView<ApiKeyView>>, Problem> {
    let query = CursorQuery::new(query.0.after, query.0.limit);
    let page = state.accounts.list_api_keys(query);
    Ok(Json(PageView::new(page, ApiKeyView::from)))
}

/// Gives one key, without the key.
#[utoipa::path(
    get,
    path = "/v1/api-keys/{id}",
    tag = "api keys",
    params(("id" = String, Path, description = "The key's id")),
    responses((status = 200, description = "The key", body = ApiKeyView)),
)]
pub(super) async fn get_api_key(
    state: Data<ApiState>,
    id: Named<ApiKeyId>,
    _: Params<NoQuery>,
) -> Result<Json<ApiKeyView>, Problem> {
    Ok(Json(state.accounts.get_api_key(id.0)?.into()))
}

/// Revokes a key.
///
/// It opens nothing any more, at once: sessions that it opened and its streams end.
#[utoipa::path(
    delete,
    path = "/v1/api-keys/{id}",
    tag = "api keys",
    params(("id" = String, Path, description = "The key's id")),
    responses((status = 204, description = "It is gone")),
)]
pub(super) async fn revoke_api_key(
    state: Data<ApiState>,
    id: Named<ApiKeyId>,
    _: Params<NoQuery>,
) -> Result<HttpResponse, Problem> {
    state
        .run_accounts(|accounts| async move { accounts.revoke_api_key(id.0).await })
        .await?;
    Ok(HttpResponse::NoContent().finish())
}
