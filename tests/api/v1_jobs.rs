//! Long work: checking numbers, following a replay, and stopping either.

use reqwest::Method;
use serde_json::{Value, json};
use wagate_domain::model::{DeliveryOutcome, EndpointVerdict};

use crate::answer::Answer;
use crate::support::TestApp;
use crate::v1_support::{get, post, receive, settle};

const CHECKS: &str = "/v1/devices/shop/number-checks";

/// Begins a check and returns the address of its job.
async fn check(app: &TestApp, numbers: Value) -> String {
    let begun = post(app, CHECKS, json!({ "numbers": numbers })).await;
    assert_eq!(begun.status, 202, "{begun}");
    let location = begun.headers["location"].to_str().unwrap().to_owned();
    assert_eq!(
        location,
        format!("/v1/jobs/{}", begun.json()["id"].as_str().unwrap())
    );
    location
}

/// The job once it is over.
async fn over(app: &TestApp, job: &str) -> Value {
    loop {
        let now = get(app, job).await.json();
        if now["state"] != "running" {
            return now;
        }
    }
}

#[tokio::test]
async fn a_check_says_of_every_number_what_it_is() {
    let app = TestApp::start();
    app.paired("shop").await;
    app.driver.not_on_whatsapp("628111111112");
    app.driver.known_as("5511987654321", "551187654321");
    let given = json!(["0811-1111-111", "+62 811 1111 112", "hello", "+55 11 98765-4321"]);
    let job = check(&app, given).await;
    let done = over(&app, &job).await;
    assert_eq!(
        done,
        json!({
            "id": job.trim_start_matches("/v1/jobs/"),
            "kind": "number_check",
            "state": "done",
            "done": 4,
            "total": 4,
            "device": "shop",
            "webhook": null,
            "started_at": "2026-01-01T00:00:00.000Z",
            "ended_at": "2026-01-01T00:00:00.000Z",
            "results": format!("{job}/results"),
            "failure": null,
        })
    );
    let results = get(&app, &format!("{job}/results")).await.json();
    let line = |number: &str, phone: &str, jid: Option<&str>| {
        json!({
            "number": number,
            "phone": phone,
            "jid": jid,
            "registered": jid.is_some(),
            "problem": null,
        })
    };
    let lines = results["data"].as_array().unwrap();
    assert_eq!(
        lines[0],
        line(
            "0811-1111-111",
            "628111111111",
            Some("628111111111@s.whatsapp.net")
        )
    );
    assert_eq!(lines[1], line("+62 811 1111 112", "628111111112", None));
    assert_eq!(
        (&lines[2]["number"], &lines[2]["registered"], &lines[2]["phone"]),
        (&json!("hello"), &Value::Null, &Value::Null)
    );
    assert_eq!(lines[2]["problem"]["code"], "invalid_phone");
    assert_eq!(
        lines[3],
        line(
            "+55 11 98765-4321",
            "5511987654321",
            Some("551187654321@s.whatsapp.net")
        )
    );

    let first = get(&app, &format!("{job}/results?limit=3")).await.json();
    assert_eq!(
        (first["data"].as_array().unwrap().len(), &first["next"]),
        (3, &json!("3"))
    );
    let second = get(&app, &format!("{job}/results?limit=3&after=3")).await.json();
    assert_eq!(second, json!({ "data": [lines[3]], "next": null }));
    let listed = get(&app, "/v1/jobs?device=shop").await.json();
    assert_eq!(listed, json!({ "data": [done], "next": null }));
}

#[tokio::test]
async fn what_cannot_be_checked_is_refused() {
    let app = TestApp::start();
    let checked = async |body: Value| post(&app, CHECKS, body).await.verdict();
    assert_eq!(
        checked(json!({ "numbers": ["628111111111"] })).await,
        "404 device_not_found"
    );
    let session = app.paired("shop").await;
    for body in [
        json!({}),
        json!({ "numbers": [] }),
        json!({ "numbers": "628111111111" }),
        json!({ "numbers": [628_111_111_111_u64] }),
    ] {
        assert_eq!(checked(body).await, "422 invalid_numbers");
    }
    session.hold_lookups();
    let job = check(&app, json!(["628111111111"])).await;
    assert_eq!(
        checked(json!({ "numbers": ["628111111112"] })).await,
        "409 number_check_in_progress"
    );
    let cancelled = post(&app, &format!("{job}/cancel"), json!({})).await;
    assert_eq!(
        (cancelled.status.as_u16(), &cancelled.json()["state"]),
        (200, &json!("cancelled"))
    );
    session.drop_connection().await;
    assert_eq!(
        checked(json!({ "numbers": ["628111111112"] })).await,
        "409 session_not_connected"
    );
    let no_line = format!("{job}/results?after=-1");
    for (path, verdict) in [
        ("/v1/jobs?device=nobody", "404 device_not_found"),
        ("/v1/jobs?after=job_1", "422 invalid_after"),
        ("/v1/jobs?webhook=1", "422 invalid_webhook"),
        ("/v1/jobs/1", "404 job_not_found"),
        (&*no_line, "422 invalid_after"),
    ] {
        assert_eq!(get(&app, path).await.verdict(), verdict, "{path}");
    }
}

#[tokio::test]
async fn a_check_that_loses_its_session_says_why() {
    let app = TestApp::start();
    let session = app.paired("shop").await;
    session.hold_lookups();
    let job = check(&app, json!(["628111111111"])).await;
    session.lookup_waiting().await;
    session.drop_connection().await;
    session.release_lookups();
    let failed = over(&app, &job).await;
    assert_eq!((&failed["state"], &failed["done"]), (&json!("failed"), &json!(0)));
    assert_eq!(failed["failure"]["code"], "session_not_connected");
    let spanish = app
        .request(Method::GET, &job)
        .header("accept-language", "es")
        .header("x-request-id", "req_test");
    let spanish = app.call(spanish).await.json();
    assert_ne!(spanish["failure"]["detail"], failed["failure"]["detail"]);
    let results = get(&app, &format!("{job}/results")).await.json();
    assert_eq!(results["data"][0]["registered"], Value::Null);
}

#[tokio::test]
async fn a_replay_is_a_job() {
    let app = TestApp::start();
    let session = app.paired("shop").await;
    let made = post(&app, "/v1/webhooks", json!({ "url": "https://example.com/" })).await;
    let webhook = made.json()["id"].as_str().unwrap().to_owned();
    receive(&app, &session, "3EB001", "Hello").await;
    let dead = DeliveryOutcome::Dead {
        error: "answered 500".into(),
        endpoint: EndpointVerdict::Sound,
    };
    assert_eq!(settle(&app, dead).await, 1);
    app.clock.advance(std::time::Duration::from_secs(1));
    let replay = async || {
        let body = json!({ "since": "2026-01-01T00:00:00Z" });
        let answer = post(&app, &format!("/v1/webhooks/{webhook}/replay"), body).await;
        assert_eq!(
            (answer.status.as_u16(), &answer.json()["replayed"]),
            (202, &json!(1))
        );
        format!("/v1/jobs/{}", answer.json()["job"].as_str().unwrap())
    };
    let job = replay().await;
    let begun = get(&app, &job).await.json();
    assert_eq!(
        (&begun["kind"], &begun["state"]),
        (&json!("webhook_replay"), &json!("running"))
    );
    assert_eq!(
        (&begun["webhook"], &begun["device"]),
        (&json!(webhook), &Value::Null)
    );
    assert_eq!((&begun["done"], &begun["total"]), (&json!(0), &json!(1)));
    let cancelled = post(&app, &format!("{job}/cancel"), json!({})).await.json();
    assert_eq!(
        (&cancelled["state"], &cancelled["done"]),
        (&json!("cancelled"), &json!(0))
    );
    let deliveries = get(&app, "/v1/deliveries").await.json();
    assert_eq!(
        deliveries["data"][0]["status"], "dead",
        "it can be asked for again"
    );

    app.clock.advance(std::time::Duration::from_secs(1));
    let job = replay().await;
    assert_eq!(settle(&app, DeliveryOutcome::Delivered).await, 1);
    while get(&app, &job).await.json()["state"] == "running" {
        app.clock.advance(std::time::Duration::from_millis(500));
    }
    let done = get(&app, &job).await.json();
    assert_eq!((&done["state"], &done["done"]), (&json!("done"), &json!(1)));
    let listed = get(&app, &format!("/v1/jobs?webhook={webhook}&limit=1"))
        .await
        .json();
    assert_eq!(listed["data"], json!([done]));
    assert!(listed["next"].is_string());
}

#[tokio::test]
async fn a_key_for_one_device_sees_its_jobs_alone() {
    let app = TestApp::start();
    app.paired("shop").await;
    app.paired("other").await;
    let issue = async |device: &str, scope: Value| {
        let body = json!({ "name": device, "scope": scope, "device": device });
        let made = post(&app, "/v1/api-keys", body).await.json();
        made["key"].as_str().unwrap().to_owned()
    };
    let own = issue("shop", json!(["read", "send"])).await;
    let reader = issue("shop", json!(["read"])).await;
    let other = issue("other", json!(["read", "send", "manage"])).await;
    let ask = async |key: &str, method: Method, path: &str| -> Answer {
        let request = app.request_without_key(method, path);
        app.call(request.header("apikey", key).header("x-request-id", "req_test"))
            .await
    };
    let job = check(&app, json!(["628111111111"])).await;
    over(&app, &job).await;
    for path in [&*job, &*format!("{job}/results"), "/v1/jobs?device=shop"] {
        assert_eq!(ask(&own, Method::GET, path).await.status, 200, "{path}");
        let refused = ask(&other, Method::GET, path).await;
        assert_eq!(refused.verdict(), "403 scope_missing", "{path}");
    }
    assert_eq!(
        ask(&own, Method::GET, "/v1/jobs").await.verdict(),
        "403 scope_missing",
        "it has to name its device"
    );
    let cancel = format!("{job}/cancel");
    assert_eq!(ask(&own, Method::POST, &cancel).await.status, 200);
    for key in [&reader, &other] {
        let refused = ask(key, Method::POST, &cancel).await;
        assert_eq!(refused.verdict(), "403 scope_missing");
    }
}
