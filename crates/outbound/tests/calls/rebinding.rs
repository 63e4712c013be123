//! Names that lead somewhere else when they are called than when they were checked.

use std::time::Instant;

use crate::ssrf::{SETTING, forbidden_listener, text};
use crate::support::{Rebinding, Server, answer, loopback_allowed, settings};
use wagate_domain::ports::{MediaSource, Targets};
use wagate_outbound::{GuardedClient, GuardedTargets, HttpMedia, MediaSettings, TargetPolicy, is_refused};

#[tokio::test]
async fn a_name_that_changes_its_mind_is_caught_when_it_is_called() {
    let listener = forbidden_listener().await;
    let lookup = Rebinding::new(&[&["93.184.216.34"], &["127.0.0.1"]]);
    let client = GuardedClient::with_lookup(TargetPolicy::default(), &settings(), lookup).unwrap();
    let url = format!("http://rebind.example:{}/", listener.address.port());
    GuardedTargets::new(client.clone(), SETTING)
        .check("url", &url)
        .await
        .expect("public at first");
    let error = client.get(&url).unwrap().send().await.unwrap_err();
    assert!(is_refused(&error));
    assert!(!format!("{error:?}").contains("127.0.0.1"), "{error:?}");
    assert_eq!(listener.connections(), 0);
}

/// How many refusals of each kind are timed.
const TIMED: usize = 41;

/// Nobody may learn from an answer, nor from how long it took, whether somebody listens at an address.
#[tokio::test]
async fn a_refusal_tells_nothing_about_its_target() {
    let listener = forbidden_listener().await;
    let vacant = {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        listener.local_addr().unwrap().port()
    };
    let targets = [
        ("taken", listener.address.port(), "127.0.0.1"),
        ("vacant", vacant, "127.0.0.1"),
        ("far away", vacant, "10.255.255.1"),
    ];
    let mut times = targets.map(|_| Vec::new());
    let mut texts = Vec::new();
    for _ in 0..TIMED {
        for ((_, port, address), times) in targets.iter().zip(&mut times) {
            let lookup = Rebinding::new(&[&["93.184.216.34"], &[address]]);
            let client = GuardedClient::with_lookup(TargetPolicy::default(), &settings(), lookup).unwrap();
            let directory = tempfile::tempdir().unwrap();
            let media = HttpMedia::new(client.clone(), MediaSettings::new(directory.path()));
            let url = format!("http://rebind.example:{port}/");
            GuardedTargets::new(client, SETTING)
                .check("url", &url)
                .await
                .unwrap();
            let started = Instant::now();
            let said = media.fetch(&url).await.unwrap_err();
            times.push(started.elapsed());
            texts.push(text(&said));
        }
    }
    texts.dedup();
    assert_eq!(texts.len(), 1, "{texts:?}");
    assert_eq!(listener.connections(), 0);
    let medians = times.map(|mut times| {
        times.sort();
        times[TIMED / 2]
    });
    let (shortest, longest) = (medians.iter().min().unwrap(), medians.iter().max().unwrap());
    // A connection refused or timed out would differ by orders of magnitude; a busy machine does not.
    assert!(*longest < *shortest * 3, "{medians:?}");
}

#[tokio::test]
async fn a_name_may_change_its_mind_behind_a_redirect_too() {
    let forbidden = forbidden_listener().await;
    let port = forbidden.address.port();
    let server = Server::start(move |_| {
        let next = format!("Location: http://rebind.example:{port}/\r\n");
        answer(302, &next, b"")
    })
    .await;
    let policy = TargetPolicy {
        allow_cidrs: vec!["127.0.0.1/32".parse().unwrap()],
        ..TargetPolicy::default()
    };
    for home in [
        "::1",
        "127.0.0.2",
        "::ffff:127.0.0.2",
        "64:ff9b::7f00:2",
        "0.0.0.0",
    ] {
        let lookup = Rebinding::new(&[&[home]]);
        let client = GuardedClient::with_lookup(policy.clone(), &settings(), lookup).unwrap();
        let directory = tempfile::tempdir().unwrap();
        let media = HttpMedia::new(client, MediaSettings::new(directory.path()));
        let said = media.fetch(&server.url("/")).await.unwrap_err();
        assert!(text(&said).contains("media.allow_private"), "{home}: {said}");
    }
    assert_eq!(forbidden.connections(), 0);
}

#[tokio::test]
async fn of_a_names_addresses_only_the_permitted_are_tried() {
    let server = Server::start(|_| answer(200, "", b"hello")).await;
    let lookup = Rebinding::new(&[&["10.255.255.1", "169.254.169.254", "127.0.0.1"]]);
    let client = GuardedClient::with_lookup(loopback_allowed(), &settings(), lookup).unwrap();
    let url = format!("http://mixed.example:{}/", server.address.port());
    assert_eq!(client.get(&url).unwrap().send().await.unwrap().status(), 200);
}
