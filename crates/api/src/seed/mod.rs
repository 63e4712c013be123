//! The seed's endpoints: `/api/*`, thin and exact. One file per endpoint, named like its path; each
//! handler is named like its use case.

mod contacts;
mod device;
mod devices;
mod go_time;
mod groups;
mod logout;
mod openapi;
mod pair;
mod qrcode;
mod reconnect;
mod send;
mod start;
mod status;
mod webhook;
mod workspace;
mod workspaces;

use actix_web::dev::HttpServiceFactory;
use actix_web::middleware::{DefaultHeaders, from_fn};
use actix_web::web::{self, PayloadConfig};

pub(crate) use openapi::document;

use crate::auth::require_key;
use crate::routes::{both, no_route, only};

/// All routes below `/api`, behind the key.
pub(crate) fn scope(max_body_bytes: usize) -> impl HttpServiceFactory {
    web::scope("/api")
        .app_data(PayloadConfig::new(max_body_bytes))
        // Codes to scan and numbers of people are nothing for a cache.
        .wrap(DefaultHeaders::new().add(("cache-control", "no-store")))
        .wrap(from_fn(require_key))
        .service(only("/start", "POST", [web::post().to(start::start_session)]))
        .service(only("/qrcode", "GET, POST", both(qrcode::pairing_qr)))
        .service(only("/pair", "POST", [web::post().to(pair::pair_by_phone)]))
        .service(only("/status", "GET, POST", both(status::session_status)))
        .service(only("/send", "POST", [web::post().to(send::send_message)]))
        .service(only("/contacts", "GET", [web::get().to(contacts::list_contacts)]))
        .service(only("/groups", "GET", [web::get().to(groups::list_groups)]))
        .service(only("/logout", "POST", [web::post().to(logout::log_out)]))
        .service(only(
            "/reconnect",
            "POST",
            [web::post().to(reconnect::reconnect_session)],
        ))
        .service(only("/devices", "GET", [web::get().to(devices::list_devices)]))
        .service(only(
            "/device",
            "DELETE",
            [web::delete().to(device::delete_device)],
        ))
        .service(only("/webhook", "POST", [web::post().to(webhook::set_webhook)]))
        .service(only(
            "/workspace",
            "POST",
            [web::post().to(workspace::assign_workspace)],
        ))
        .service(only(
            "/workspaces",
            "GET",
            [web::get().to(workspaces::list_workspaces)],
        ))
        .default_service(web::to(no_route))
}
