//! Problems in the reader's language.

use reqwest::Method;
use serde_json::Value;

use crate::answer::Answer;
use crate::support::TestApp;
use crate::v1_support::request;

async fn asked(app: &TestApp, language: &str, path: &str) -> Answer {
    let request = request(app, Method::GET, path).header("accept-language", language);
    app.call(request).await
}

#[tokio::test]
async fn a_problem_is_told_in_the_language_that_was_asked_for() {
    let app = TestApp::start();
    for (asked_for, given, title, detail) in [
        ("de, en;q=0.5", "en", "Not found", "device \"none\" not found"),
        (
            "id-ID",
            "id",
            "Tidak ditemukan",
            "perangkat \"none\" tidak ditemukan",
        ),
        (
            "pt",
            "pt-BR",
            "Não encontrado",
            "dispositivo \"none\" não encontrado",
        ),
        (
            "en;q=0.1, es-MX",
            "es",
            "No encontrado",
            "dispositivo \"none\" no encontrado",
        ),
    ] {
        let answer = asked(&app, asked_for, "/v1/devices/none").await;
        let problem = answer.json();
        assert_eq!(
            (&problem["title"], &problem["detail"]),
            (&title.into(), &detail.into())
        );
        assert_eq!(answer.verdict(), "404 device_not_found");
        assert_eq!(problem["type"], "/docs/problems/device_not_found");
        assert_eq!(answer.headers["content-language"], given);
        assert_eq!(answer.headers["vary"], "accept-language");
        assert_eq!(answer.headers["content-type"], "application/problem+json");
    }
}

#[tokio::test]
async fn a_reason_stays_in_it_and_the_older_surface_stays_as_it_is() {
    let app = TestApp::start();
    let wrong = asked(&app, "es", "/v1/devices?limit=0").await.json();
    let detail = wrong["detail"].as_str().unwrap();
    assert_eq!(wrong["title"], "Entrada no válida");
    assert_eq!(
        detail,
        "limit no se puede aceptar: limit must be a whole number from 1 to 200"
    );
    let seed = asked(&app, "es", "/api/status?token=none").await;
    assert_eq!(seed.json()["error"], "device \"none\" not found");
    assert!(!seed.headers.contains_key("content-language"));
    let fine = asked(&app, "es", "/v1/devices").await;
    assert_eq!(
        (fine.status.as_u16(), &fine.json()["data"]),
        (200, &Value::Array(vec![]))
    );
    assert!(!fine.headers.contains_key("content-language"));
}

#[tokio::test]
async fn whoever_is_not_let_in_is_told_so_in_their_language() {
    let app = TestApp::start();
    let bare = app
        .request_without_key(Method::GET, "/v1/devices")
        .header("accept-language", "id");
    let refused = app.call(bare).await;
    assert_eq!(refused.verdict(), "401 unauthenticated");
    assert_eq!(refused.json()["title"], "Tidak dikenal");
    assert_eq!(refused.headers["content-language"], "id");
}
