//! The media hosts as clients use them: tickets, tokens, resumed uploads, ranges and failures on demand.
#![expect(clippy::unwrap_used, reason = "a test may fail")]

mod support;

use reqwest::{Response, StatusCode, header};
use serde_json::{Value, json};
use support::{ANNA, Running, start, start_with};
use wa_sim::Settings;
use wa_sim::fault::{FaultKind, FaultSpec};
use wa_sim::ledger::Direction;
use wa_sim::media::token_of;

/// As large as the files for which clients ask whether an upload can go on.
const LARGE: usize = 5 * 1024 * 1024;

fn upload_url(sim: &Running, token: &str, more: &str) -> String {
    let auth = sim.media.auth_for(ANNA);
    sim.url(&format!("/mms/image/{token}?auth={auth}&token={token}{more}"))
}

async fn upload(sim: &Running, token: &str, more: &str, body: Vec<u8>) -> (StatusCode, Value) {
    let reply = sim
        .http
        .post(upload_url(sim, token, more))
        .body(body)
        .send()
        .await
        .unwrap();
    (reply.status(), reply.json().await.unwrap_or_default())
}

async fn download(sim: &Running, path: &str, range: Option<&str>) -> Response {
    let mut request = sim.http.get(sim.url(path));
    if let Some(range) = range {
        request = request.header(header::RANGE, range);
    }
    request.send().await.unwrap()
}

fn bytes(len: usize) -> Vec<u8> {
    (0..len).map(|at| u8::try_from(at * 31 % 251).unwrap()).collect()
}

fn media_fault() -> FaultSpec {
    FaultSpec {
        count: Some(1),
        ..FaultSpec::new(FaultKind::Media)
    }
}

#[tokio::test]
async fn what_goes_up_comes_down() {
    let sim = start().await;
    let file = bytes(1000);
    let token = token_of(&file);
    let (status, stored) = upload(&sim, &token, "", file.clone()).await;
    assert_eq!(status, StatusCode::OK, "{stored}");
    let path = stored["direct_path"].as_str().unwrap();
    assert!(!path.contains('?'));
    assert_eq!(stored["url"], format!("https://{}{path}", sim.address));

    for query in ["", "?auth=x&token=y", "&hash=z&mms-type=image"] {
        let reply = download(&sim, &format!("{path}{query}"), None).await;
        assert_eq!(reply.status(), StatusCode::OK, "{query}");
        assert_eq!(reply.bytes().await.unwrap(), file, "{query}");
    }
    // The address that was handed out works as it stands.
    let reply = sim
        .http
        .get(stored["url"].as_str().unwrap())
        .send()
        .await
        .unwrap();
    assert_eq!(reply.bytes().await.unwrap(), file);
    assert!(sim.ledger.violations().is_empty());
    sim.stop().await.unwrap();
}

#[tokio::test]
async fn an_upload_needs_a_ticket_and_the_right_token() {
    let sim = start().await;
    let file = bytes(10);
    let token = token_of(&file);
    let path = format!("/mms/image/{token}?auth=stranger&token={token}");
    let reply = sim
        .http
        .post(sim.url(&path))
        .body(file.clone())
        .send()
        .await
        .unwrap();
    assert_eq!(reply.status(), StatusCode::UNAUTHORIZED);
    assert!(
        sim.ledger.violations().is_empty(),
        "an outdated ticket is no mistake"
    );

    let other = token_of(b"other");
    let (status, refused) = upload(&sim, &other, "", file.clone()).await;
    assert_eq!(status, StatusCode::BAD_REQUEST, "{refused}");
    let astray = upload_url(&sim, &token, "").replace(&format!("/{token}?"), &format!("/{other}?"));
    let reply = sim.http.post(astray).body(file).send().await.unwrap();
    assert_eq!(reply.status(), StatusCode::BAD_REQUEST);
    assert_eq!(sim.ledger.violations().len(), 2);
    sim.stop().await.unwrap();
}

#[tokio::test]
async fn a_file_beyond_the_limit_is_refused() {
    let sim = start_with(Settings {
        max_media_bytes: 99,
        ..Settings::default()
    })
    .await;
    let file = bytes(100);
    let (status, _) = upload(&sim, &token_of(&file), "", file).await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
    sim.stop().await.unwrap();
}

#[tokio::test]
async fn a_cut_upload_goes_on_where_it_stopped() {
    let sim = start().await;
    let file = bytes(LARGE);
    let token = token_of(&file);
    let (_, progress) = upload(&sim, &token, "&resume=1", Vec::new()).await;
    assert_eq!(progress, json!({ "resume": "0" }));

    sim.faults.add(FaultSpec {
        cut: true,
        ..media_fault()
    });
    let (_, progress) = upload(&sim, &token, "&resume=1", Vec::new()).await;
    assert_eq!(
        progress,
        json!({ "resume": "0" }),
        "the question alone spends no fault"
    );
    let cut = sim
        .http
        .post(upload_url(&sim, &token, ""))
        .body(file.clone())
        .send()
        .await;
    assert!(cut.is_err());

    let (_, progress) = upload(&sim, &token, "&resume=1", Vec::new()).await;
    let half = LARGE / 2;
    assert_eq!(progress, json!({ "resume": half.to_string() }));
    let (status, _) = upload(
        &sim,
        &token,
        &format!("&file_offset={}", half + 1),
        file[half + 1..].to_vec(),
    )
    .await;
    assert_eq!(status, StatusCode::BAD_REQUEST, "a gap is refused");
    let (status, stored) = upload(
        &sim,
        &token,
        &format!("&file_offset={half}"),
        file[half..].to_vec(),
    )
    .await;
    assert_eq!(status, StatusCode::OK, "{stored}");

    let (_, progress) = upload(&sim, &token, "&resume=1", Vec::new()).await;
    assert_eq!(
        (&progress["resume"], &progress["url"]),
        (&json!("complete"), &stored["url"])
    );
    let reply = download(&sim, stored["direct_path"].as_str().unwrap(), None).await;
    assert_eq!(reply.bytes().await.unwrap(), file);
    sim.stop().await.unwrap();
}

#[tokio::test]
async fn ranges_are_served() {
    let sim = start().await;
    let file = bytes(100);
    let path = sim.media.put("document", &file);
    let part = download(&sim, &path, Some("bytes=10-19")).await;
    assert_eq!(part.status(), StatusCode::PARTIAL_CONTENT);
    assert_eq!(part.headers()[header::CONTENT_RANGE], "bytes 10-19/100");
    assert_eq!(part.bytes().await.unwrap(), file[10..20]);
    let beyond = download(&sim, &path, Some("bytes=100-")).await;
    assert_eq!(beyond.status(), StatusCode::RANGE_NOT_SATISFIABLE);
    assert_eq!(beyond.headers()[header::CONTENT_RANGE], "bytes */100");
    sim.stop().await.unwrap();
}

#[tokio::test]
async fn media_hosts_fail_on_demand_and_recover() {
    let sim = start().await;
    let file = bytes(4000);
    let path = sim.media.put("video", &file);
    for code in [401, 404, 410, 503] {
        sim.faults.add(FaultSpec {
            code: Some(code),
            direction: Some(Direction::ToClient),
            ..media_fault()
        });
        assert_eq!(
            u32::from(download(&sim, &path, None).await.status().as_u16()),
            code
        );
    }
    sim.faults.add(FaultSpec {
        cut: true,
        ..media_fault()
    });
    let cut = download(&sim, &path, None).await;
    assert_eq!(cut.headers()[header::CONTENT_LENGTH], "4000");
    assert!(cut.bytes().await.is_err());
    assert_eq!(download(&sim, &path, None).await.bytes().await.unwrap(), file);

    sim.faults.add(FaultSpec {
        code: Some(507),
        phone: Some(ANNA.into()),
        ..media_fault()
    });
    assert_eq!(
        download(&sim, &path, None).await.status(),
        StatusCode::OK,
        "nobody's download is not Anna's"
    );
    let (status, _) = upload(&sim, &token_of(&file), "", file).await;
    assert_eq!(status.as_u16(), 507);
    sim.stop().await.unwrap();
}

#[tokio::test]
async fn an_expired_ticket_is_refused_until_a_new_one_is_fetched() {
    let sim = start().await;
    let file = bytes(10);
    let token = token_of(&file);
    let stale = upload_url(&sim, &token, "");
    sim.media.expire_auth();
    let reply = sim.http.post(stale).body(file.clone()).send().await.unwrap();
    assert_eq!(reply.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(upload(&sim, &token, "", file).await.0, StatusCode::OK);
    sim.stop().await.unwrap();
}

#[tokio::test]
async fn pictures_are_served_in_the_clear_and_strangers_get_404() {
    let sim = start().await;
    let path = sim.media.put("pic", b"\xff\xd8\xff\xe0 simulated jpeg");
    let picture = download(&sim, &path, None).await;
    assert_eq!(picture.headers()[header::CONTENT_TYPE], "image/jpeg");
    assert_eq!(
        download(&sim, "/v/image/nothing.enc", None).await.status(),
        StatusCode::NOT_FOUND
    );
    sim.stop().await.unwrap();
}
