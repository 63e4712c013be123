//! The description of both surfaces in OpenAPI 3.1, put together from the annotated handlers.

use std::sync::LazyLock;

use utoipa::openapi::path::{HttpMethod, Operation, PathItem};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{ComponentsBuilder, InfoBuilder, LicenseBuilder, OpenApi, SecurityRequirement};

use crate::{cookie, probes, seed, v1};

const ABOUT: &str = "A WhatsApp HTTP gateway. `/v1` has resources and problems (RFC 9457); `/api` is the older \
                     surface. Every answer carries `x-request-id`.";

/// The description of everything that [`configure`](crate::configure) mounts.
pub fn openapi() -> OpenApi {
    let mut document = v1::document();
    document.merge(seed::document());
    document.merge(probes::document());
    document.info = InfoBuilder::new()
        .title("wagate")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(ABOUT))
        .license(Some(
            LicenseBuilder::new()
                .name("MIT OR Apache-2.0")
                .identifier(Some("MIT OR Apache-2.0"))
                .build(),
        ))
        .build();
    let schemes = ComponentsBuilder::new()
        .security_scheme("apikey", header("apikey"))
        .security_scheme("x_api_key", header("X-Api-Key"))
        .security_scheme("bearer", bearer())
        .security_scheme("session", session());
    let mut with_schemes = OpenApi::default();
    with_schemes.components = Some(schemes.build());
    document.merge(with_schemes);
    // Any one of them opens.
    let ways = ["apikey", "x_api_key", "bearer"];
    let requirement = |way| SecurityRequirement::new(way, [""; 0]);
    document.security = Some(ways.into_iter().map(requirement).collect());
    document
}

/// The same as text, written once.
pub(crate) fn json() -> &'static str {
    static JSON: LazyLock<String> = LazyLock::new(|| openapi().to_json().unwrap_or_default());
    &JSON
}

fn header(name: &str) -> SecurityScheme {
    SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::new(name)))
}

fn session() -> SecurityScheme {
    SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::new(cookie::NAME)))
}

fn bearer() -> SecurityScheme {
    SecurityScheme::Http(HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build())
}

/// Every operation with its path and method.
pub(crate) fn operations(
    document: &mut OpenApi,
) -> impl Iterator<Item = (String, HttpMethod, &mut Operation)> {
    let paths = document.paths.paths.iter_mut();
    paths.flat_map(|(path, item)| of_path(item).map(|(method, operation)| (path.clone(), method, operation)))
}

fn of_path(item: &mut PathItem) -> impl Iterator<Item = (HttpMethod, &mut Operation)> {
    let PathItem {
        get,
        post,
        put,
        patch,
        delete,
        ..
    } = item;
    [
        (HttpMethod::Get, get),
        (HttpMethod::Post, post),
        (HttpMethod::Put, put),
        (HttpMethod::Patch, patch),
        (HttpMethod::Delete, delete),
    ]
    .into_iter()
    .filter_map(|(method, operation)| Some((method, operation.as_mut()?)))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_operation_has_a_name_of_its_own_and_a_place() {
        let mut document = openapi();
        let mut names = BTreeSet::new();
        for (path, _, operation) in operations(&mut document) {
            let name = operation.operation_id.clone().unwrap();
            assert!(names.insert(name.clone()), "{name} twice");
            assert!(operation.summary.is_some(), "{name} says nothing");
            let documented = operation.responses.responses.len();
            let never_fails = ["/healthz", "/openapi.json"].contains(&path.as_str());
            assert!(documented >= 2 || never_fails, "{name} has no problems");
        }
        for name in [
            "send_message",
            "list_events",
            "replay_deliveries",
            "seed_send_message",
            "ready",
        ] {
            assert!(names.contains(name), "{name} is missing in {names:?}");
        }
    }

    #[test]
    fn references_lead_somewhere() {
        let document: serde_json::Value = serde_json::from_str(json()).unwrap();
        assert_eq!(document["openapi"], "3.1.0");
        let text = document.to_string();
        let names: Vec<&str> = text
            .split("\"$ref\":\"")
            .skip(1)
            .map(|rest| rest.split('"').next().unwrap())
            .collect();
        assert!(names.len() > 20);
        for name in names {
            let pointer = name.strip_prefix('#').unwrap();
            assert!(document.pointer(pointer).is_some(), "{name} leads nowhere");
        }
    }
}
