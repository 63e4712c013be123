//! What an orchestrator asks: alive, ready, and how much. The first two are open; the numbers of
//! `/metrics` tell about traffic, so they need a key. And the description of the API, which is the same everywhere and
//! open to every tool that reads such documents.

use actix_web::middleware::from_fn;
use actix_web::web::{self, Bytes, Data, ServiceConfig};
use actix_web::{HttpResponse, Responder};
use utoipa::OpenApi;

use crate::auth::require_key;
use crate::openapi::json;
use crate::problem::SeedProblemView;
use crate::state::ApiState;

/// Prometheus' text format.
const PROMETHEUS_TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";

pub(crate) fn configure(app: &mut ServiceConfig) {
    app.route("/healthz", web::get().to(alive))
        .route("/readyz", web::get().to(ready))
        .route("/openapi.json", web::get().to(describe))
        .service(
            web::resource("/metrics")
                .wrap(from_fn(require_key))
                .route(web::get().to(metrics)),
        );
}

/// The operations that are about the process.
#[derive(OpenApi)]
#[openapi(
    paths(alive, ready, metrics, describe),
    tags((name = "probes", description = "What an orchestrator asks."))
)]
struct Probes;

pub(crate) fn document() -> utoipa::openapi::OpenApi {
    Probes::openapi()
}

/// Says that the process lives.
#[utoipa::path(
    get,
    path = "/healthz",
    tag = "probes",
    security(()),
    responses((status = 200, description = "It lives", body = Object)),
)]
async fn alive() -> impl Responder {
    web::Json(serde_json::json!({ "status": "ok" }))
}

/// Says whether the process can do its work now.
#[utoipa::path(
    get,
    path = "/readyz",
    tag = "probes",
    security(()),
    responses(
        (status = 200, description = "It can", body = Object),
        (status = 503, description = "It cannot; the body says what is missing", body = Object),
    ),
)]
async fn ready(state: Data<ApiState>) -> impl Responder {
    match state.readiness.check().await {
        Ok(()) => {
            HttpResponse::Ok().json(serde_json::json!({ "status": "ok", "checks": { "storage": "ok" } }))
        }
        Err(reason) => HttpResponse::ServiceUnavailable()
            .json(serde_json::json!({ "status": "unavailable", "checks": { "storage": reason } })),
    }
}

/// Gives the metrics in Prometheus' text format.
#[utoipa::path(
    get,
    path = "/metrics",
    tag = "probes",
    responses(
        (status = 200, description = "The metrics", body = String, content_type = "text/plain"),
        (status = 401, description = "No key, or a wrong one", body = SeedProblemView),
        (status = 403, description = "The key is not for this", body = SeedProblemView),
    ),
)]
async fn metrics(state: Data<ApiState>) -> impl Responder {
    HttpResponse::Ok()
        .insert_header(("content-type", PROMETHEUS_TEXT))
        .body((state.metrics)())
}

/// Gives this document, to everybody.
#[utoipa::path(
    get,
    path = "/openapi.json",
    tag = "about",
    security(()),
    responses((status = 200, description = "OpenAPI 3.1", body = Object)),
)]
async fn describe() -> impl Responder {
    HttpResponse::Ok()
        .insert_header(("content-type", "application/json"))
        .insert_header(("cache-control", "no-cache"))
        .body(Bytes::from_static(json().as_bytes()))
}
