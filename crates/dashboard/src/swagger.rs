//! Swagger UI at `/swagger-ui/`, over the gateway's own `/openapi.json`. Its files are compiled in, and it asks nobody
//! but this gateway.

use std::sync::{Arc, LazyLock};

use actix_web::http::header;
use actix_web::web::{self, Path, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use utoipa_swagger_ui::Config;

const INDEX: &str = "index.html";

/// As on all pages, but for the styles that it writes into elements itself.
const CONTENT_SECURITY_POLICY: &str = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
     object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// Kept, but asked for again when it is an hour old: the names do not change with the version.
const AN_HOUR: &str = "public, max-age=3600";

/// Without the validator, which is a service elsewhere.
static CONFIG: LazyLock<Arc<Config<'static>>> = LazyLock::new(|| {
    let config = Config::from("/openapi.json")
        .validator_url("none")
        .deep_linking(true)
        .display_request_duration(true)
        .doc_expansion("none")
        .filter(true);
    Arc::new(config)
});

pub(crate) fn configure(config: &mut ServiceConfig) {
    config
        .service(web::redirect("/swagger-ui", "/swagger-ui/"))
        .service(
            web::resource("/swagger-ui/{name:[A-Za-z0-9._-]*}")
                .route(web::get().to(file))
                .route(web::head().to(file)),
        );
}

async fn file(request: HttpRequest, name: Path<String>) -> HttpResponse {
    let name = if name.is_empty() { INDEX } else { name.as_str() };
    let found = match utoipa_swagger_ui::serve(name, CONFIG.clone()) {
        Ok(Some(found)) => found,
        Ok(None) => return HttpResponse::NotFound().finish(),
        Err(_) => return HttpResponse::InternalServerError().finish(),
    };
    let mut response = HttpResponse::Ok();
    response
        .insert_header((header::CONTENT_TYPE, found.content_type))
        .insert_header((header::CACHE_CONTROL, AN_HOUR))
        .insert_header((header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header((header::REFERRER_POLICY, "same-origin"));
    // They are packed when they are compiled in, and there is no other form: every browser takes it.
    if found.gzpipped {
        response.insert_header((header::CONTENT_ENCODING, "gzip"));
    }
    if request.method() == actix_web::http::Method::HEAD {
        return response.finish();
    }
    response.body(found.bytes.into_owned())
}

#[cfg(test)]
mod tests {
    use actix_web::App;
    use actix_web::http::StatusCode;
    use actix_web::test::{TestRequest, call_service, init_service, read_body};

    use super::*;

    async fn get(path: &str) -> (StatusCode, header::HeaderMap, Vec<u8>) {
        let app = init_service(App::new().configure(configure)).await;
        let response = call_service(&app, TestRequest::get().uri(path).to_request()).await;
        let (status, headers) = (response.status(), response.headers().clone());
        (status, headers, read_body(response).await.to_vec())
    }

    fn value<'a>(headers: &'a header::HeaderMap, name: &str) -> &'a str {
        headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    #[actix_web::test]
    async fn its_page_and_parts_are_here() {
        for (path, kind) in [
            ("/swagger-ui/", "text/html"),
            ("/swagger-ui/index.html", "text/html"),
            ("/swagger-ui/swagger-ui.css", "text/css"),
            ("/swagger-ui/index.css", "text/css"),
            ("/swagger-ui/swagger-ui-bundle.js", "text/javascript"),
            ("/swagger-ui/swagger-ui-standalone-preset.js", "text/javascript"),
            ("/swagger-ui/swagger-initializer.js", "text/javascript"),
        ] {
            let (status, headers, body) = get(path).await;
            assert_eq!(status, StatusCode::OK, "{path}");
            assert_eq!(value(&headers, "content-type"), kind, "{path}");
            let policy = value(&headers, "content-security-policy");
            assert!(policy.starts_with("default-src 'self';") && !policy.contains("script-src"));
            assert!(!body.is_empty(), "{path}");
        }
        assert_eq!(get("/swagger-ui").await.0, StatusCode::TEMPORARY_REDIRECT);
        for path in ["/swagger-ui/nothing.js", "/swagger-ui/../Cargo.toml"] {
            assert_eq!(get(path).await.0, StatusCode::NOT_FOUND, "{path}");
        }
    }

    #[actix_web::test]
    async fn it_describes_this_gateway_and_asks_nobody_else() {
        let (_, headers, body) = get("/swagger-ui/swagger-initializer.js").await;
        assert!(!headers.contains_key(header::CONTENT_ENCODING));
        let text = String::from_utf8(body).unwrap();
        assert!(text.contains(r#""url": "/openapi.json""#), "{text}");
        assert!(text.contains(r#""validatorUrl": "none""#), "{text}");
        assert!(!text.contains("http"), "{text}");
    }
}
