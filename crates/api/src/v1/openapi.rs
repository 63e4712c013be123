//! `/v1/openapi.json`, and what holds for all operations of `/v1`: the problems that each may answer with.

use actix_web::HttpResponse;
use actix_web::web::Bytes;
use utoipa::OpenApi;
use utoipa::openapi::path::{HttpMethod, Operation};
use utoipa::openapi::{ContentBuilder, Ref, Response, ResponseBuilder, SecurityRequirement};

use super::extract::{NoQuery, Params};
use super::problem::{PROBLEM_JSON, ProblemView};
use super::{
    api_keys, chats, contacts, deliveries, devices, event_types, events, groups, health, jobs, messages,
    number_checks, session, settings, sign_in, stream, webhooks, workspaces,
};
use crate::openapi::{json, operations};
use crate::problem::Problem;

/// What opens `/v1`, any one of them.
const WAYS_IN: [&str; 4] = ["apikey", "x_api_key", "bearer", "session"];

/// The operations of `/v1`.
#[derive(OpenApi)]
#[openapi(
    paths(
        devices::create_device,
        devices::list_devices,
        devices::get_device,
        devices::update_device,
        devices::delete_device,
        session::session_status,
        session::start_session,
        session::reconnect_session,
        session::log_out,
        session::pair_by_phone,
        contacts::list_contacts,
        groups::list_groups,
        groups::get_group,
        number_checks::check_numbers,
        workspaces::list_workspaces,
        workspaces::rename_workspace,
        workspaces::delete_workspace,
        sign_in::who_is,
        sign_in::setup,
        sign_in::sign_in,
        sign_in::sign_out,
        api_keys::create_api_key,
        api_keys::list_api_keys,
        api_keys::get_api_key,
        api_keys::revoke_api_key,
        events::list_events,
        event_types::list_event_types,
        stream::open_stream,
        messages::send_message,
        messages::list_messages,
        messages::get_message,
        chats::list_chats,
        chats::get_chat,
        chats::chat_history,
        chats::read_chat,
        chats::set_typing,
        webhooks::create_webhook,
        webhooks::list_webhooks,
        webhooks::get_webhook,
        webhooks::update_webhook,
        webhooks::delete_webhook,
        webhooks::rotate_webhook_secret,
        webhooks::test_webhook,
        deliveries::replay_deliveries,
        deliveries::list_deliveries,
        deliveries::get_delivery,
        deliveries::replay_delivery,
        jobs::list_jobs,
        jobs::get_job,
        jobs::list_job_results,
        jobs::cancel_job,
        health::get_health,
        settings::get_settings,
        settings::update_settings,
        get_openapi,
    ),
    components(schemas(ProblemView)),
    tags(
        (name = "devices", description = "The numbers that are linked, and those that wait to be."),
        (name = "sessions", description = "What a device's session is doing, and telling it what to do."),
        (name = "directory", description = "The people and groups that an account knows."),
        (name = "sign-in", description = "Browsers that are signed in."),
        (name = "api keys", description = "What programs call with."),
        (name = "events", description = "The log of what happened."),
        (name = "messages", description = "Sending, and what became of it."),
        (name = "chats", description = "Conversations, and what was said in them."),
        (name = "webhooks", description = "Endpoints that receive events."),
        (name = "deliveries", description = "What was sent to endpoints."),
        (name = "jobs", description = "Long work: how far it has come, and what it found."),
        (name = "about", description = "The gateway itself, and this document."),
    )
)]
struct V1Api;

/// Gives this document.
#[utoipa::path(
    get,
    path = "/v1/openapi.json",
    tag = "about",
    responses((status = 200, description = "OpenAPI 3.1", body = Object)),
)]
pub(super) async fn get_openapi(_: Params<NoQuery>) -> Result<HttpResponse, Problem> {
    Ok(HttpResponse::Ok()
        .content_type("application/json")
        .body(Bytes::from_static(json().as_bytes())))
}

/// The operations of `/v1`, each with every problem that it may answer with.
pub(crate) fn document() -> utoipa::openapi::OpenApi {
    let mut document = V1Api::openapi();
    for (path, method, operation) in operations(&mut document) {
        let public = operation.security.is_some();
        if !public {
            operation.security = Some(WAYS_IN.map(|way| SecurityRequirement::new(way, [""; 0])).into());
        }
        let mut problems = problems(&path, operation);
        if !public {
            problems.push(("401", "No key and no session, or a wrong one"));
        }
        match (public, method != HttpMethod::Get) {
            (false, true) => problems.push((
                "403",
                "A request of another page, with the cookie of this one; or the key is not for this",
            )),
            (false, false) => problems.push(("403", "The key is not for this")),
            (true, true) => problems.push(("403", "A request of another page")),
            (true, false) => {}
        }
        for (status, description) in problems {
            let responses = &mut operation.responses.responses;
            responses
                .entry(status.into())
                .or_insert_with(|| problem(description).into());
        }
    }
    document
}

fn problems(path: &str, operation: &Operation) -> Vec<(&'static str, &'static str)> {
    let mut problems = vec![
        ("422", "Something in the request is wrong; the problem says what"),
        ("500", "Our fault; the log has the request id"),
        (
            "503",
            "Something we need is out of reach: come back after `Retry-After` seconds",
        ),
    ];
    if path.contains('{') {
        problems.push(("404", "There is no such thing"));
    }
    if operation.request_body.is_some() {
        problems.push(("413", "The body is too large"));
        problems.push(("415", "The body is not JSON"));
    }
    problems
}

fn problem(description: &str) -> Response {
    let schema = Ref::from_schema_name("Problem");
    ResponseBuilder::new()
        .description(description)
        .content(PROBLEM_JSON, ContentBuilder::new().schema(Some(schema)).build())
        .build()
}
