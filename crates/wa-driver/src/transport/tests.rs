//! Dials on this machine.

use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::net::TcpListener;
use tokio_websockets::ServerBuilder;

use super::*;

fn settings(url: &str) -> WaSettings {
    WaSettings {
        websocket_url: Some(url.into()),
        dial_jitter: Duration::ZERO,
        ..WaSettings::default()
    }
}

#[tokio::test]
async fn sockets_send_at_once() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/ws/chat", listener.local_addr().unwrap());
    let dialer = Dialer::new(&settings(&url), Reach::Internet).unwrap();
    assert!(dialer.tcp().await.unwrap().nodelay().unwrap());
}

#[tokio::test]
async fn connects_over_a_plain_line_on_this_machine() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/ws/chat", listener.local_addr().unwrap());
    let server = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let (request, _) = ServerBuilder::new().accept(stream).await.unwrap();
        request.headers().get(header::ORIGIN).cloned()
    });
    let dialer = Arc::new(Dialer::new(&settings(&url), Reach::Loopback).unwrap());
    let reached = Arc::new(AtomicUsize::new(0));
    let counter = reached.clone();
    let transport = SessionTransport::new(dialer, move |outcome| {
        assert_eq!(outcome, Dialled::Reached);
        counter.fetch_add(1, Ordering::SeqCst);
    });
    transport.await_turn().await;
    transport.create_transport().await.unwrap();
    assert_eq!(reached.load(Ordering::SeqCst), 1);
    assert_eq!(server.await.unwrap().unwrap(), WHATSAPP_WEB_ORIGIN);
}

#[tokio::test]
async fn a_failed_dial_is_reported() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/", listener.local_addr().unwrap());
    drop(listener);
    let failed = Arc::new(AtomicUsize::new(0));
    let counter = failed.clone();
    let dialer = Arc::new(Dialer::new(&settings(&url), Reach::Loopback).unwrap());
    let transport = SessionTransport::new(dialer, move |outcome| {
        assert_eq!(outcome, Dialled::Failed);
        counter.fetch_add(1, Ordering::SeqCst);
    });
    assert!(transport.create_transport().await.is_err());
    assert_eq!(failed.load(Ordering::SeqCst), 1);
}

#[test]
fn a_plain_line_never_leaves_this_machine() {
    let dialer = Dialer::new(&settings("ws://example.com/ws/chat"), Reach::Internet).unwrap();
    assert!(!dialer.may_reach(&"93.184.216.34:80".parse().unwrap()));
    assert!(dialer.may_reach(&"127.0.0.1:80".parse().unwrap()));
    let dialer = Dialer::new(&WaSettings::default(), Reach::Internet).unwrap();
    assert!(dialer.may_reach(&"93.184.216.34:443".parse().unwrap()));
    let dialer = Dialer::new(&WaSettings::default(), Reach::Loopback).unwrap();
    assert!(!dialer.may_reach(&"93.184.216.34:443".parse().unwrap()));
}

#[test]
fn other_schemes_are_refused() {
    for url in ["http://127.0.0.1/", "127.0.0.1", "", "wss:///x"] {
        assert!(Dialer::new(&settings(url), Reach::Loopback).is_err(), "{url}");
    }
}

#[tokio::test]
async fn a_connection_on_which_nothing_comes_is_dead() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/ws/chat", listener.local_addr().unwrap());
    let server = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        ServerBuilder::new().accept(stream).await.unwrap()
    });
    let dialer = Dialer::new(&settings(&url), Reach::Loopback).unwrap();
    let (_transport, events) = dialer.dial().await.unwrap();
    let _silent = server.await.unwrap();
    assert!(matches!(events.recv().await.unwrap(), TransportEvent::Connected));

    tokio::time::pause();
    let began = tokio::time::Instant::now();
    assert!(matches!(
        events.recv().await.unwrap(),
        TransportEvent::Disconnected(_)
    ));
    assert!(began.elapsed() >= LONGEST_SILENCE, "{:?}", began.elapsed());
}
