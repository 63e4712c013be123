//! Signing in: the first admin, sessions of browsers, and who is not let in by a cookie.

use std::time::Duration;

use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use wagate_domain::model::{Account, KeyDigest, SessionToken, SignIn};
use wagate_domain::ports::Clock;
use wagate_domain::testing::FakeClock;

use crate::answer::{Answer, assert_answers};
use crate::support::{KEY, TestApp};

const PASSWORD: &str = "correct horse battery";
const DAY: Duration = Duration::from_hours(24);

/// A request of somebody who is not known.
fn bare(app: &TestApp, method: Method, path: &str) -> RequestBuilder {
    app.request_without_key(method, path)
        .header("x-request-id", "req_test")
}

async fn post(app: &TestApp, path: &str, body: Value) -> Answer {
    app.call(bare(app, Method::POST, path).json(&body)).await
}

async fn get(app: &TestApp, path: &str, cookie: &str) -> Answer {
    app.call(bare(app, Method::GET, path).header("cookie", cookie))
        .await
}

/// What makes the first admin, with a new code as the console shows it.
async fn setup_body(app: &TestApp) -> Value {
    let code = app.accounts.begin_setup().await.unwrap().unwrap();
    json!({ "code": code.reveal(), "name": "siti", "password": PASSWORD })
}

fn by_password(name: &str, password: &str) -> Value {
    json!({ "name": name, "password": password })
}

/// Name and value of the cookie in an answer.
fn cookie(answer: &Answer) -> String {
    let set = answer.headers["set-cookie"].to_str().unwrap();
    set.split(';').next().unwrap().to_owned()
}

/// The cookie of the first admin, who is made.
async fn set_up(app: &TestApp) -> String {
    let made = post(app, "/v1/setup", setup_body(app).await).await;
    assert_eq!(made.status, 201, "{made}");
    cookie(&made)
}

async fn signed_in(app: &TestApp) -> String {
    let answer = post(app, "/v1/sign-in", by_password("siti", PASSWORD)).await;
    assert_eq!(answer.status, 200, "{answer}");
    cookie(&answer)
}

#[tokio::test]
async fn the_first_admin_is_made_with_the_code_from_the_console() {
    let app = TestApp::start();
    let wrong = json!({ "code": "AAAA-AAAA-AAAA", "name": "siti", "password": PASSWORD });
    let right = setup_body(&app).await;
    let short = json!({ "code": right["code"], "name": "siti", "password": "too short" });
    let mut answers = vec![
        app.call(bare(&app, Method::GET, "/v1/sign-in")).await,
        post(&app, "/v1/setup", wrong).await,
        post(&app, "/v1/setup", short).await,
        post(&app, "/v1/setup", right.clone()).await,
    ];
    let cookie = cookie(&answers[3]);
    answers.push(get(&app, "/v1/sign-in", &cookie).await);
    answers.push(post(&app, "/v1/setup", right).await);
    assert_answers("v1_setup", &answers);
}

#[tokio::test]
async fn a_password_or_a_key_signs_in() {
    let app = TestApp::start();
    set_up(&app).await;
    let mut answers = vec![
        post(&app, "/v1/sign-in", by_password("siti", PASSWORD)).await,
        post(&app, "/v1/sign-in", by_password("siti", "wrong")).await,
        post(&app, "/v1/sign-in", by_password("budi", PASSWORD)).await,
        post(&app, "/v1/sign-in", json!({ "api_key": KEY })).await,
        post(&app, "/v1/sign-in", json!({ "api_key": "wrong" })).await,
        post(&app, "/v1/sign-in", json!({ "api_key": KEY, "name": "siti" })).await,
        post(&app, "/v1/sign-in", json!({})).await,
    ];
    answers.push(get(&app, "/v1/sign-in", &cookie(&answers[3])).await);
    assert_answers("v1_sign_in", &answers);
}

#[tokio::test]
async fn a_session_opens_v1_and_nothing_else() {
    let app = TestApp::start();
    let cookie = set_up(&app).await;
    for path in ["/v1/webhooks", "/v1/events", "/v1/deliveries", "/v1/openapi.json"] {
        assert_eq!(get(&app, path, &cookie).await.status, 200, "{path}");
    }
    assert_eq!(
        get(&app, "/v1/nowhere", &cookie).await.verdict(),
        "404 route_not_found"
    );
    let made = bare(&app, Method::POST, "/v1/webhooks")
        .header("cookie", &cookie)
        .header("sec-fetch-site", "same-origin")
        .json(&json!({ "url": "https://example.com/hook" }));
    assert_eq!(app.call(made).await.status, 201);
    for path in ["/api/devices", "/metrics"] {
        let refused = get(&app, path, &cookie).await;
        assert_eq!(refused.verdict(), "401 unauthenticated", "{path}");
    }
}

#[tokio::test]
async fn a_forged_cookie_is_nobodys() {
    let app = TestApp::start();
    set_up(&app).await;
    let other_key = SignIn {
        token: SessionToken::from_bytes([9; 32]).digest(),
        account: Account::ApiKey(KeyDigest([9; 32])),
        created_at: app.clock.now(),
        expires_at: app.clock.now() + DAY,
    };
    app.store.sign_ins().create(&other_key).await.unwrap();
    let digest = SessionToken::from_bytes(other_key.token.0).reveal();
    for forged in [
        "auth_session=admin".to_owned(),
        "wagate_session=admin".to_owned(),
        "wagate_session=".to_owned(),
        format!("wagate_session={KEY}"),
        format!("wagate_session={}", SessionToken::from_bytes([0x5a; 32]).reveal()),
        // Of a key that is none any more.
        format!("wagate_session={}", SessionToken::from_bytes([9; 32]).reveal()),
        // What the database holds is not what opens.
        format!("wagate_session={digest}"),
    ] {
        for path in ["/v1/webhooks", "/v1/events", "/v1/nowhere", "/api/devices"] {
            let refused = get(&app, path, &forged).await;
            assert_eq!(refused.verdict(), "401 unauthenticated", "{path} {forged}");
        }
        let account = get(&app, "/v1/sign-in", &forged).await.json();
        assert_eq!(
            account,
            json!({ "setup_required": false, "account": null, "network": "whatsapp" }),
            "{forged}"
        );
    }
}

#[tokio::test]
async fn with_a_cookie_a_change_comes_from_a_page_of_this_host() {
    let app = TestApp::start();
    let cookie = set_up(&app).await;
    let base = app.base().to_owned();
    let port = base.rsplit_once(':').unwrap().1.to_owned();
    let neighbour = format!("http://localhost:{port}");
    for (headers, admitted) in [
        (vec![("origin", base.as_str())], true),
        (vec![("sec-fetch-site", "same-origin")], true),
        (vec![], false),
        (vec![("origin", "null")], false),
        (vec![("origin", "http://evil.example")], false),
        (vec![("origin", "http://127.0.0.1:1")], false),
        (vec![("origin", neighbour.as_str())], false),
        (vec![("sec-fetch-site", "same-site")], false),
        (
            vec![("sec-fetch-site", "cross-site"), ("origin", base.as_str())],
            false,
        ),
        (
            vec![
                ("origin", "http://evil.example"),
                ("x-forwarded-host", "evil.example"),
            ],
            false,
        ),
    ] {
        for (method, path) in [
            (Method::POST, "/v1/webhooks/whk_00000000000000000000000000/test"),
            (Method::PATCH, "/v1/webhooks/whk_00000000000000000000000000"),
            (Method::DELETE, "/v1/webhooks/whk_00000000000000000000000000"),
        ] {
            let mut request = bare(&app, method, path).header("cookie", &cookie);
            for (name, value) in &headers {
                request = request.header(*name, *value);
            }
            let want = if admitted {
                "404 webhook_not_found"
            } else {
                "403 cross_origin"
            };
            assert_eq!(app.call(request).await.verdict(), want, "{headers:?}");
        }
        let with_key = app
            .request(Method::DELETE, "/v1/webhooks/whk_00000000000000000000000000")
            .header("cookie", &cookie)
            .headers(
                headers
                    .iter()
                    .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
                    .collect(),
            );
        assert_eq!(
            app.call(with_key).await.verdict(),
            "404 webhook_not_found",
            "a key needs no origin"
        );
    }
    let refused = bare(&app, Method::DELETE, "/v1/sign-in").header("cookie", &cookie);
    assert_answers("v1_cross_origin", &[app.call(refused).await]);
    assert_eq!(get(&app, "/v1/webhooks", &cookie).await.status, 200);
}

#[tokio::test]
async fn another_page_signs_nobody_in() {
    let app = TestApp::start();
    for (path, body) in [
        ("/v1/setup", setup_body(&app).await),
        ("/v1/sign-in", json!({ "api_key": KEY })),
    ] {
        let foreign = bare(&app, Method::POST, path)
            .header("origin", "http://evil.example")
            .json(&body);
        let refused = app.call(foreign).await;
        assert_eq!(refused.verdict(), "403 cross_origin", "{path}");
        assert!(!refused.headers.contains_key("set-cookie"));
    }
    let own = bare(&app, Method::POST, "/v1/sign-in")
        .header("origin", app.base())
        .json(&json!({ "api_key": KEY }));
    assert_eq!(app.call(own).await.status, 200);
}

#[tokio::test]
async fn guessing_has_to_wait() {
    let app = TestApp::start();
    set_up(&app).await;
    for _ in 0..5 {
        let wrong = post(&app, "/v1/sign-in", by_password("siti", "wrong")).await;
        assert_eq!(wrong.verdict(), "401 wrong_credentials");
    }
    app.clock.advance(Duration::from_millis(500));
    let waiting = post(&app, "/v1/sign-in", by_password("siti", PASSWORD)).await;
    assert_answers("v1_throttled", &[waiting]);
    app.clock.advance(Duration::from_mins(15));
    signed_in(&app).await;

    let app = TestApp::start();
    let right = setup_body(&app).await;
    for _ in 0..5 {
        let wrong = json!({ "code": "AAAA-AAAA-AAAA", "name": "siti", "password": PASSWORD });
        assert_eq!(
            post(&app, "/v1/setup", wrong).await.verdict(),
            "401 wrong_credentials"
        );
    }
    assert_eq!(post(&app, "/v1/setup", right).await.verdict(), "429 throttled");
}

#[tokio::test]
async fn a_session_lasts_as_long_as_it_is_used() {
    let app = TestApp::start();
    let (used, unused) = (set_up(&app).await, signed_in(&app).await);
    let early = get(&app, "/v1/webhooks", &used).await;
    assert!(!early.headers.contains_key("set-cookie"), "{early}");
    app.clock.advance(DAY);
    let renewed = get(&app, "/v1/webhooks", &used).await;
    assert_eq!(cookie(&renewed), used);
    assert!(
        renewed.headers["set-cookie"]
            .to_str()
            .unwrap()
            .contains("Max-Age=604800")
    );
    let again = get(&app, "/v1/webhooks", &used).await;
    assert!(!again.headers.contains_key("set-cookie"), "{again}");

    app.clock.set(FakeClock::START + 7 * DAY);
    assert_eq!(
        get(&app, "/v1/webhooks", &unused).await.verdict(),
        "401 unauthenticated"
    );
    let state = get(&app, "/v1/sign-in", &used).await;
    assert_eq!(state.json()["account"]["expires_at"], "2026-01-15T00:00:00.000Z");
    assert_eq!(cookie(&state), used);
}

#[tokio::test]
async fn signing_out_ends_one_session() {
    let app = TestApp::start();
    let (one, other) = (set_up(&app).await, signed_in(&app).await);
    app.clock.advance(DAY);
    let sign_out = |cookie: &str| {
        bare(&app, Method::DELETE, "/v1/sign-in")
            .header("cookie", cookie)
            .header("sec-fetch-site", "same-origin")
    };
    let ended = app.call(sign_out(&one)).await;
    assert_eq!(ended.headers.get_all("set-cookie").iter().count(), 1);
    assert_answers("v1_sign_out", &[ended, app.call(sign_out(&one)).await]);
    assert_eq!(
        get(&app, "/v1/webhooks", &one).await.verdict(),
        "401 unauthenticated"
    );
    assert_eq!(get(&app, "/v1/webhooks", &other).await.status, 200);
}

#[tokio::test]
async fn behind_a_trusted_proxy_the_cookie_is_kept_to_tls() {
    let app = TestApp::behind_proxy();
    let by_tls = |request: RequestBuilder| {
        request
            .header("x-forwarded-proto", "https")
            .header("x-forwarded-host", "wa.example.com")
    };
    let setup = by_tls(bare(&app, Method::POST, "/v1/setup")).json(&setup_body(&app).await);
    let made = app.call(setup).await;
    let set = made.headers["set-cookie"].to_str().unwrap().to_owned();
    assert!(
        set.starts_with("__Host-wagate_session=") && set.ends_with("; Secure"),
        "{set}"
    );
    let secure = cookie(&made);
    let plain = secure.trim_start_matches("__Host-").to_owned();
    for (cookie, tls, want) in [
        (&secure, true, 200),
        (&plain, true, 401),
        (&secure, false, 401),
        (&plain, false, 200),
    ] {
        let mut request = bare(&app, Method::GET, "/v1/webhooks").header("cookie", cookie);
        if tls {
            request = by_tls(request);
        }
        assert_eq!(app.call(request).await.status, want, "{cookie} {tls}");
    }
    for (origin, want) in [
        ("https://wa.example.com", "404 webhook_not_found"),
        ("http://wa.example.com", "403 cross_origin"),
        (app.base(), "403 cross_origin"),
    ] {
        let path = "/v1/webhooks/whk_00000000000000000000000000/test";
        let request = by_tls(bare(&app, Method::POST, path))
            .header("cookie", &secure)
            .header("origin", origin);
        assert_eq!(app.call(request).await.verdict(), want, "{origin}");
    }
}

#[tokio::test]
async fn behind_a_trusted_proxy_guesses_count_for_the_client() {
    let attempt = |app: &TestApp, client: &str, number: u32| {
        bare(app, Method::POST, "/v1/sign-in")
            .header("x-forwarded-for", format!("198.51.100.{number}, {client}"))
            .json(&by_password(&format!("guess {number}"), "wrong"))
    };
    let app = TestApp::behind_proxy();
    for number in 0..5 {
        app.call(attempt(&app, "203.0.113.1", number)).await;
    }
    for (client, want) in [
        ("203.0.113.1", "429 throttled"),
        ("203.0.113.2", "401 wrong_credentials"),
    ] {
        assert_eq!(
            app.call(attempt(&app, client, 9)).await.verdict(),
            want,
            "{client}"
        );
    }

    let app = TestApp::start();
    for number in 0..5 {
        app.call(attempt(&app, "203.0.113.1", number)).await;
    }
    let other = app.call(attempt(&app, "203.0.113.2", 9)).await;
    assert_eq!(
        other.verdict(),
        "429 throttled",
        "nobody is believed who is not trusted"
    );
}

#[tokio::test]
async fn a_database_that_is_away_signs_nobody_out() {
    let app = TestApp::start();
    let cookie = set_up(&app).await;
    app.store.close().await;
    for path in ["/v1/webhooks", "/v1/sign-in"] {
        let away = get(&app, path, &cookie).await;
        assert_eq!(away.verdict(), "503 database_unavailable", "{path}");
        assert!(!away.headers.contains_key("set-cookie"));
    }
}
