//! Settings that are chosen while the gateway runs.

use std::time::Duration;

use wagate_domain::gateway::{CallPatch, SettingsPatch};
use wagate_domain::model::{Change, RegionChoice, Retention};

use crate::bench::{Bench, SHOP, token};

const DAY: Duration = Duration::from_hours(24);

fn region(code: &str) -> Change<RegionChoice> {
    Change::Set(RegionChoice::Region(code.parse().unwrap()))
}

#[tokio::test]
async fn a_region_counts_at_once_and_after_a_restart() {
    let bench = Bench::new();
    let gateway = &bench.gateway;
    gateway
        .start_session(&token(SHOP), CallPatch::default())
        .await
        .unwrap();
    bench.driver.session(SHOP).issue_qr("2@scan-me").await;
    let pair = async || {
        let paired = gateway.pair_by_phone(&token(SHOP), "0812 3456 7890").await;
        paired.map(|pairing| pairing.phone.to_string()).ok()
    };
    assert_eq!(pair().await, None);
    let patch = SettingsPatch {
        default_region: region("ID"),
        ..SettingsPatch::default()
    };
    let now = gateway.update_settings(patch).await.unwrap();
    assert_eq!(now, gateway.get_settings());
    assert_eq!(now.default_region.configured, RegionChoice::Account);
    assert_eq!(pair().await.as_deref(), Some("6281234567890"));

    let restarted = bench.another();
    assert_ne!(restarted.get_settings(), now);
    restarted.load_settings().await.unwrap();
    assert_eq!(restarted.get_settings(), now);

    let patch = SettingsPatch {
        default_region: Change::Clear,
        ..SettingsPatch::default()
    };
    gateway.update_settings(patch).await.unwrap();
    assert_eq!(pair().await, None);
}

#[tokio::test]
async fn what_is_not_stored_does_not_count() {
    let bench = Bench::new();
    let before = bench.gateway.get_settings();
    bench.store.go_down();
    let patch = SettingsPatch {
        retention: Change::Set(Retention::from_hours(48).unwrap()),
        ..SettingsPatch::default()
    };
    assert!(bench.gateway.update_settings(patch.clone()).await.is_err());
    assert_eq!(bench.gateway.get_settings(), before);
    bench.store.come_back();
    let after = bench.gateway.update_settings(patch).await.unwrap();
    assert_eq!(
        (after.retention.value(), after.retention.configured),
        (2 * DAY, 30 * DAY)
    );
    assert_eq!(after.default_region, before.default_region);
}

#[tokio::test]
async fn a_shorter_retention_counts_at_once() {
    let bench = Bench::new();
    bench.paired(SHOP).await;
    bench.clock.advance(3 * DAY);
    assert_eq!(bench.gateway.prune().await.unwrap(), 0);
    let patch = SettingsPatch {
        retention: Change::Set(Retention::from_hours(48).unwrap()),
        ..SettingsPatch::default()
    };
    bench.gateway.update_settings(patch).await.unwrap();
    assert!(bench.gateway.prune().await.unwrap() > 0);
}
