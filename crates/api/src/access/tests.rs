use std::collections::BTreeSet;

use utoipa::openapi::path::HttpMethod;

use super::*;
use crate::auth::is_public;
use crate::openapi::{openapi, operations};

/// Every operation that is described, which `tests/api/v1_openapi.rs` compares with what is routed.
fn described() -> BTreeSet<(String, String)> {
    let mut document = openapi();
    let name = |method| match method {
        HttpMethod::Get => "GET",
        HttpMethod::Post => "POST",
        HttpMethod::Put => "PUT",
        HttpMethod::Patch => "PATCH",
        HttpMethod::Delete => "DELETE",
        _ => panic!("a method that nobody expects"),
    };
    operations(&mut document)
        .map(|(path, method, _)| (name(method).to_owned(), path))
        .filter(|(_, path)| !matches!(path.as_str(), "/healthz" | "/readyz" | "/openapi.json"))
        .filter(|(method, path)| !is_public(method, path))
        .collect()
}

#[test]
fn every_operation_is_classed() {
    let classed: BTreeSet<_> = OPERATIONS
        .iter()
        .map(|(method, path, _)| ((*method).to_owned(), (*path).to_owned()))
        .collect();
    assert_eq!(classed.len(), OPERATIONS.len(), "one of them is there twice");
    assert_eq!(classed, described());
}

#[test]
fn what_is_about_a_device_says_where() {
    for (method, path, class) in OPERATIONS {
        let in_path = path.starts_with("/v1/devices/{device}");
        let by_path = matches!(class, Class::May(_, About::Path));
        assert_eq!(in_path, by_path, "{method} {path}");
        let by_input = matches!(class, Class::May(_, About::Input));
        assert!(!by_input || path.starts_with("/api/"), "{method} {path}");
    }
}

#[test]
fn paths_fit_their_own_pattern_alone() {
    for (pattern, path, fit) in [
        ("/v1/devices", "/v1/devices", true),
        ("/v1/devices", "/v1/devices/", false),
        ("/v1/devices/{device}", "/v1/devices/shop", true),
        ("/v1/devices/{device}", "/v1/devices/", false),
        ("/v1/devices/{device}", "/v1/devices/shop/session", false),
        ("/v1/devices/{device}/groups/{id}", "/v1/devices/a/groups/b", true),
        ("/v1/devices/{device}/groups/{id}", "/v1/devices/a/group/b", false),
    ] {
        assert_eq!(fits(pattern, path), fit, "{pattern} {path}");
    }
    assert_eq!(device_in("/v1/devices/shop/session"), Some("shop"));
    assert_eq!(device_in("/v1/webhooks/shop"), None);
}
