//! What an orchestrator asks: alive, ready, and how much. The first two are open; the numbers of
//! `/metrics` tell about traffic, so they need a key.

use actix_web::middleware::from_fn;
use actix_web::web::{self, Data, ServiceConfig};
use actix_web::{HttpResponse, Responder};
use serde_json::json;
use utoipa::OpenApi;

use crate::auth::require_key;
use crate::problem::SeedProblemView;
use crate::state::ApiState;

/// Prometheus' text format.
const PROMETHEUS_TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";

pub(crate) fn configure(app: &mut ServiceConfig) {
    app.route("/healthz", web::get().to(alive))
        .route("/readyz", web::get().to(ready))
        .service(
            web::resource("/metrics")
                .wrap(from_fn(require_key))
                .route(web::get().to(metrics)),
        );
}

/// The operations that are about the process.
#[derive(OpenApi)]
#[openapi(
    paths(alive, ready, metrics),
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
    web::Json(json!({ "status": "ok" }))
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
        Ok(()) => HttpResponse::Ok().json(json!({ "status": "ok", "checks": { "storage": "ok" } })),
        Err(reason) => HttpResponse::ServiceUnavailable()
            .json(json!({ "status": "unavailable", "checks": { "storage": reason } })),
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
