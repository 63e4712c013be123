//! The page at `/`: plain HTML that says what this is and where to go on. It knows only HTTP.

use actix_web::{HttpResponse, web};

const PAGE: &str = include_str!("page.html");

/// Adds the page.
pub fn configure(config: &mut web::ServiceConfig) {
    config.route("/", web::get().to(page));
}

async fn page() -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/html; charset=utf-8")
        .insert_header((
            "content-security-policy",
            "default-src 'none'; style-src 'self'; img-src data:",
        ))
        .insert_header(("x-content-type-options", "nosniff"))
        .body(PAGE)
}
