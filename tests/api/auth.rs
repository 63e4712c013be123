//! Who is let in.

use reqwest::Method;

use crate::answer::assert_answers;
use crate::endpoints::ENDPOINTS;
use crate::support::{KEY, MAX_BODY_BYTES, TestApp};

#[tokio::test]
async fn every_endpoint_needs_the_key() {
    let app = TestApp::start();
    for (method, path, _) in ENDPOINTS {
        let bare = app.call(app.request_without_key(method.clone(), path)).await;
        assert_eq!(bare.verdict(), "401 unauthenticated", "{bare}");
        let wrong = app
            .call(app.request_without_key(method, path).header("apikey", "wrong"))
            .await;
        assert_eq!(wrong.verdict(), "401 unauthenticated", "{wrong}");
    }
    let answer = app
        .call(app.request_without_key(Method::GET, "/api/devices"))
        .await;
    assert_answers("unauthenticated", &[answer]);
}

#[tokio::test]
async fn the_key_comes_in_any_of_three_headers() {
    let app = TestApp::start();
    let bearer = format!("bearer {KEY}");
    for (name, value, admitted) in [
        ("apikey", KEY, true),
        ("X-Api-Key", KEY, true),
        ("Authorization", bearer.as_str(), true),
        ("Authorization", KEY, false),
        ("Authorization", "Basic dGVzdC1rZXk=", false),
        ("apikey", "", false),
        ("apikey", "Test-Key", false),
    ] {
        let answer = app
            .call(
                app.request_without_key(Method::GET, "/api/devices")
                    .header(name, value),
            )
            .await;
        assert_eq!(answer.status == 200, admitted, "{name}: {value}");
    }
}

#[tokio::test]
async fn the_key_is_looked_at_before_anything_else() {
    let app = TestApp::start();
    for body in ["{".to_owned(), "x".repeat(MAX_BODY_BYTES + 1)] {
        let answer = app
            .call(app.request_without_key(Method::POST, "/api/send").body(body))
            .await;
        assert_eq!(answer.verdict(), "401 unauthenticated");
    }
    let nowhere = app
        .call(app.request_without_key(Method::GET, "/api/nowhere"))
        .await;
    assert_eq!(nowhere.verdict(), "401 unauthenticated");
}
