//! The dashboard: a web UI that talks to `/v1` like any client, built from `ui/` and embedded. It knows only HTTP.

mod files;
mod serve;
mod swagger;

use actix_web::web::ServiceConfig;

/// Whether the whole UI is embedded, and not the plain page that stands in for it.
pub const COMPLETE: bool = files::COMPLETE;

/// Adds the pages of the UI and the files that they are made of.
pub fn configure(config: &mut ServiceConfig) {
    serve::configure(config);
    swagger::configure(config);
}
