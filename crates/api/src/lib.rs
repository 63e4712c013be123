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

use actix_web::web::{Data, ServiceConfig};

pub use auth::ApiKeys;
pub use openapi::openapi;
pub use peer::TrustedProxies;
pub use request_id::RequestIds;
pub use state::{About, ApiState, Readiness};
pub use streams::Streams;
pub use unread::close_unread;

/// Mounts `/api/*`, `/v1/*`, `/healthz`, `/readyz` and `/metrics`.
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
