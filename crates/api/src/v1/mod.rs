//! `/v1`: everything as resources, by the rules of docs/API-DESIGN.md. One file per resource; each handler is
//! named like its use case and its operation.

mod api_key_view;
#[expect(
    unused_qualifications,
    reason = "the macro that describes operations writes them"
)]
mod api_keys;
mod chat_view;
#[expect(
    unused_qualifications,
    reason = "the macro that describes operations writes them"
)]
mod chats;
mod contact_view;
#[expect(
    unused_qualifications,
    reason = "the macro that describes operations writes them"
)]
mod contacts;
#[expect(
    unused_qualifications,
    reason = "the macro that describes operations writes them"
)]
mod deliveries;
mod delivery_view;
mod device_view;
#[expect(
    unused_qualifications,
    reason = "the macro that describes operations writes them"
)]
mod devices;
mod event_types;
#[expect(
    unused_qualifications,
    reason = "the macro that describes operations writes them"
)]
mod events;
mod extract;
mod fields;
mod group_view;
mod groups;
mod health;
mod job_view;
#[expect(
    unused_qualifications,
    reason = "the macro that describes operations writes them"
)]
mod jobs;
mod message_view;
#[expect(
    unused_qualifications,
    reason = "the macro that describes operations writes them"
)]
mod messages;
mod number_checks;
mod openapi;
mod problem;
mod session;
mod session_view;
mod settings;
mod sign_in;
mod sse;
#[expect(
    unused_qualifications,
    reason = "the macro that describes operations writes them"
)]
mod stream;
mod view;
mod webhook_body;
mod webhook_view;
#[expect(
    unused_qualifications,
    reason = "the macro that describes operations writes them"
)]
mod webhooks;
mod wording;
mod workspaces;

use actix_web::Resource;
use actix_web::dev::HttpServiceFactory;
use actix_web::middleware::{DefaultHeaders, from_fn};
use actix_web::web::{self, PayloadConfig, ServiceConfig};

pub(crate) use openapi::document;
pub(crate) use problem::as_problem_json;

use crate::auth::require_caller;
use crate::extract::BodyLimit;
use crate::routes::{no_route, only};

/// Largest body that somebody who is not known may send, in bytes.
const MAX_PUBLIC_BODY: usize = 16 * 1024;

/// All routes below `/v1`, behind the key or the cookie of somebody who is signed in.
pub(crate) fn scope(max_body_bytes: usize) -> impl HttpServiceFactory {
    web::scope("/v1")
        .app_data(PayloadConfig::new(max_body_bytes))
        .wrap(from_fn(require_caller))
        .wrap(from_fn(as_problem_json))
        // Messages and numbers of people are nothing for a cache.
        .wrap(DefaultHeaders::new().add(("cache-control", "no-store")))
        .configure(devices_and_sessions)
        .configure(directory)
        .configure(conversations)
        .configure(signing_in(max_body_bytes.min(MAX_PUBLIC_BODY)))
        .configure(events_and_messages)
        .configure(webhooks_and_deliveries)
        .configure(long_work)
        .configure(keys)
        .service(only(
            "/openapi.json",
            "GET",
            [web::get().to(openapi::get_openapi)],
        ))
        .default_service(web::to(no_route))
}

fn devices_and_sessions(scope: &mut ServiceConfig) {
    use devices::{create_device, delete_device, get_device, list_devices, update_device};
    use session::{log_out, pair_by_phone, reconnect_session, session_status, start_session};

    let one_device = [
        web::get().to(get_device),
        web::patch().to(update_device),
        web::delete().to(delete_device),
    ];
    scope
        .service(only(
            "/devices",
            "GET, POST",
            [web::get().to(list_devices), web::post().to(create_device)],
        ))
        .service(only("/devices/{device}", "GET, PATCH, DELETE", one_device))
        .service(only(
            "/devices/{device}/session",
            "GET",
            [web::get().to(session_status)],
        ))
        .service(only(
            "/devices/{device}/session/start",
            "POST",
            [web::post().to(start_session)],
        ))
        .service(only(
            "/devices/{device}/session/reconnect",
            "POST",
            [web::post().to(reconnect_session)],
        ))
        .service(only(
            "/devices/{device}/session/log-out",
            "POST",
            [web::post().to(log_out)],
        ))
        .service(only(
            "/devices/{device}/session/pair",
            "POST",
            [web::post().to(pair_by_phone)],
        ));
}

fn directory(scope: &mut ServiceConfig) {
    use groups::{get_group, list_groups};
    use workspaces::{delete_workspace, list_workspaces, rename_workspace};

    scope
        .service(only(
            "/devices/{device}/contacts",
            "GET",
            [web::get().to(contacts::list_contacts)],
        ))
        .service(only(
            "/devices/{device}/groups",
            "GET",
            [web::get().to(list_groups)],
        ))
        .service(only(
            "/devices/{device}/groups/{id}",
            "GET",
            [web::get().to(get_group)],
        ))
        .service(only("/workspaces", "GET", [web::get().to(list_workspaces)]))
        .service(only(
            "/workspaces/{workspace}",
            "PATCH, DELETE",
            [
                web::patch().to(rename_workspace),
                web::delete().to(delete_workspace),
            ],
        ))
        .service(only("/health", "GET", [web::get().to(health::get_health)]))
        .service(only(
            "/settings",
            "GET, PATCH",
            [
                web::get().to(settings::get_settings),
                web::patch().to(settings::update_settings),
            ],
        ));
}

fn conversations(scope: &mut ServiceConfig) {
    use chats::{chat_history, get_chat, list_chats, read_chat, set_typing};

    scope
        .service(only(
            "/devices/{device}/chats",
            "GET",
            [web::get().to(list_chats)],
        ))
        .service(only(
            "/devices/{device}/chats/{jid}",
            "GET",
            [web::get().to(get_chat)],
        ))
        .service(only(
            "/devices/{device}/chats/{jid}/messages",
            "GET",
            [web::get().to(chat_history)],
        ))
        .service(only(
            "/devices/{device}/chats/{jid}/read",
            "POST",
            [web::post().to(read_chat)],
        ))
        .service(only(
            "/devices/{device}/chats/{jid}/typing",
            "PUT",
            [web::put().to(set_typing)],
        ));
}

fn long_work(scope: &mut ServiceConfig) {
    use jobs::{cancel_job, get_job, list_job_results, list_jobs};

    scope
        .service(only(
            "/devices/{device}/number-checks",
            "POST",
            [web::post().to(number_checks::check_numbers)],
        ))
        .service(only("/jobs", "GET", [web::get().to(list_jobs)]))
        .service(only("/jobs/{id}", "GET", [web::get().to(get_job)]))
        .service(only(
            "/jobs/{id}/results",
            "GET",
            [web::get().to(list_job_results)],
        ))
        .service(only("/jobs/{id}/cancel", "POST", [web::post().to(cancel_job)]));
}

fn signing_in(max_body_bytes: usize) -> impl FnOnce(&mut ServiceConfig) {
    use sign_in::{setup, sign_in, sign_out, who_is};

    let small = move |resource: Resource| {
        resource
            .app_data(PayloadConfig::new(max_body_bytes))
            .app_data(BodyLimit(max_body_bytes))
    };
    let ways = [
        web::get().to(who_is),
        web::post().to(sign_in),
        web::delete().to(sign_out),
    ];
    move |scope| {
        scope
            .service(small(only("/sign-in", "GET, POST, DELETE", ways)))
            .service(small(only("/setup", "POST", [web::post().to(setup)])));
    }
}

fn keys(scope: &mut ServiceConfig) {
    use api_keys::{create_api_key, get_api_key, list_api_keys, revoke_api_key};

    scope
        .service(only(
            "/api-keys",
            "GET, POST",
            [web::get().to(list_api_keys), web::post().to(create_api_key)],
        ))
        .service(only(
            "/api-keys/{id}",
            "GET, DELETE",
            [web::get().to(get_api_key), web::delete().to(revoke_api_key)],
        ));
}

fn events_and_messages(scope: &mut ServiceConfig) {
    use messages::{get_message, list_messages, send_message};

    scope
        .service(only("/events", "GET", [web::get().to(events::list_events)]))
        .service(only(
            "/event-types",
            "GET",
            [web::get().to(event_types::list_event_types)],
        ))
        .service(only("/stream", "GET", [web::get().to(stream::open_stream)]))
        .service(only(
            "/devices/{device}/messages",
            "GET, POST",
            [web::get().to(list_messages), web::post().to(send_message)],
        ))
        .service(only(
            "/devices/{device}/messages/{id}",
            "GET",
            [web::get().to(get_message)],
        ));
}

fn webhooks_and_deliveries(scope: &mut ServiceConfig) {
    use deliveries::{get_delivery, list_deliveries, replay_deliveries, replay_delivery};
    use webhooks::{
        create_webhook, delete_webhook, get_webhook, list_webhooks, rotate_webhook_secret, test_webhook,
        update_webhook,
    };

    let one_webhook = [
        web::get().to(get_webhook),
        web::patch().to(update_webhook),
        web::delete().to(delete_webhook),
    ];
    scope
        .service(only(
            "/webhooks",
            "GET, POST",
            [web::get().to(list_webhooks), web::post().to(create_webhook)],
        ))
        .service(only("/webhooks/{id}", "GET, PATCH, DELETE", one_webhook))
        .service(only(
            "/webhooks/{id}/rotate-secret",
            "POST",
            [web::post().to(rotate_webhook_secret)],
        ))
        .service(only(
            "/webhooks/{id}/test",
            "POST",
            [web::post().to(test_webhook)],
        ))
        .service(only(
            "/webhooks/{id}/replay",
            "POST",
            [web::post().to(replay_deliveries)],
        ))
        .service(only("/deliveries", "GET", [web::get().to(list_deliveries)]))
        .service(only("/deliveries/{id}", "GET", [web::get().to(get_delivery)]))
        .service(only(
            "/deliveries/{id}/replay",
            "POST",
            [web::post().to(replay_delivery)],
        ));
}
