//! What is particular to a server: it goes away and comes back, others talk to it, and lines are encrypted.

use std::time::{Duration, Instant};

use wagate_domain::Error;
use wagate_domain::model::{Device, DeviceId};
use wagate_domain::ports::IdSource;
use wagate_domain::testing::{FakeClock, FakeIds};
use wagate_store::{Keyring, MasterKey, Sealer, Store, StoreSettings};
use wagate_tests::postgres::{Cluster, ClusterSettings, Encryption};

use crate::support::{Place, sealer};

fn device(ids: &FakeIds, token: &str) -> Device {
    Device::new(
        DeviceId::new(ids.next()),
        token.parse().unwrap(),
        FakeClock::START,
    )
}

fn away<T: std::fmt::Debug>(result: wagate_domain::Result<T>) {
    match result {
        Err(Error::Unavailable { what: "database", .. }) => {}
        other => panic!("the database is away, and the answer is {other:?}"),
    }
}

#[tokio::test]
async fn two_gateways_never_share_a_database() {
    let place = Place::new();
    let first = place.open();
    let second = place.try_open(sealer()).unwrap_err();
    assert!(second.to_string().contains("another wagate"), "{second}");
    first.close().await;
    place.open().close().await;
}

#[tokio::test]
async fn other_keys_are_refused_and_new_ones_take_over() {
    let place = Place::new();
    place.open().close().await;
    let key = || MasterKey::from_bytes([9; 32]);
    let wrong = place
        .try_open(Sealer::new(Keyring::new(key(), Vec::new())))
        .unwrap_err();
    assert_eq!(wrong.code(), "invalid_master_key");
    let both = Keyring::new(key(), vec![MasterKey::from_bytes([7; 32])]);
    let store = place.try_open(Sealer::new(both)).unwrap();
    store.reseal().await.unwrap();
    store.close().await;
    place
        .try_open(Sealer::new(Keyring::new(key(), Vec::new())))
        .unwrap()
        .close()
        .await;
}

#[tokio::test]
async fn a_newer_database_is_refused() {
    let place = Place::new();
    place.open().close().await;
    place.sql("INSERT INTO __diesel_schema_migrations (version) VALUES ('9999')");
    let error = place.try_open(sealer()).unwrap_err().to_string();
    assert!(
        error.contains("newer wagate") && error.contains("9999"),
        "{error}"
    );
}

#[tokio::test]
async fn a_server_that_goes_away_is_told_at_once_and_used_again_when_it_is_back() {
    let mut cluster = Cluster::start_new(ClusterSettings::default());
    let url = cluster.create_database("wagate");
    let store = Store::open(&StoreSettings::new(url), sealer()).unwrap();
    let ids = FakeIds::new();
    let stays = store.devices().create(device(&ids, "stays")).await.unwrap();
    for round in 0..3 {
        cluster.stop_immediate();
        let asked = Instant::now();
        away(store.devices().create(device(&ids, "lost")).await);
        away(store.ping().await);
        assert!(asked.elapsed() < Duration::from_secs(4), "{:?}", asked.elapsed());
        cluster.start();
        let back = Instant::now();
        while store.ping().await.is_err() {
            assert!(back.elapsed() < Duration::from_secs(3), "not used again in time");
        }
        let token = format!("round-{round}");
        store.devices().create(device(&ids, &token)).await.unwrap();
        assert_eq!(store.devices().get(stays.id).await.unwrap(), Some(stays.clone()));
    }
    assert_eq!(store.devices().all().await.unwrap().len(), 4);
    store.close().await;
}

#[tokio::test]
async fn lines_may_be_encrypted() {
    let settings = ClusterSettings {
        line: Encryption::Tls,
        ..ClusterSettings::default()
    };
    let cluster = Cluster::start_new(settings);
    let url = cluster.create_database("wagate");
    assert!(url.contains("sslmode=verify-full"), "{url}");
    let store = Store::open(&StoreSettings::new(url.clone()), sealer()).unwrap();
    store.ping().await.unwrap();
    store.close().await;
    let plain = url.replace("sslmode=verify-full", "sslmode=disable");
    assert!(Store::open(&StoreSettings::new(plain), sealer()).is_err());
}
