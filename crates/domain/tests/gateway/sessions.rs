//! Starting, ending, resuming.

use std::time::Duration;

use bytes::Bytes;
use futures_util::future::join_all;
use wagate_domain::gateway::{CallPatch, QrOutcome};
use wagate_domain::model::{DeviceId, EndReason, EventKind, SessionState};
use wagate_domain::ports::{Devices, KeyKind, KeyVault};
use wagate_domain::{Error, Needs};

use crate::bench::{Bench, SHOP, token};

async fn keys_of(bench: &Bench, device: DeviceId) -> usize {
    bench
        .store
        .scan(device, KeyKind::Identity, Bytes::new())
        .await
        .unwrap()
        .len()
}

#[tokio::test]
async fn starting_at_once_makes_one_device_and_one_session() {
    let bench = Bench::new();
    let starts = (0..8).map(|_| async {
        bench
            .gateway
            .start_session(&token(SHOP), CallPatch::default())
            .await
    });
    let started = join_all(starts).await;
    let first = started[0].as_ref().unwrap().id;
    assert!(started.iter().all(|device| device.as_ref().unwrap().id == first));
    assert_eq!(bench.driver.times_opened(SHOP), 1);
}

#[tokio::test]
async fn starting_a_connected_device_changes_nothing() {
    let bench = Bench::new();
    let session = bench.paired(SHOP).await;
    let before = bench.device(SHOP).await;
    bench
        .gateway
        .start_session(&token(SHOP), CallPatch::default())
        .await
        .unwrap();
    assert_eq!(bench.device(SHOP).await, before);
    assert_eq!((bench.driver.times_opened(SHOP), session.is_closed()), (1, false));
}

#[tokio::test]
async fn a_device_that_was_logged_out_starts_over_with_fresh_keys() {
    let bench = Bench::new();
    let old = bench.paired(SHOP).await;
    let device = bench.device(SHOP).await;
    assert_eq!(keys_of(&bench, device.id).await, 1);
    old.end(EndReason::LoggedOut).await;

    bench
        .gateway
        .start_session(&token(SHOP), CallPatch::default())
        .await
        .unwrap();
    let after = bench.device(SHOP).await;
    assert_eq!((after.jid, after.lid, after.ended), (None, None, None));
    assert_eq!(keys_of(&bench, device.id).await, 0);
    assert_eq!((bench.driver.times_opened(SHOP), old.is_closed()), (2, true));
}

#[tokio::test]
async fn a_device_that_was_replaced_keeps_its_link() {
    let bench = Bench::new();
    let session = bench.paired(SHOP).await;
    session.end(EndReason::Replaced).await;
    bench
        .gateway
        .start_session(&token(SHOP), CallPatch::default())
        .await
        .unwrap();
    let device = bench.device(SHOP).await;
    assert!(device.is_paired() && device.ended.is_none());
    assert_eq!(keys_of(&bench, device.id).await, 1);
    assert_eq!(bench.driver.times_opened(SHOP), 1, "the same session is woken");
    assert!(
        bench
            .gateway
            .session_status(&token(SHOP))
            .await
            .unwrap()
            .state
            .is_connected()
    );
}

#[tokio::test]
async fn logging_out_unlinks_erases_and_tells_once() {
    let bench = Bench::new();
    let session = bench.paired(SHOP).await;
    bench.gateway.log_out(&token(SHOP)).await.unwrap();
    let device = bench.device(SHOP).await;
    assert_eq!((device.jid, device.ended), (None, Some(EndReason::LoggedOut)));
    assert_eq!(keys_of(&bench, device.id).await, 0);
    assert_eq!((session.logouts(), session.is_closed()), (1, true));
    let ends = bench
        .store
        .recorded()
        .iter()
        .filter(|event| event.kind == EventKind::Ended)
        .count();
    assert_eq!(ends, 1);
    let again = bench.gateway.log_out(&token(SHOP)).await.unwrap_err();
    assert!(matches!(
        again,
        Error::WrongState {
            needs: Needs::Paired,
            ..
        }
    ));
}

#[tokio::test]
async fn a_restart_resumes_what_was_linked() {
    let mut bench = Bench::new();
    bench.paired("linked").await;
    bench
        .paired("banned")
        .await
        .end(EndReason::Banned {
            code: 403,
            until: None,
        })
        .await;
    bench
        .gateway
        .start_session(&token("unpaired"), CallPatch::default())
        .await
        .unwrap();
    bench.restart().await;
    assert_eq!(bench.gateway.resume_sessions().await.unwrap(), 1);
    let state = async |name: &str| bench.gateway.session_status(&token(name)).await.unwrap().state;
    assert!(state("linked").await.is_connected());
    assert_eq!(state("banned").await.as_str(), "banned");
    assert_eq!(state("unpaired").await, SessionState::Stopped);
    assert_eq!(
        bench.gateway.resume_sessions().await.unwrap(),
        0,
        "what runs is not opened twice"
    );
}

#[tokio::test]
async fn call_settings_survive_a_restart() {
    let mut bench = Bench::new();
    let calls = CallPatch {
        reject: Some(true),
        message: Some("Busy".into()),
        ..CallPatch::default()
    };
    bench.gateway.start_session(&token(SHOP), calls).await.unwrap();
    bench.restart().await;
    let device = bench
        .gateway
        .start_session(&token(SHOP), CallPatch::default())
        .await
        .unwrap();
    assert_eq!(
        (device.calls.reject, device.calls.message.as_deref()),
        (true, Some("Busy"))
    );
}

#[tokio::test]
async fn an_empty_message_to_callers_removes_it() {
    let bench = Bench::new();
    let say = |text: &str| CallPatch {
        message: Some(text.into()),
        ..CallPatch::default()
    };
    bench
        .gateway
        .start_session(&token(SHOP), say("Busy"))
        .await
        .unwrap();
    let device = bench.gateway.start_session(&token(SHOP), say("")).await.unwrap();
    assert_eq!(device.calls.message, None);
}

#[tokio::test]
async fn a_code_to_scan_opens_the_session_by_itself() {
    let mut bench = Bench::new();
    bench
        .gateway
        .start_session(&token(SHOP), CallPatch::default())
        .await
        .unwrap();
    bench.restart().await;
    let token = token(SHOP);
    let (outcome, ()) = tokio::join!(bench.gateway.pairing_qr(&token), async {
        bench.clock.sleepers(1).await;
        bench.driver.session(SHOP).issue_qr("2@after-restart").await;
    });
    let QrOutcome::Scan { qr, .. } = outcome.unwrap() else {
        panic!("it is not paired")
    };
    assert_eq!(qr.reveal(), "2@after-restart");
}

#[tokio::test]
async fn a_session_that_ends_while_somebody_waits_for_it_is_told() {
    let bench = Bench::new();
    bench
        .gateway
        .start_session(&token(SHOP), CallPatch::default())
        .await
        .unwrap();
    let token = token(SHOP);
    let (outcome, ()) = tokio::join!(bench.gateway.pairing_qr(&token), async {
        bench.clock.sleepers(1).await;
        bench.driver.session(SHOP).end(EndReason::Outdated).await;
    });
    assert!(matches!(outcome, Err(Error::WrongState { is, .. }) if is == "outdated"));
}

#[tokio::test]
async fn waiting_ends_when_patience_does() {
    let bench = Bench::new();
    bench
        .gateway
        .start_session(&token(SHOP), CallPatch::default())
        .await
        .unwrap();
    let token = token(SHOP);
    let (outcome, ()) = tokio::join!(bench.gateway.pairing_qr(&token), async {
        bench.clock.sleepers(1).await;
        bench.clock.advance(Duration::from_secs(20));
    });
    assert!(matches!(outcome, Err(Error::TimedOut { what: "qr" })));
}

#[tokio::test]
async fn deleting_takes_everything_away() {
    let bench = Bench::new();
    let session = bench.paired(SHOP).await;
    let device = bench.device(SHOP).await;
    bench
        .gateway
        .set_webhook(&token(SHOP), "https://example.com/")
        .await
        .unwrap();
    bench.gateway.delete_device(&token(SHOP)).await.unwrap();
    assert_eq!(bench.store.find(&token(SHOP)).await.unwrap(), None);
    assert_eq!(keys_of(&bench, device.id).await, 0);
    assert_eq!((session.logouts(), session.is_closed()), (1, true));
    bench
        .gateway
        .start_session(&token(SHOP), CallPatch::default())
        .await
        .unwrap();
    let listed = bench.gateway.webhook(&token(SHOP)).await.unwrap();
    assert_eq!(listed, None, "the token starts afresh");
}
