//! Bodies that are too large, too deep or not what they say.

use std::iter::{empty, once, repeat_n};

use crate::victim::{KEY, RSS_GROWTH, Victim};

const MIB: usize = 1 << 20;
/// What the server takes by default.
const LIMIT: usize = 25_165_824;

/// The start of a request to send a message, up to the end of its head.
fn head(more: &str) -> String {
    format!("POST /api/send HTTP/1.1\r\nHost: wagate\r\napikey: {KEY}\r\n{more}\r\n")
}

fn sized(length: usize) -> String {
    head(&format!("Content-Length: {length}\r\n"))
}

/// Pieces of a chunked body without end, as far as the test goes.
fn endless() -> impl Iterator<Item = Vec<u8>> + Send + 'static {
    let mut chunk = format!("{MIB:x}\r\n").into_bytes();
    chunk.resize(chunk.len() + MIB, b' ');
    chunk.extend(b"\r\n");
    repeat_n(chunk, 1024)
}

fn message(length: usize) -> Vec<u8> {
    let (before, after) = (br#"{"token":"shop","phone":"628111111111","message":""#, br#""}"#);
    let mut body = before.to_vec();
    body.resize(length - after.len(), b'x');
    body.extend(after);
    body
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_too_large_is_refused_before_it_is_kept() {
    let victim = Victim::start().await;
    let (before, _) = victim.memory();
    victim.forget_peak();
    let gigabyte = repeat_n(vec![b' '; MIB], 1000);
    let (status, sent) = victim.raw(&sized(1_000_000_000), gigabyte).await;
    assert_eq!(status, 413);
    assert!(sent < 64 * MIB as u64, "{sent} bytes were taken of what was refused");

    let chunked = "Transfer-Encoding: chunked\r\n";
    let (status, sent) = victim.raw(&head(chunked), endless()).await;
    assert_eq!(status, 413);
    assert!(sent < 2 * LIMIT as u64 + 64 * MIB as u64, "{sent}");
    let stranger = head(chunked).replace(KEY, "a-wrong-key-of-a-stranger");
    let (status, sent) = victim.raw(&stranger, endless()).await;
    assert_eq!(status, 401);
    assert!(sent < 64 * MIB as u64, "{sent}");

    let (_, peak) = victim.memory();
    assert!(peak < before + RSS_GROWTH, "{before} grew to {peak}");
    victim.p99_of_others().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_as_large_as_allowed_is_read_and_its_memory_given_back() {
    let victim = Victim::start().await;
    let (before, _) = victim.memory();
    for _ in 0..5 {
        let (status, _) = victim.raw(&sized(LIMIT), once(message(LIMIT))).await;
        assert_eq!(status, 404, "no such device");
    }
    let (after, peak) = victim.memory();
    eprintln!("before {before}, after {after}, peak {peak}");
    assert!(after < before + RSS_GROWTH, "{before} grew to {after}");
    victim.p99_of_others().await;
}

/// Bodies that are wrong in themselves.
fn wrong_bodies() -> Vec<(&'static str, Vec<u8>)> {
    let deep = |open: &str, close: &str| {
        let (open, close) = (open.repeat(100_000), close.repeat(100_000));
        format!(r#"{{"token":"shop","phone":"628111111111","x":{open}{close}}}"#).into_bytes()
    };
    let field = |name: &str| {
        let (open, close) = ("[".repeat(100_000), "]".repeat(100_000));
        format!(r#"{{"{name}":{open}{close}}}"#).into_bytes()
    };
    vec![
        ("deep arrays", deep("[", "]")),
        ("deep objects", deep("{\"a\":", "}")),
        ("a deep token", field("token")),
        ("never closed", "[".repeat(1_000_000).into_bytes()),
        ("opened for ever", "{\"a\":".repeat(1_000_000).into_bytes()),
        ("not UTF-8", b"{\"token\":\"shop\",\"message\":\"\xff\xfe\"}".to_vec()),
        ("UTF-16", "{\"token\":1}".encode_utf16().flat_map(u16::to_le_bytes).collect()),
        ("overlong", b"{\"token\":\"\xc0\xae\"}".to_vec()),
        ("half a pair", br#"{"token":"\ud83d"}"#.to_vec()),
        ("a number without end", format!("{{\"token\":{}}}", "9".repeat(MIB)).into_bytes()),
        ("a NUL", b"\0".repeat(MIB)),
        ("a compressed one", b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03".to_vec()),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_read_is_a_bad_request_whatever_it_says_it_is() {
    let victim = Victim::start().await;
    let (before, _) = victim.memory();
    victim.forget_peak();
    for (name, body) in wrong_bodies() {
        for kind in [
            "application/json",
            "text/xml",
            "multipart/form-data",
            "application/json; charset=utf-7",
            "application/json\r\nContent-Encoding: gzip",
        ] {
            let head = head(&format!("Content-Type: {kind}\r\nContent-Length: {}\r\n", body.len()));
            let (status, _) = victim.raw(&head, once(body.clone())).await;
            assert_eq!(status, 400, "{name} as {kind}");
        }
    }
    let (_, peak) = victim.memory();
    assert!(peak < before + RSS_GROWTH, "{before} grew to {peak}");
    victim.p99_of_others().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_that_is_no_head_ends_the_connection() {
    let victim = Victim::start().await;
    let (before, _) = victim.memory();
    victim.forget_peak();
    let chunked = "Transfer-Encoding: chunked\r\n";
    for (name, head) in [
        ("two lengths", head("Content-Length: 5\r\nContent-Length: 6\r\n")),
        ("length and chunks", head(&format!("Content-Length: 5\r\n{chunked}"))),
        ("a negative length", head("Content-Length: -1\r\n")),
        ("a length beyond numbers", head("Content-Length: 99999999999999999999999\r\n")),
        ("a signed length", head("Content-Length: +5\r\n")),
        ("a header of a megabyte", head(&format!("x-a: {}\r\n", "a".repeat(MIB)))),
        ("ten thousand headers", head(&"x-a: b\r\n".repeat(10_000))),
        ("no HTTP", "\u{16}\u{3}\u{1}\u{2}\0\u{1}\0\u{1}\r\n\r\n".into()),
    ] {
        let (status, _) = victim.raw(&head, empty()).await;
        assert!([0, 400, 408, 413, 431].contains(&status), "{name}: {status}");
    }
    let wrong_chunk = head(chunked) + "zz\r\nnothing\r\n";
    assert_eq!(victim.raw(&wrong_chunk, empty()).await.0, 400);
    let (_, peak) = victim.memory();
    assert!(peak < before + RSS_GROWTH, "{before} grew to {peak}");
    victim.p99_of_others().await;
}
