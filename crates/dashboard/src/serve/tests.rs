use actix_web::dev::ServiceResponse;
use actix_web::http::{Method, StatusCode};
use actix_web::test::{TestRequest, call_service, init_service, read_body};
use actix_web::{App, web};

use super::*;

async fn ask(request: TestRequest) -> ServiceResponse {
    let app = App::new()
        .configure(configure)
        .default_service(web::to(HttpResponse::NotFound));
    call_service(&init_service(app).await, request.to_request()).await
}

async fn get(path: &str) -> ServiceResponse {
    ask(TestRequest::get().uri(path)).await
}

fn value<'a>(response: &'a ServiceResponse, name: &str) -> &'a str {
    response
        .headers()
        .get(name)
        .map_or("", |value| value.to_str().unwrap())
}

#[actix_web::test]
async fn every_screen_is_the_same_page() {
    let page = read_body(get("/").await).await;
    assert!(page.starts_with(b"<!doctype html>"));
    for path in [
        "/devices",
        "/devices/my.token@1/send",
        "/webhooks/whk_1",
        "/events",
        "/health?x=1",
        "/workspaces",
        "/api-keys?after=key_1",
        "/settings",
    ] {
        let response = get(path).await;
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        assert_eq!(read_body(response).await, page, "{path}");
    }
}

#[actix_web::test]
async fn what_is_no_screen_is_not_found() {
    for path in [
        "/device",
        "/nothing",
        "/assets/nothing.js",
        "/assets/../index.html",
        "/assets/",
    ] {
        assert_eq!(get(path).await.status(), StatusCode::NOT_FOUND, "{path}");
    }
}

#[actix_web::test]
async fn pages_allow_nothing_from_elsewhere_and_nothing_inline() {
    let response = get("/").await;
    let policy = value(&response, "content-security-policy");
    assert!(
        policy.starts_with("default-src 'self'; img-src 'self' data: blob:;"),
        "{policy}"
    );
    assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
    assert!(!policy.contains("unsafe"), "{policy}");
    assert_eq!(value(&response, "x-content-type-options"), "nosniff");
    assert_eq!(value(&response, "referrer-policy"), "same-origin");
    let page = read_body(response).await;
    let page = str::from_utf8(&page).unwrap();
    for inline in ["<script>", "<style", " style=", " onclick="] {
        assert!(!page.contains(inline), "{inline} does not run under the policy");
    }
}

#[actix_web::test]
async fn pages_are_asked_for_again_and_answered_shortly() {
    let first = get("/devices").await;
    assert_eq!(value(&first, "cache-control"), "no-cache");
    let tag = value(&first, "etag").to_owned();
    let again = ask(TestRequest::get().uri("/").insert_header(("if-none-match", tag))).await;
    assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
    assert!(read_body(again).await.is_empty());
    let other = ask(TestRequest::get()
        .uri("/")
        .insert_header(("if-none-match", "\"other\"")))
    .await;
    assert_eq!(other.status(), StatusCode::OK);
}

#[actix_web::test]
async fn head_is_answered_like_get() {
    let response = ask(TestRequest::default().method(Method::HEAD).uri("/")).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(value(&response, "content-type"), "text/html; charset=utf-8");
}

#[test]
fn the_page_is_there_and_with_the_ui_its_parts_are() {
    let names: Vec<String> = files::names().collect();
    assert!(names.iter().any(|name| name == "index.html"));
    assert_eq!(
        names.iter().any(|name| name.starts_with("assets/")),
        crate::COMPLETE
    );
    for name in PLAIN_FILES {
        assert_eq!(names.iter().any(|have| have == name), crate::COMPLETE, "{name}");
    }
}

/// With the plain page alone there is nothing to look at here.
#[actix_web::test]
async fn files_with_a_hash_are_kept_forever_and_come_packed() {
    for name in
        files::names().filter(|name| name.starts_with("assets/") && name.rsplit('.').next() != Some("gz"))
    {
        let response = get(&format!("/{name}")).await;
        assert_eq!(response.status(), StatusCode::OK, "{name}");
        assert_eq!(value(&response, "cache-control"), FOREVER);
        assert_eq!(value(&response, "content-encoding"), "");
        assert_ne!(
            value(&response, "content-type"),
            "application/octet-stream",
            "{name}"
        );
        let plain = read_body(response).await;
        let packed = ask(TestRequest::get()
            .uri(&format!("/{name}"))
            .insert_header(("accept-encoding", "br, gzip")))
        .await;
        if files::names().any(|other| other == format!("{name}.gz")) {
            assert_eq!(value(&packed, "content-encoding"), "gzip");
            assert!(read_body(packed).await.len() < plain.len(), "{name}");
        } else {
            assert_eq!(read_body(packed).await, plain, "{name}");
        }
    }
}

#[test]
fn gzip_is_sent_to_those_who_take_it() {
    let takes = |coding: &'static str| {
        takes_gzip(
            &TestRequest::default()
                .insert_header(("accept-encoding", coding))
                .to_http_request(),
        )
    };
    assert!(takes("gzip"));
    assert!(takes("deflate, GZIP;q=0.5"));
    assert!(!takes("gzip;q=0"));
    assert!(!takes("br"));
    assert!(!takes(""));
}
