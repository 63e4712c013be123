//! Hearing what happens while it happens.

use std::task::Poll;
use std::time::Duration;

use futures_util::stream::{BoxStream, StreamExt};
use futures_util::{FutureExt, poll};
use tokio::task::unconstrained;
use wagate_domain::gateway::{CallPatch, DevicePatch, SessionChange};
use wagate_domain::model::{EndReason, EventBody, EventId, EventKind};
use wagate_domain::ports::{EventStore, StoredEvent};
use wagate_domain::testing::FakeSession;
use wagate_domain::{Error, Result};

use crate::bench::{Bench, SHOP, token};

/// What was told by now, without waiting for more. Unconstrained, because the runtime makes those wait who poll much.
async fn told(changes: &mut BoxStream<'static, SessionChange>) -> Vec<(String, &'static str)> {
    let mut told = Vec::new();
    while let Poll::Ready(change) = poll!(unconstrained(changes.next())) {
        let change = change.unwrap();
        told.push((change.device.to_string(), change.state.as_str()));
    }
    told
}

fn shop(state: &'static str) -> (String, &'static str) {
    (SHOP.into(), state)
}

#[tokio::test]
async fn every_change_of_a_session_is_told() {
    let bench = Bench::new();
    let mut changes = bench.gateway.watch_sessions(None).await.unwrap();
    assert_eq!(told(&mut changes).await, []);
    bench
        .gateway
        .start_session(&token(SHOP), CallPatch::default())
        .await
        .unwrap();
    assert_eq!(told(&mut changes).await, [shop("connecting")]);
    let session = bench.driver.session(SHOP);
    session.issue_qr("2@scan-me").await;
    assert_eq!(told(&mut changes).await, [shop("awaiting_scan")]);
    session.scan("628123456789:7@s.whatsapp.net", None).await;
    assert_eq!(told(&mut changes).await, [shop("connected")]);
    bench.gateway.log_out(&token(SHOP)).await.unwrap();
    assert_eq!(told(&mut changes).await, [shop("logged_out")]);
    bench
        .gateway
        .start_session(&token(SHOP), CallPatch::default())
        .await
        .unwrap();
    assert_eq!(told(&mut changes).await, [shop("connecting")], "a new session");
}

#[tokio::test]
async fn whoever_is_slow_hears_the_latest_state() {
    let bench = Bench::new();
    let session = bench.paired(SHOP).await;
    let mut changes = bench.gateway.watch_sessions(None).await.unwrap();
    for _ in 0..100 {
        session.drop_connection().await;
        session.connect().await;
    }
    session.end(EndReason::Replaced).await;
    assert_eq!(told(&mut changes).await, [shop("replaced")]);
}

#[tokio::test]
async fn a_watch_on_one_device_begins_with_what_it_does_now() {
    let bench = Bench::new();
    bench
        .gateway
        .create_device(&token("resting"), DevicePatch::default())
        .await
        .unwrap();
    let session = bench.paired(SHOP).await;
    let other = bench.paired("other").await;
    let mut changes = bench.gateway.watch_sessions(Some(&token(SHOP))).await.unwrap();
    assert_eq!(told(&mut changes).await, [shop("connected")]);
    other.drop_connection().await;
    session.drop_connection().await;
    assert_eq!(told(&mut changes).await, [shop("unreachable")]);

    let mut resting = bench
        .gateway
        .watch_sessions(Some(&token("resting")))
        .await
        .unwrap();
    assert_eq!(told(&mut resting).await, [("resting".to_owned(), "stopped")]);
    bench.gateway.wake_session(&token("resting")).await.unwrap();
    assert_eq!(told(&mut resting).await, [("resting".to_owned(), "connecting")]);
    let missing = bench.gateway.watch_sessions(Some(&token("nobody"))).await.err();
    assert!(matches!(missing, Some(Error::NotFound { what: "device", .. })));
}

async fn receive_call(session: &FakeSession, id: &str) {
    use wagate_domain::model::event::{CallState, IncomingCall};
    let call = IncomingCall {
        call_id: id.into(),
        from: "111@lid".parse().unwrap(),
        from_phone: None,
        video: false,
        state: CallState::Missed,
    };
    session.receive(EventBody::CallReceived(call)).await.unwrap();
}

/// The ids of what was recorded by now, as somebody hears of it who followed.
async fn heard(events: &mut BoxStream<'static, Result<StoredEvent>>) -> Vec<EventId> {
    let mut ids = Vec::new();
    while let Poll::Ready(event) = poll!(unconstrained(events.next())) {
        ids.push(event.unwrap().unwrap().id);
    }
    ids
}

fn recorded(bench: &Bench) -> Vec<EventId> {
    bench.store.recorded().iter().map(|event| event.id).collect()
}

#[tokio::test]
async fn events_are_heard_from_now_on_or_from_where_one_was() {
    let bench = Bench::new();
    let session = bench.paired(SHOP).await;
    let before = recorded(&bench);
    let mut now = bench.gateway.follow_events(None, Vec::new(), None).await.unwrap();
    let again = bench.gateway.follow_events(None, Vec::new(), Some(before[0]));
    let mut again = again.await.unwrap();
    assert_eq!(heard(&mut now).await, []);
    assert_eq!(heard(&mut again).await, before[1..]);

    receive_call(&session, "one").await;
    receive_call(&session, "one").await;
    receive_call(&session, "two").await;
    let all = recorded(&bench);
    assert_eq!(all.len(), before.len() + 2);
    assert_eq!(heard(&mut now).await, all[before.len()..]);
    assert_eq!(heard(&mut again).await, all[before.len()..]);
}

#[tokio::test]
async fn many_events_are_heard_in_order() {
    let bench = Bench::new();
    let session = bench.paired(SHOP).await;
    let mut events = bench.gateway.follow_events(None, Vec::new(), None).await.unwrap();
    let before = recorded(&bench).len();
    for number in 0..450 {
        receive_call(&session, &number.to_string()).await;
    }
    assert_eq!(heard(&mut events).await, recorded(&bench)[before..]);
}

#[tokio::test]
async fn events_are_chosen_by_device_and_kind() {
    let bench = Bench::new();
    let session = bench.paired(SHOP).await;
    let other = bench.paired("other").await;
    let kinds = vec![EventKind::Call];
    let shop = token(SHOP);
    let following = bench.gateway.follow_events(Some(&shop), kinds, None);
    let mut calls = following.await.unwrap();
    receive_call(&other, "elsewhere").await;
    session.drop_connection().await;
    receive_call(&session, "here").await;
    let last = bench.store.last().await.unwrap().unwrap();
    assert_eq!(heard(&mut calls).await, [last]);
}

#[tokio::test]
async fn a_database_that_is_away_ends_it() {
    let bench = Bench::new();
    let session = bench.paired(SHOP).await;
    let mut events = bench.gateway.follow_events(None, Vec::new(), None).await.unwrap();
    assert!(events.next().now_or_never().is_none());
    receive_call(&session, "one").await;
    bench.store.go_down();
    let failed = events.next().await.unwrap().unwrap_err();
    assert_eq!(failed.code(), "database_unavailable");
    assert!(events.next().await.is_none());
    bench.store.come_back();
    bench.clock.advance(Duration::from_secs(1));
    let last = recorded(&bench);
    let after = last[last.len() - 2];
    let following = bench.gateway.follow_events(None, Vec::new(), Some(after));
    assert_eq!(heard(&mut following.await.unwrap()).await, last[last.len() - 1..]);
}
