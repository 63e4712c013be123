//! What holds for all operations of `/api`: where the token stands, and the errors.

use serde_json::{Value, json};
use utoipa::OpenApi;
use utoipa::openapi::path::{HttpMethod, Operation, Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::{ContentBuilder, ObjectBuilder, Ref, RefOr, Required, ResponseBuilder, Type};

use super::{
    contacts, device, devices, groups, logout, pair, qrcode, reconnect, send, start, status, webhook,
    workspace, workspaces,
};
use crate::openapi::operations;
use crate::problem::SeedProblemView;

/// The operations of `/api`.
#[derive(OpenApi)]
#[openapi(
    paths(
        start::start_session,
        qrcode::pairing_qr,
        pair::pair_by_phone,
        status::session_status,
        send::send_message,
        contacts::list_contacts,
        groups::list_groups,
        logout::log_out,
        reconnect::reconnect_session,
        devices::list_devices,
        device::delete_device,
        webhook::set_webhook,
        workspace::assign_workspace,
        workspaces::list_workspaces,
    ),
    components(schemas(SeedProblemView)),
    tags((name = "seed", description = "The older surface: thirteen endpoints and pairing by phone."))
)]
struct SeedApi;

/// Operations that are about all devices.
const NOT_ABOUT_A_DEVICE: [&str; 2] = ["/api/devices", "/api/workspaces"];

/// The operations of `/api`, named apart from those of `/v1`.
pub(crate) fn document() -> utoipa::openapi::OpenApi {
    let mut document = SeedApi::openapi();
    for (path, method, operation) in operations(&mut document) {
        operation.operation_id = operation
            .operation_id
            .take()
            .map(|name| named(&name, &path, &method));
        let about_device = !NOT_ABOUT_A_DEVICE.contains(&path.as_str());
        if about_device {
            operation.parameters.get_or_insert_default().push(token().into());
        }
        if method == HttpMethod::Post
            && let Some(example) = example(&path)
        {
            add_example(operation, example);
        }
        add_problems(operation, about_device);
    }
    document
}

/// Two of them take both methods.
fn named(name: &str, path: &str, method: &HttpMethod) -> String {
    let both = matches!(path, "/api/qrcode" | "/api/status");
    match method {
        HttpMethod::Post if both => format!("seed_{name}_by_post"),
        _ => format!("seed_{name}"),
    }
}

/// What a body may look like; the token stands in it.
fn example(path: &str) -> Option<Value> {
    Some(match path {
        "/api/start" => json!({ "token": "my-token", "reject_call": "Y", "reject_message": "Busy" }),
        "/api/qrcode" | "/api/status" => json!({ "token": "my-token" }),
        "/api/pair" => json!({ "token": "my-token", "phone": "628123456789" }),
        "/api/send" => json!({ "token": "my-token", "phone": "628123456789", "message": "Hello World" }),
        "/api/webhook" => json!({ "token": "my-token", "url": "https://your-webhook.com/endpoint" }),
        "/api/workspace" => json!({ "token": "my-token", "workspace": "Marketing" }),
        _ => return None,
    })
}

/// Where nothing but the token is said, the body may be left out.
fn add_example(operation: &mut Operation, example: Value) {
    let body = operation.request_body.get_or_insert_with(|| {
        let schema = ObjectBuilder::new().property("token", ObjectBuilder::new().schema_type(Type::String));
        let content = ContentBuilder::new().schema(Some(schema)).build();
        let body = RequestBodyBuilder::new()
            .content("application/json", content)
            .required(Some(Required::False));
        RefOr::T(body.build())
    });
    if let RefOr::T(body) = body
        && let Some(RefOr::T(content)) = body.content.get_mut("application/json")
    {
        content.example = Some(example);
    }
}

fn token() -> Parameter {
    ParameterBuilder::new()
        .name("token")
        .parameter_in(ParameterIn::Query)
        .required(Required::False)
        .description(Some(
            "The device. It may stand in the JSON body instead, but has to be there.",
        ))
        .schema(Some(ObjectBuilder::new().schema_type(Type::String)))
        .example(Some(json!("my-token")))
        .build()
}

fn add_problems(operation: &mut Operation, about_device: bool) {
    let mut problems = vec![
        ("400", "Something in the request is wrong"),
        ("401", "No key, or a wrong one"),
        ("403", "The key is not for this"),
        ("500", "Our fault; the log has the request id"),
        (
            "503",
            "Something we need is out of reach: come back after `Retry-After` seconds",
        ),
    ];
    if about_device {
        problems.extend([
            ("404", "There is no such device"),
            ("409", "Not possible as the session is now"),
            ("413", "The body, or the file, is too large"),
            (
                "422",
                "WhatsApp refused it, or the idempotency key was used for another request",
            ),
            ("504", "No answer in time: it may or may not have happened"),
        ]);
    }
    for (status, description) in problems {
        let content = ContentBuilder::new().schema(Some(Ref::from_schema_name("SeedProblem")));
        let response = ResponseBuilder::new()
            .description(description)
            .content("application/json", content.build());
        operation
            .responses
            .responses
            .insert(status.into(), response.build().into());
    }
}
