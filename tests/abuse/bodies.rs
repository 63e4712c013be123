//! Bodies that are too large, too deep or not what they say.

use std::iter::{empty, once, repeat};

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

/// Pieces of a chunked body that never ends.
fn endless() -> impl Iterator<Item = Vec<u8>> + Send + 'static {
    let mut chunk = format!("{MIB:x}\r\n").into_bytes();
    chunk.resize(chunk.len() + MIB, b' ');
    chunk.extend(b"\r\n");
    repeat(chunk)
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
    // It does not stop talking before the connection ends: that it does is part of the answer.
    let gigabyte = repeat(vec![b' '; MIB]);
    assert_eq!(victim.raw(&sized(1_000_000_000), gigabyte).await, 413);
    let chunked = head("Transfer-Encoding: chunked\r\n");
    assert_eq!(victim.raw(&chunked, endless()).await, 413);
    let stranger = chunked.replace(KEY, "a-wrong-key-of-a-stranger");
    assert_eq!(victim.raw(&stranger, endless()).await, 401);

    // One whose length is unknown is kept up to the limit, in a buffer that doubles: three times the limit at worst.
    let (_, peak) = victim.memory();
    assert!(peak < before + 3 * LIMIT as u64, "{before} grew to {peak}");
    victim.p99_of_others().await;
}

/// What a body as large as allowed may cost at most, in its own size: it is read, taken apart and written anew.
const COPIES: u64 = 5;

#[tokio::test(flavor = "multi_thread")]
async fn bodies_as_large_as_allowed_cost_their_copies_once() {
    let victim = Victim::start().await;
    let (before, _) = victim.memory();
    let send = async |times: usize| {
        for _ in 0..times {
            let status = victim.raw(&sized(LIMIT), once(message(LIMIT))).await;
            assert_eq!(status, 404, "no such device");
        }
        victim.memory()
    };
    let (settled, _) = send(5).await;
    let (after, peak) = send(15).await;
    assert!(after < settled + RSS_GROWTH, "{settled} grew to {after}");
    assert!(
        peak < before + COPIES * 2 * LIMIT as u64,
        "{before} grew to {peak}"
    );
    victim.p99_of_others().await;
}

/// Bodies that are wrong in themselves, and one that is only odd: what is in a field that nobody knows is skipped,
/// however deep it is.
fn wrong_bodies() -> Vec<(&'static str, u16, Vec<u8>)> {
    let (open, close) = ("[".repeat(100_000), "]".repeat(100_000));
    let deep = |field: &str| format!(r#"{{"phone":"628111111111","{field}":{open}{close}}}"#).into_bytes();
    let objects = format!("{}{}", "{\"a\":".repeat(100_000), "}".repeat(100_000));
    let utf_16 = "{\"token\":1}".encode_utf16();
    vec![
        ("a deep token", 400, deep("token")),
        ("a deep message", 400, deep("message")),
        ("a deep stranger", 404, deep("stranger")),
        ("deep objects", 400, objects.into_bytes()),
        ("never closed", 400, "[".repeat(MIB).into_bytes()),
        ("opened for ever", 400, "{\"a\":".repeat(MIB).into_bytes()),
        ("not UTF-8", 400, b"{\"message\":\"\xff\xfe\"}".to_vec()),
        ("UTF-16", 400, utf_16.flat_map(u16::to_le_bytes).collect()),
        ("overlong", 400, b"{\"token\":\"\xc0\xae\"}".to_vec()),
        ("half a pair", 400, br#"{"message":"\ud83d"}"#.to_vec()),
        (
            "a number without end",
            400,
            format!("{{\"token\":{}}}", "9".repeat(MIB)).into_bytes(),
        ),
        ("NULs", 400, b"\0".repeat(MIB)),
        (
            "a compressed one",
            400,
            b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03".to_vec(),
        ),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_read_is_a_bad_request_whatever_it_says_it_is() {
    let victim = Victim::start().await;
    let (before, _) = victim.memory();
    victim.forget_peak();
    for (name, want, body) in wrong_bodies() {
        for kind in [
            "application/json",
            "text/xml",
            "multipart/form-data",
            "application/json; charset=utf-7",
            "application/json\r\nContent-Encoding: gzip",
        ] {
            let head = sized(body.len()).replace("/api/send", "/api/send?token=shop");
            let head = head.replace("Host:", &format!("Content-Type: {kind}\r\nHost:"));
            let status = victim.raw(&head, once(body.clone())).await;
            assert_eq!(status, want, "{name} as {kind}");
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
        (
            "length and chunks",
            head(&format!("Content-Length: 5\r\n{chunked}")),
        ),
        ("a negative length", head("Content-Length: -1\r\n")),
        (
            "a length beyond numbers",
            head("Content-Length: 99999999999999999999999\r\n"),
        ),
        ("a signed length", head("Content-Length: +5\r\n")),
        (
            "a header of a megabyte",
            head(&format!("x-a: {}\r\n", "a".repeat(MIB))),
        ),
        ("ten thousand headers", head(&"x-a: b\r\n".repeat(10_000))),
        ("no HTTP", "\u{16}\u{3}\u{1}\u{2}\0\u{1}\0\u{1}\r\n\r\n".into()),
    ] {
        let status = victim.raw(&head, empty()).await;
        assert!([0, 400, 408, 413, 431].contains(&status), "{name}: {status}");
    }
    let wrong_chunk = head(chunked) + "zz\r\nnothing\r\n";
    assert_eq!(victim.raw(&wrong_chunk, empty()).await, 400);
    let (_, peak) = victim.memory();
    assert!(peak < before + RSS_GROWTH, "{before} grew to {peak}");
    victim.p99_of_others().await;
}
