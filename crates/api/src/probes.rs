//! What an orchestrator asks: alive, ready, and how much. The first two are open; the numbers of
//! `/metrics` tell about traffic, so they need a key.

use actix_web::middleware::from_fn;
use actix_web::web::{self, Data, ServiceConfig};
use actix_web::{HttpResponse, Responder};
use serde_json::json;

use crate::auth::require_key;
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

async fn alive() -> impl Responder {
    web::Json(json!({ "status": "ok" }))
}

async fn ready(state: Data<ApiState>) -> impl Responder {
    match state.readiness.check().await {
        Ok(()) => HttpResponse::Ok().json(json!({ "status": "ok", "checks": { "storage": "ok" } })),
        Err(reason) => HttpResponse::ServiceUnavailable()
            .json(json!({ "status": "unavailable", "checks": { "storage": reason } })),
    }
}

async fn metrics(state: Data<ApiState>) -> impl Responder {
    HttpResponse::Ok()
        .insert_header(("content-type", PROMETHEUS_TEXT))
        .body((state.metrics)())
}
