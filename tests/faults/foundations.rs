//! The harness itself: what it promises to do to others.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use wagate_tests::Proxy;
use wagate_tests::postgres::{Cluster, ClusterSettings, Durability, Encryption};
use wagate_tests::proxy::Line;

const LIMIT: Duration = Duration::from_secs(10);

#[test]
fn a_cluster_keeps_what_was_committed_over_an_immediate_stop() {
    let settings = ClusterSettings {
        durability: Durability::Disk,
        line: Encryption::Tls,
    };
    let mut cluster = Cluster::start_new(settings);
    let url = cluster.create_database("shop");
    assert!(url.contains("verify-full"), "{url}");
    cluster.sql("shop", "CREATE TABLE t (n int); INSERT INTO t VALUES (7)");
    cluster.stop_immediate();
    cluster.start();
    assert_eq!(cluster.sql("shop", "SELECT n FROM t"), "7");
    let encrypted = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
    assert_eq!(cluster.sql("shop", encrypted), "t");
    let address = cluster.address();
    drop(cluster);
    assert!(
        std::net::TcpStream::connect(address).is_err(),
        "it outlived its owner"
    );
}

#[tokio::test]
async fn a_frozen_cluster_answers_once_it_is_thawed() {
    let cluster = Cluster::start_new(ClusterSettings::default());
    cluster.freeze();
    let (asked, cluster) = (std::time::Instant::now(), std::sync::Arc::new(cluster));
    let asking = tokio::task::spawn_blocking({
        let cluster = cluster.clone();
        move || cluster.sql("postgres", "SELECT 1")
    });
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(!asking.is_finished(), "it answered while frozen");
    cluster.thaw();
    assert_eq!(asking.await.unwrap(), "1");
    assert!(asked.elapsed() >= Duration::from_millis(300));
}

/// Answers every byte with the same byte.
async fn echo() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").await.unwrap()
}

async fn run_echo(listener: TcpListener) {
    while let Ok((mut stream, _)) = listener.accept().await {
        tokio::spawn(async move {
            let (mut read, mut write) = stream.split();
            let _ = tokio::io::copy(&mut read, &mut write).await;
        });
    }
}

/// What comes back for a byte: itself, nothing, or the end.
async fn ask(stream: &mut TcpStream) -> Option<u8> {
    let asked = async {
        stream.write_all(b"x").await.ok()?;
        stream.read_u8().await.ok()
    };
    tokio::time::timeout(LIMIT, asked).await.unwrap()
}

#[tokio::test]
async fn a_line_fails_as_it_is_told() {
    let listener = echo().await;
    let proxy = Proxy::start(listener.local_addr().unwrap(), 1).await;
    tokio::spawn(run_echo(listener));
    let dial = || TcpStream::connect(proxy.address);
    let mut first = dial().await.unwrap();
    assert_eq!(ask(&mut first).await, Some(b'x'));

    proxy.set(Line::Stalls);
    first.write_all(b"y").await.unwrap();
    proxy.set(Line::Good);
    assert_eq!(first.read_u8().await.unwrap(), b'y', "a stall loses nothing");

    proxy.set(Line::HalfOpen);
    let mut second = dial().await.unwrap();
    second.write_all(b"lost").await.unwrap();
    first.write_all(b"lost").await.unwrap();
    let silent = tokio::time::timeout(Duration::from_millis(200), first.read_u8()).await;
    assert!(silent.is_err(), "{silent:?}");
    proxy.set(Line::Good);
    let mut third = dial().await.unwrap();
    assert_eq!(ask(&mut third).await, Some(b'x'));

    proxy.cut_all();
    assert_eq!(first.read(&mut [0]).await.unwrap_or(0), 0);
    assert_eq!(ask(&mut third).await, None);
    proxy.set(Line::Drops(1.0));
    let mut fourth = dial().await.unwrap();
    assert_eq!(ask(&mut fourth).await, None);
    assert_eq!(proxy.dials().len(), 4);
    let mut open = proxy.open();
    tokio::time::timeout(LIMIT, open.wait_for(|open| *open == 0))
        .await
        .unwrap()
        .unwrap();
}
