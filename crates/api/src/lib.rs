//! The HTTP surface of wagate: actix-web routes over the use cases of [`wagate_domain::Gateway`].
//!
//! [`configure`] mounts everything on any actix-web app; wrap that app in [`RequestIds`], so that every
//! response, also of what else it serves, carries `x-request-id`, and in [`close_unread`], so that a body without
//! end is not read for ever.

mod access;
mod auth;
mod causes;
mod cookie;
mod extract;
mod idempotency;
mod openapi;
mod origin;
mod peer;
mod probes;
mod problem;
mod qr;
mod query;
mod request_id;
mod routes;
mod seed;
mod state;
mod streams;
mod unread;
mod v1;

use actix_web::dev::HttpServiceFactory;
use actix_web::middleware::{DefaultHeaders, from_fn};
use actix_web::web::{self, Data, ServiceConfig};

pub use auth::ApiKeys;
pub use openapi::openapi;
pub use peer::TrustedProxies;
pub use request_id::RequestIds;
pub use state::{About, ApiState, DiskSpace, Readiness};
pub use streams::Streams;
pub use unread::close_unread;

/// Routes below `path` for those whom `/v1` lets in, by key or by cookie and then from pages of this host alone. For an
/// app that [`configure`] was called on.
pub fn signed_in_scope(path: &str, routes: impl FnOnce(&mut ServiceConfig)) -> impl HttpServiceFactory {
    web::scope(path)
        .wrap(from_fn(auth::require_caller))
        .wrap(from_fn(v1::as_problem_json))
        .wrap(DefaultHeaders::new().add(("cache-control", "no-store")))
        .configure(routes)
        .default_service(web::to(routes::no_route))
}

/// Mounts `/api/*`, `/v1/*`, `/openapi.json`, `/healthz`, `/readyz` and `/metrics`.
pub fn configure(state: ApiState) -> impl FnOnce(&mut ServiceConfig) + Clone {
    let state = Data::new(state);
    move |app: &mut ServiceConfig| {
        let max_body_bytes = state.max_body_bytes;
        app.app_data(state)
            .configure(probes::configure)
            .service(seed::scope(max_body_bytes))
            .service(v1::scope(max_body_bytes));
    }
}
