//! How the files are served: pages that are always asked for again, files that never change, and what browsers may do
//! with both.

use std::fmt::Write;

use actix_web::http::header::{self, HeaderValue};
use actix_web::web::{self, Path, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse, Route};

use crate::files::{self, Asset};

/// Addresses of screens. The UI reads them itself, so each is answered with the same page.
const PAGES: [&str; 12] = [
    "/",
    "/devices",
    "/devices/{tail:.*}",
    "/webhooks",
    "/webhooks/{tail:.*}",
    "/events",
    "/health",
    "/docs",
    "/phones",
    "/workspaces",
    "/api-keys",
    "/settings",
];

/// Files beside the page whose names never change.
const PLAIN_FILES: [&str; 2] = ["favicon.svg", "theme.js"];

/// Nothing from elsewhere, and nothing inline: what a contact calls itself can never become code. Pictures may be made
/// on the spot: codes to scan, and previews of files.
const CONTENT_SECURITY_POLICY: &str = "default-src 'self'; img-src 'self' data: blob:; object-src 'none'; \
     base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// The name has the content's hash in it.
const FOREVER: &str = "public, max-age=31536000, immutable";

/// Kept, but asked for again each time: usually the answer is that nothing changed.
const ASK_AGAIN: &str = "no-cache";

pub(crate) fn configure(config: &mut ServiceConfig) {
    let both = |resource: &str, get: fn() -> Route, head: fn() -> Route| {
        web::resource(resource).route(get()).route(head())
    };
    for page in PAGES {
        config.service(both(page, || web::get().to(index), || web::head().to(index)));
    }
    for name in PLAIN_FILES {
        config.service(both(name, || web::get().to(plain), || web::head().to(plain)));
    }
    config.service(both(
        "/assets/{name}",
        || web::get().to(hashed),
        || web::head().to(hashed),
    ));
}

async fn index(request: HttpRequest) -> HttpResponse {
    serve(&request, "index.html", ASK_AGAIN)
}

async fn plain(request: HttpRequest) -> HttpResponse {
    serve(&request, request.path().trim_start_matches('/'), ASK_AGAIN)
}

async fn hashed(request: HttpRequest, name: Path<String>) -> HttpResponse {
    serve(&request, &format!("assets/{name}"), FOREVER)
}

fn serve(request: &HttpRequest, name: &str, cache: &'static str) -> HttpResponse {
    let Some(asset) = files::find(name, takes_gzip(request)) else {
        return HttpResponse::NotFound().finish();
    };
    let tag = tag(&asset);
    let mut response = if knows(request, &tag) {
        HttpResponse::NotModified()
    } else {
        HttpResponse::Ok()
    };
    response
        .insert_header((header::CONTENT_TYPE, content_type(name)))
        .insert_header((header::CACHE_CONTROL, cache))
        .insert_header((header::ETAG, tag.clone()))
        .insert_header((header::VARY, "accept-encoding"))
        .insert_header((header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header((header::REFERRER_POLICY, "same-origin"));
    if asset.packed {
        response.insert_header((header::CONTENT_ENCODING, "gzip"));
    }
    if knows(request, &tag) {
        return response.finish();
    }
    response.body(asset.bytes.data.into_owned())
}

/// Names the bytes.
fn tag(asset: &Asset) -> String {
    let mut tag = String::from("\"");
    for byte in asset.bytes.metadata.sha256_hash().iter().take(16) {
        // Writing to a String cannot fail.
        let _ = write!(tag, "{byte:02x}");
    }
    tag.push('"');
    tag
}

fn knows(request: &HttpRequest, tag: &str) -> bool {
    words(request.headers().get(header::IF_NONE_MATCH))
        .any(|known| known == "*" || known.trim_start_matches("W/") == tag)
}

fn takes_gzip(request: &HttpRequest) -> bool {
    words(request.headers().get(header::ACCEPT_ENCODING)).any(|coding| {
        let mut parts = coding.split(';').map(str::trim);
        let named = parts.next().is_some_and(|name| name.eq_ignore_ascii_case("gzip"));
        let refused = parts.any(|weight| {
            weight
                .strip_prefix("q=")
                .is_some_and(|weight| weight.parse::<f32>().is_ok_and(|weight| weight <= 0.0))
        });
        named && !refused
    })
}

/// What a header lists between its commas.
fn words(value: Option<&HeaderValue>) -> impl Iterator<Item = &str> {
    let text = value.and_then(|value| value.to_str().ok()).unwrap_or_default();
    text.split(',').map(str::trim)
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests;
