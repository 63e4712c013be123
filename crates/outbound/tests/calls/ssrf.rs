//! Nobody gets a connection out of us to where they may not go: a listener stands there and counts.

use std::sync::Arc;
use std::time::Duration;

use crate::support::{Rebinding, Server, answer, client, loopback_allowed, settings};
use wagate_domain::Error;
use wagate_domain::ports::{MediaSource, Targets};
use wagate_outbound::{
    GuardedClient, GuardedTargets, HttpMedia, MediaSettings, Refused, TargetPolicy, is_refused,
};

/// Addresses that must not be called; `PORT` is where the forbidden listener stands.
const CORPUS: &str = include_str!("ssrf_corpus.txt");
pub const SETTING: &str = "webhooks.allow_private";

/// What an editor would not show or would take away.
const INVISIBLE: [(&str, &str); 9] = [
    ("<TAB>", "\t"),
    ("<LF>", "\n"),
    ("<CR>", "\r"),
    ("<SP>", " "),
    ("<NUL>", "\0"),
    ("<SHY>", "\u{ad}"),
    ("<ZWSP>", "\u{200b}"),
    ("<ZWJ>", "\u{200d}"),
    ("<BOM>", "\u{feff}"),
];

fn corpus(port: u16) -> Vec<String> {
    let lines = CORPUS
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines
        .map(|line| {
            let line = line.replace("PORT", &port.to_string());
            INVISIBLE
                .iter()
                .fold(line, |line, (name, what)| line.replace(name, what))
        })
        .collect()
}

pub async fn forbidden_listener() -> Server {
    Server::on("[::]:0", |_| answer(200, "", b"secret"))
        .await
        .unwrap()
}

/// A client whose names all lead home.
fn misled() -> GuardedClient {
    let lookup = Rebinding::new(&[&[
        "127.0.0.1",
        "::1",
        "::ffff:127.0.0.1",
        "169.254.169.254",
        "10.0.0.1",
    ]]);
    GuardedClient::with_lookup(TargetPolicy::default(), &settings(), lookup).unwrap()
}

pub fn text(error: &Error) -> String {
    format!("{} {error}", error.code())
}

#[tokio::test]
async fn the_corpus_reaches_nobody() {
    let listener = forbidden_listener().await;
    let corpus = corpus(listener.address.port());
    assert!(corpus.len() >= 500, "{}", corpus.len());
    let directory = tempfile::tempdir().unwrap();
    let targets = GuardedTargets::new(misled(), SETTING);
    let media = HttpMedia::new(misled(), MediaSettings::new(directory.path()));
    for url in &corpus {
        let said = targets.check("url", url).await.expect_err(url);
        assert_eq!(
            text(&said),
            format!(
                "invalid_url the address must be http or https, without credentials, and not private (see {SETTING})"
            ),
            "{url}"
        );
        for request in [misled().get(url), misled().post(url)] {
            match request {
                Err(Refused) => {}
                Ok(request) => assert!(is_refused(&request.send().await.expect_err(url)), "{url}"),
            }
        }
        let said = media.fetch(url).await.expect_err(url);
        assert_eq!(
            text(&said),
            "invalid_file_url the address must be http or https, without credentials, and not private \
             (see media.allow_private)",
            "{url}"
        );
    }
    assert_eq!(listener.connections(), 0);
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn loopback_is_all_that_the_sandbox_allows() {
    let server = Server::start(|_| answer(200, "", b"hello")).await;
    let client = client(loopback_allowed());
    let port = server.address.port();
    for host in [
        "127.0.0.1",
        "2130706433",
        "0x7f.1",
        "[::ffff:127.0.0.1]",
        "localhost",
    ] {
        let answer = client
            .get(&format!("http://{host}:{port}/"))
            .unwrap()
            .send()
            .await;
        assert_eq!(answer.unwrap().text().await.unwrap(), "hello", "{host}");
    }
    for host in ["10.0.0.1", "169.254.169.254", "0.0.0.0", "[::]", "192.168.1.1"] {
        assert_eq!(
            client.get(&format!("http://{host}:{port}/")).err(),
            Some(Refused),
            "{host}"
        );
    }
}

#[tokio::test]
async fn a_redirect_is_checked_like_the_first_address() {
    let forbidden = forbidden_listener().await;
    let port = forbidden.address.port();
    let server = Server::start(move |path| {
        let next = match path {
            "/chain" => "/chain2".to_owned(),
            "/chain2" | "/direct" => format!("http://[::1]:{port}/"),
            "/decimal" => format!("//0:{port}/"),
            "/file" => "file:///etc/passwd".to_owned(),
            "/credentials" => format!("http://a:b@127.0.0.1:{port}/"),
            "/data" => "data:,hello".to_owned(),
            _ => format!("http://10.0.0.1:{port}/"),
        };
        answer(302, &format!("Location: {next}\r\n"), b"")
    })
    .await;
    // This server stands on a permitted loopback address, the forbidden one does not.
    let policy = TargetPolicy {
        allow_cidrs: vec!["127.0.0.1/32".parse().unwrap()],
        ..TargetPolicy::default()
    };
    let directory = tempfile::tempdir().unwrap();
    let media = HttpMedia::new(client(policy.clone()), MediaSettings::new(directory.path()));
    for path in [
        "/chain",
        "/direct",
        "/decimal",
        "/file",
        "/credentials",
        "/data",
        "/private",
    ] {
        let said = media.fetch(&server.url(path)).await.unwrap_err();
        assert!(text(&said).contains("media.allow_private"), "{path}: {said}");
    }
    // Left to itself the client follows nothing.
    let answer = client(policy)
        .get(&server.url("/direct"))
        .unwrap()
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 302);
    assert_eq!(forbidden.connections(), 0);
}

#[tokio::test]
async fn names_that_do_not_resolve_and_public_addresses_pass_the_early_check() {
    let targets = GuardedTargets::new(client(TargetPolicy::default()), SETTING);
    for url in [
        "https://1.1.1.1/hook",
        "http://[2606:4700::1111]:8080/",
        "https://no-such-name.invalid/x?y=z",
    ] {
        targets.check("url", url).await.expect(url);
    }
}

#[tokio::test]
async fn a_certificate_that_nobody_vouches_for_is_refused() {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = rustls::pki_types::PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let handshake =
        tokio::spawn(async move { acceptor.accept(listener.accept().await.unwrap().0).await.is_err() });
    let request = client(loopback_allowed())
        .get(&format!("https://localhost:{port}/"))
        .unwrap();
    let error = request.timeout(Duration::from_secs(10)).send().await.unwrap_err();
    assert!(error.is_connect() && !is_refused(&error), "{error:?}");
    assert!(handshake.await.unwrap());
}
