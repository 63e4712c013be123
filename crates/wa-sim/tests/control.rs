//! The control API over real HTTP: what it makes, what it shows and how it refuses.

mod support;

use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use reqwest::StatusCode;
use serde_json::{Value, json};
use support::{ANNA, BEN, start, start_with};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use wa_sim::ledger::{Direction, Entry};
use wa_sim::{Error, Settings};

fn line(violation: Option<&str>) -> Entry {
    Entry {
        direction: Direction::FromClient,
        device: format!("{ANNA}:33@s.whatsapp.net"),
        tag: "iq".into(),
        id: Some("1".into()),
        kind: Some("w:nonsense".into()),
        summary: "iq".into(),
        violation: violation.map(Into::into),
    }
}

#[tokio::test]
async fn a_phone_is_made_once_listed_and_shown() {
    let sim = start().await;
    let made = sim.phone("+49 1555 0001", "Anna").await;
    assert_eq!((&made["phone"], &made["name"]), (&json!(ANNA), &json!("Anna")));
    assert!(made["lid"].as_str().unwrap().ends_with("@lid"), "{made}");
    assert_eq!(made["devices"], json!([]));

    let (status, refused) = sim
        .post("/sim/phones", json!({ "phone": ANNA, "name": "Other" }))
        .await;
    assert_eq!(
        (status, &refused["error"]),
        (StatusCode::CONFLICT, &json!("conflict"))
    );

    let (_, list) = sim.get("/sim/phones").await;
    assert_eq!(list, json!({ "data": [made] }));
    assert_eq!(
        sim.get(&format!("/sim/phones/{ANNA}")).await,
        (StatusCode::OK, made)
    );
    sim.stop().await.unwrap();
}

#[tokio::test]
async fn a_script_is_given_at_birth_or_later() {
    let sim = start().await;
    let (status, made) = sim
        .post(
            "/sim/phones",
            json!({ "phone": ANNA, "name": "A", "script": "echo" }),
        )
        .await;
    assert_eq!((status, &made["script"]), (StatusCode::CREATED, &json!("echo")));
    let (status, _) = sim
        .post(&format!("/sim/phones/{ANNA}/script"), json!({ "script": "read" }))
        .await;
    assert_eq!(status, StatusCode::OK);
    let (_, shown) = sim.get(&format!("/sim/phones/{ANNA}")).await;
    assert_eq!(shown["script"], "read");
    let (status, refused) = sim
        .post(&format!("/sim/phones/{ANNA}/script"), json!({ "script": "sing" }))
        .await;
    assert_eq!(
        (status, &refused["error"]),
        (StatusCode::UNPROCESSABLE_ENTITY, &json!("invalid_body"))
    );
    sim.stop().await.unwrap();
}

#[tokio::test]
async fn refusals_say_what_is_wrong_for_programs_and_for_people() {
    let sim = start().await;
    sim.phone(ANNA, "Anna").await;
    let messages = format!("/sim/phones/{ANNA}/messages");
    let to_ben = |extra: Value| {
        let mut body = json!({ "to": BEN });
        body.as_object_mut()
            .unwrap()
            .extend(extra.as_object().unwrap().clone());
        body
    };
    for (path, body, status, error) in [
        (
            "/sim/phones",
            json!({ "phone": "12", "name": "A" }),
            422,
            "invalid_phone",
        ),
        (
            "/sim/phones",
            json!({ "phone": BEN, "name": " " }),
            422,
            "invalid_name",
        ),
        ("/sim/phones", json!({ "phone": BEN }), 422, "invalid_body"),
        (
            "/sim/phones",
            json!({ "phone": BEN, "name": "B", "colour": "red" }),
            422,
            "invalid_body",
        ),
        (
            "/sim/phones/4915559999/messages",
            json!({ "to": ANNA, "text": "?" }),
            404,
            "phone_not_found",
        ),
        (
            "/sim/phones/4915559999/scan",
            json!({ "qr": "a,b,c,d" }),
            404,
            "phone_not_found",
        ),
        (&messages, to_ben(json!({})), 422, "invalid_body"),
        (
            &messages,
            to_ben(json!({ "text": "a", "media_base64": "" })),
            422,
            "invalid_body",
        ),
        (
            &messages,
            to_ben(json!({ "media_base64": "!" })),
            422,
            "invalid_media_base64",
        ),
        (
            &messages,
            to_ben(json!({ "media_url": "http://192.0.2.1/a" })),
            422,
            "invalid_media_url",
        ),
        (
            &messages,
            json!({ "to": "nobody", "text": "?" }),
            422,
            "invalid_to",
        ),
        (
            &format!("/sim/phones/{ANNA}/scan"),
            json!({ "qr": "" }),
            422,
            "invalid_qr",
        ),
        (
            &format!("/sim/phones/{ANNA}/groups"),
            json!({ "subject": "" }),
            422,
            "invalid_subject",
        ),
        ("/sim/nowhere", json!({}), 404, "not_found"),
        ("/sim/root-key", json!({}), 405, "method_not_allowed"),
    ] {
        let (answered, refused) = sim.post(path, body.clone()).await;
        assert_eq!(
            (answered.as_u16(), &refused["error"]),
            (status, &json!(error)),
            "{path} {body}: {refused}"
        );
        assert!(!refused["message"].as_str().unwrap().is_empty(), "{path} {body}");
    }
    let broken = sim
        .http
        .post(sim.url("/sim/phones"))
        .body("{\"phone\":")
        .send()
        .await
        .unwrap();
    assert_eq!(broken.status(), StatusCode::BAD_REQUEST);
    assert_eq!(broken.json::<Value>().await.unwrap()["error"], "malformed_json");
    sim.stop().await.unwrap();
}

#[tokio::test]
async fn a_qr_text_that_nobody_shows_is_a_conflict() {
    let sim = start().await;
    sim.phone(ANNA, "Anna").await;
    let key = BASE64_STANDARD.encode([7; 32]);
    let qr = format!("2@stale,{key},{key},{key},1");
    let (status, refused) = sim
        .post(&format!("/sim/phones/{ANNA}/scan"), json!({ "qr": qr }))
        .await;
    assert_eq!(status, StatusCode::CONFLICT, "{refused}");
    let raw = sim
        .http
        .post(sim.url("/admin/mock-phone/scan-qr"))
        .body(qr)
        .send()
        .await
        .unwrap();
    assert_eq!(raw.status(), StatusCode::CONFLICT);
    sim.stop().await.unwrap();
}

#[tokio::test]
async fn phones_write_to_each_other_by_text_base64_and_url() {
    let sim = start().await;
    sim.phone(ANNA, "Anna").await;
    sim.phone(BEN, "Ben").await;
    let path = format!("/sim/phones/{ANNA}/messages");
    let (status, sent) = sim.post(&path, json!({ "to": BEN, "text": "hello" })).await;
    assert_eq!(status, StatusCode::OK, "{sent}");

    let png = b"\x89PNG\r\n\x1a\n simulated".as_slice();
    let base64 = format!("data:image/png;base64,{}", BASE64_STANDARD.encode(png));
    let body = json!({ "to": BEN, "media_base64": base64, "caption": "look", "file_name": "a.png" });
    let (status, sent) = sim.post(&path, body).await;
    assert_eq!(status, StatusCode::OK, "{sent}");

    // The simulator's own media store is a web server on loopback as good as any.
    let body = json!({ "to": BEN, "media_url": sim.url(&sim.media.put("pic", png)) });
    let (status, sent) = sim.post(&path, body).await;
    assert_eq!(status, StatusCode::OK, "{sent}");

    let (_, list) = sim.get(&format!("{path}?chat={BEN}")).await;
    let sizes: Vec<_> = list["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|m| m["media"]["size"].as_u64())
        .collect();
    assert_eq!(
        sizes,
        [None, Some(png.len() as u64), Some(png.len() as u64)],
        "{list}"
    );
    assert_eq!(list["data"][0]["text"], "hello");
    assert_eq!(list["data"][1]["media"]["mimetype"], "image/png");
    assert_eq!(list["data"][2]["media"]["mimetype"], "image/png");
    sim.stop().await.unwrap();
}

#[tokio::test]
async fn a_person_drops_off_and_comes_back() {
    let sim = start().await;
    sim.phone(ANNA, "Anna").await;
    for (verb, online) in [("offline", false), ("online", true)] {
        let (status, _) = sim.post(&format!("/sim/phones/{ANNA}/{verb}"), json!({})).await;
        assert_eq!(status, StatusCode::OK);
        let (_, shown) = sim.get(&format!("/sim/phones/{ANNA}")).await;
        assert_eq!(shown["online"], online);
    }
    sim.stop().await.unwrap();
}

#[tokio::test]
async fn people_call_each_other_and_hang_up() {
    let sim = start().await;
    sim.phone(ANNA, "Anna").await;
    sim.phone(BEN, "Ben").await;
    let calls = format!("/sim/phones/{ANNA}/calls");
    let (status, made) = sim.post(&calls, json!({ "to": BEN })).await;
    assert_eq!(status, StatusCode::OK, "{made}");
    let (_, list) = sim.get(&calls).await;
    assert_eq!(
        (&list["data"][0]["call_id"], &list["data"][0]["to"]),
        (&made["call_id"], &json!(BEN))
    );
    assert_eq!(list["data"][0]["state"], "ringing");
    let end = format!("{calls}/{}/end", made["call_id"].as_str().unwrap());
    assert_eq!(sim.post(&end, json!({})).await.0, StatusCode::OK);
    assert_eq!(sim.get(&calls).await.1["data"][0]["state"], "ended");
    let (status, refused) = sim.post(&format!("{calls}/none/end"), json!({})).await;
    assert_eq!(
        (status, &refused["error"]),
        (StatusCode::NOT_FOUND, &json!("call_not_found"))
    );
    sim.stop().await.unwrap();
}

#[tokio::test]
async fn a_group_is_made_written_to_and_changed() {
    let sim = start().await;
    let carl = "4915550003";
    for (phone, name) in [(ANNA, "Anna"), (BEN, "Ben"), (carl, "Carl")] {
        sim.phone(phone, name).await;
    }
    let groups = format!("/sim/phones/{ANNA}/groups");
    let (_, made) = sim
        .post(&groups, json!({ "subject": "Trip", "participants": [BEN] }))
        .await;
    let jid = made["jid"].as_str().unwrap();
    let who = json!({ "add": [carl], "promote": [BEN] });
    let (status, changed) = sim.post(&format!("{groups}/{jid}/participants"), who).await;
    assert_eq!(status, StatusCode::OK, "{changed}");
    sim.post(
        &format!("/sim/phones/{ANNA}/messages"),
        json!({ "to": jid, "text": "all here?" }),
    )
    .await;
    for phone in [BEN, carl] {
        let (_, list) = sim.get(&format!("/sim/phones/{phone}/messages")).await;
        let newest = list["data"].as_array().unwrap().last().unwrap();
        assert_eq!(
            (&newest["chat"], &newest["text"]),
            (&json!(jid), &json!("all here?")),
            "{phone}"
        );
    }
    let (status, refused) = sim.post(&format!("{groups}/{jid}/participants"), json!({})).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{refused}");
    assert_eq!(sim.ledger.violations(), []);
    sim.stop().await.unwrap();
}

#[tokio::test]
async fn a_person_reads_types_saves_a_contact_and_unlinks() {
    let sim = start().await;
    sim.phone(ANNA, "Anna").await;
    sim.phone(BEN, "Ben").await;
    let (_, sent) = sim
        .post(
            &format!("/sim/phones/{ANNA}/messages"),
            json!({ "to": BEN, "text": "?" }),
        )
        .await;
    let ben = |rest: &str| format!("/sim/phones/{BEN}{rest}");
    let chat = format!("{ANNA}@s.whatsapp.net");
    for (verb, body, status) in [
        ("/read", json!({ "chat": chat, "id": sent["id"] }), 200),
        ("/read", json!({ "chat": chat, "id": "none" }), 404),
        ("/typing", json!({ "to": ANNA, "state": "recording" }), 200),
        ("/typing", json!({ "to": ANNA, "state": "singing" }), 422),
        ("/contacts", json!({ "phone": ANNA, "name": "Annie" }), 200),
        (
            "/unlink",
            json!({ "device": format!("{BEN}:9@s.whatsapp.net") }),
            404,
        ),
    ] {
        let (answered, reply) = sim.post(&ben(verb), body).await;
        assert_eq!(answered.as_u16(), status, "{verb}: {reply}");
    }
    let (_, list) = sim.get(&format!("/sim/phones/{ANNA}/messages")).await;
    assert_eq!(list["data"][0]["status"], "read", "{list}");
    let (_, anna) = sim.get(&format!("/sim/phones/{ANNA}")).await;
    let ben = format!("{BEN}@s.whatsapp.net");
    assert_eq!(
        anna["typing"],
        json!([{ "chat": ben, "sender": ben, "state": "recording" }])
    );
    sim.stop().await.unwrap();
}

#[tokio::test]
async fn faults_are_checked_listed_and_called_off() {
    let sim = start().await;
    let (status, first) = sim
        .post(
            "/sim/faults",
            json!({ "kind": "drop", "phone": ANNA, "count": 1 }),
        )
        .await;
    assert_eq!(status, StatusCode::OK);
    sim.post(
        "/sim/faults",
        json!({ "kind": "media", "status": 404, "direction": "to_client" }),
    )
    .await;
    let (_, list) = sim.get("/sim/faults").await;
    assert_eq!(list["data"].as_array().unwrap().len(), 2);
    assert_eq!(list["data"][0]["id"], first["id"]);

    for (body, error) in [
        (json!({ "kind": "sulk" }), "invalid_body"),
        (json!({ "kind": "drop", "delay_ms": 5 }), "invalid_delay_ms"),
        (json!({ "kind": "media", "code": 200 }), "invalid_code"),
        (json!({ "kind": "ban", "count": 0 }), "invalid_count"),
        (json!({ "kind": "ban", "phone": "x" }), "invalid_phone"),
    ] {
        let (status, refused) = sim.post("/sim/faults", body.clone()).await;
        assert_eq!(
            (status.as_u16(), &refused["error"]),
            (422, &json!(error)),
            "{body}"
        );
    }

    let path = format!("/sim/faults/{}", first["id"].as_str().unwrap());
    assert_eq!(sim.delete(&path).await.0, StatusCode::OK);
    assert_eq!(sim.delete(&path).await.0, StatusCode::NOT_FOUND);
    assert_eq!(sim.delete("/sim/faults").await.0, StatusCode::OK);
    assert!(sim.faults.list().is_empty());
    sim.stop().await.unwrap();
}

#[tokio::test]
async fn the_ledger_is_read_by_cursor_and_waits_when_asked() {
    let sim = start().await;
    let from = sim.ledger.last_seq();
    for _ in 0..3 {
        sim.ledger.record(line(None));
    }
    let (_, page) = sim.get(&format!("/sim/ledger?after={from}&limit=2")).await;
    assert_eq!(page["data"].as_array().unwrap().len(), 2);
    assert_eq!(page["next"], from + 2);
    assert_eq!(page["data"][0]["direction"], "from_client");
    let (_, rest) = sim.get(&format!("/sim/ledger?after={}", from + 3)).await;
    assert_eq!(rest, json!({ "data": [], "next": from + 3 }));

    let path = format!("/sim/ledger?after={from}&violations=true&wait_ms=30000");
    let (found, ()) = tokio::join!(sim.get(&path), async {
        sim.ledger.record(line(Some("unknown namespace")));
    });
    assert_eq!(found.1["data"][0]["violation"], "unknown namespace");
    let (status, refused) = sim.get("/sim/ledger?after=x").await;
    assert_eq!(
        (status, &refused["error"]),
        (StatusCode::BAD_REQUEST, &json!("malformed_query"))
    );
    sim.stop().await.unwrap();
}

#[tokio::test]
async fn a_strict_run_fails_on_a_broken_rule() {
    let sim = start_with(Settings {
        strict: true,
        ..Settings::default()
    })
    .await;
    sim.ledger.record(line(Some("unknown namespace")));
    let outcome = sim.stop().await;
    assert!(
        matches!(&outcome, Err(Error::Violations(lines)) if lines.len() == 1),
        "{outcome:?}"
    );
}

#[tokio::test]
async fn people_and_harnesses_find_what_they_look_for() {
    let sim = start().await;
    assert!(
        sim.http
            .get(sim.url("/"))
            .send()
            .await
            .unwrap()
            .status()
            .is_success()
    );
    let page = sim.http.get(sim.url("/sim")).send().await.unwrap();
    assert!(
        page.headers()["content-security-policy"]
            .to_str()
            .unwrap()
            .contains("default-src 'none'")
    );
    let page = page.text().await.unwrap();
    assert!(page.contains("<title>Simulated WhatsApp</title>"));
    assert!(
        !page.contains("innerHTML") && !page.contains("https://"),
        "the page trusts and fetches nothing"
    );
    let script = sim
        .http
        .get(sim.url("/sw.js"))
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    assert!(script.contains("\"client_revision\":1"));
    let (_, root) = sim.get("/sim/root-key").await;
    assert_eq!(
        BASE64_STANDARD.decode(root["key"].as_str().unwrap()).unwrap(),
        sim.world.root_key()
    );
    sim.stop().await.unwrap();
}

#[tokio::test]
async fn one_port_speaks_plain_and_tls_and_falls_silent_at_the_end() {
    let sim = start().await;
    let tls = format!("https://localhost:{}/", sim.address.port());
    assert!(sim.http.get(&tls).send().await.unwrap().status().is_success());
    assert!(
        sim.http
            .get(sim.url("/"))
            .send()
            .await
            .unwrap()
            .status()
            .is_success()
    );

    let (address, http) = (sim.address, sim.http.clone());
    tokio::time::timeout(Duration::from_secs(10), sim.stop())
        .await
        .unwrap()
        .unwrap();
    assert!(http.get(format!("http://{address}/")).send().await.is_err());
    drop(TcpListener::bind(address).await.unwrap());
}

#[tokio::test]
async fn open_sockets_are_closed_at_the_end() {
    let sim = start().await;
    let mut socket = TcpStream::connect(sim.address).await.unwrap();
    let upgrade = "GET /ws/chat HTTP/1.1\r\nHost: web.whatsapp.com\r\nOrigin: https://web.whatsapp.com\r\n\
        Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    socket.write_all(upgrade.as_bytes()).await.unwrap();
    let mut head = [0; 12];
    socket.read_exact(&mut head).await.unwrap();
    assert_eq!(&head, b"HTTP/1.1 101");

    tokio::time::timeout(Duration::from_secs(10), sim.stop())
        .await
        .unwrap()
        .unwrap();
    let mut rest = Vec::new();
    // Cut or closed, it has ended.
    let _ = socket.read_to_end(&mut rest).await;
}
