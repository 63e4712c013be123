//! Making, changing and listing devices.

use wagate_domain::Error;
use wagate_domain::gateway::{CallPatch, DevicePatch};
use wagate_domain::model::{
    Change, CursorQuery, DeviceFilter, DeviceId, EndReason, Group, Jid, SessionState, StateName,
};

use crate::bench::{Bench, SHOP, token};

fn state(name: &str) -> StateName {
    name.parse().unwrap()
}

async fn listed(
    bench: &Bench,
    state: Option<StateName>,
    query: CursorQuery<DeviceId>,
) -> (Vec<String>, Option<DeviceId>, u64) {
    let all = DeviceFilter::default();
    let listing = bench.gateway.list_devices(&all, state, query);
    let (page, total) = listing.await.unwrap();
    let tokens = page.items.iter().map(|status| status.device.token.to_string());
    (tokens.collect(), page.next, total)
}

#[tokio::test]
async fn a_new_device_rests_until_it_is_woken() {
    let bench = Bench::new();
    let fields = DevicePatch {
        label: Change::Set("Corner shop".parse().unwrap()),
        workspace: Change::Set("North".parse().unwrap()),
    };
    let made = bench.gateway.create_device(&token(SHOP), fields).await.unwrap();
    assert_eq!(
        (made.state, bench.driver.times_opened(SHOP)),
        (SessionState::Stopped, 0)
    );
    assert_eq!(made.device.label.unwrap().as_str(), "Corner shop");
    assert_eq!(made.device.workspace.unwrap().as_str(), "North");

    let again = token(SHOP);
    let taken = bench.gateway.create_device(&again, DevicePatch::default());
    assert!(matches!(
        taken.await.unwrap_err(),
        Error::AlreadyExists { what: "device", .. }
    ));
    let woken = bench.gateway.wake_session(&token(SHOP)).await.unwrap();
    assert_eq!(woken.state, SessionState::Connecting);
}

#[tokio::test]
async fn waking_makes_no_device() {
    let bench = Bench::new();
    let missing = bench.gateway.wake_session(&token(SHOP)).await.unwrap_err();
    assert!(matches!(missing, Error::NotFound { what: "device", .. }));
    let missing = bench.gateway.begin_reconnect(&token(SHOP)).await.unwrap_err();
    assert!(matches!(missing, Error::NotFound { what: "device", .. }));
}

#[tokio::test]
async fn a_change_leaves_the_rest_alone() {
    let bench = Bench::new();
    bench.paired(SHOP).await;
    let before = bench.device(SHOP).await;
    let named = DevicePatch {
        label: Change::Set("Corner shop".parse().unwrap()),
        ..DevicePatch::default()
    };
    let after = bench.gateway.update_device(&token(SHOP), named).await.unwrap();
    assert_eq!(
        (&after.device.jid, after.state.is_connected()),
        (&before.jid, true)
    );
    assert_eq!(after.device, bench.device(SHOP).await);
    let emptied = DevicePatch {
        label: Change::Clear,
        ..DevicePatch::default()
    };
    bench.gateway.update_device(&token(SHOP), emptied).await.unwrap();
    assert_eq!(bench.device(SHOP).await, before);
}

#[tokio::test]
async fn lists_go_by_state_and_are_counted() {
    let bench = Bench::new();
    for name in ["one", "two", "three"] {
        bench
            .gateway
            .create_device(&token(name), DevicePatch::default())
            .await
            .unwrap();
    }
    bench.paired("four").await;
    bench.paired("five").await.end(EndReason::Replaced).await;

    let page = |after, limit| CursorQuery::new(after, limit);
    let (first, next, total) = listed(&bench, None, page(None, 2)).await;
    assert_eq!((first, total), (vec!["five".into(), "four".into()], 5));
    let (second, next, _) = listed(&bench, None, page(next, 2)).await;
    assert_eq!(second, ["three", "two"]);
    assert_eq!(
        listed(&bench, None, page(next, 2)).await,
        (vec!["one".into()], None, 5)
    );

    let (stopped, next, total) = listed(&bench, Some(state("stopped")), page(None, 2)).await;
    assert_eq!((stopped, total), (vec!["three".into(), "two".into()], 3));
    assert_eq!(
        listed(&bench, Some(state("stopped")), page(next, 2)).await,
        (vec!["one".into()], None, 3)
    );
    assert_eq!(
        listed(&bench, Some(state("replaced")), page(None, 2)).await.0,
        ["five"]
    );
    assert_eq!(listed(&bench, Some(state("banned")), page(None, 2)).await.2, 0);

    let health = bench.gateway.get_health().await.unwrap();
    let counted: Vec<(&str, u64)> = health
        .sessions
        .iter()
        .filter(|(_, count)| **count > 0)
        .map(|(state, count)| (state.as_str(), *count))
        .collect();
    assert_eq!(counted, [("connected", 1), ("replaced", 1), ("stopped", 3)]);
    assert_eq!(health.sessions.len(), StateName::ALL.len());
}

#[tokio::test]
async fn an_end_is_known_without_its_session() {
    let mut bench = Bench::new();
    bench.paired(SHOP).await.end(EndReason::Outdated).await;
    bench.restart().await;
    let (found, _, _) = listed(&bench, Some(state("outdated")), CursorQuery::new(None, 9)).await;
    assert_eq!(found, [SHOP]);
}

fn group(user: &str, name: &str) -> Group {
    Group {
        jid: format!("{user}@g.us").parse().unwrap(),
        owner: None,
        owner_phone: None,
        name: name.into(),
        name_set_at: None,
        name_set_by: None,
        topic: None,
        topic_id: None,
        is_locked: false,
        is_announce: false,
        disappearing_timer: 0,
        join_approval: false,
        is_parent: false,
        linked_parent: None,
        addressed_by_lid: false,
        created_at: None,
        participants: Vec::new(),
    }
}

#[tokio::test]
async fn groups_are_found_by_name_and_come_in_pages() {
    let bench = Bench::new();
    let session = bench.paired(SHOP).await;
    session.set_groups(vec![
        group("120363000000000003", "Sales"),
        group("120363000000000001", "SALES north"),
        group("120363000000000002", "Family"),
    ]);
    let shop = token(SHOP);
    let find = async |search: Option<&str>, after: Option<Jid>, limit| {
        let query = CursorQuery::new(after, limit);
        let page = bench.gateway.list_groups(&shop, search, &query).await.unwrap();
        let names: Vec<String> = page.items.into_iter().map(|group| group.name).collect();
        (names, page.next)
    };
    let (first, next) = find(Some("sales"), None, 1).await;
    assert_eq!(first, ["SALES north"]);
    assert_eq!(find(Some("sales"), next, 1).await, (vec!["Sales".into()], None));
    assert_eq!(find(None, None, 9).await.0, ["SALES north", "Family", "Sales"]);

    let known = "120363000000000002@g.us".parse().unwrap();
    assert_eq!(
        bench.gateway.get_group(&shop, &known).await.unwrap().name,
        "Family"
    );
    let other = "120363000000000009@g.us".parse().unwrap();
    assert!(matches!(
        bench.gateway.get_group(&shop, &other).await.unwrap_err(),
        Error::NotFound { what: "group", .. }
    ));
}

#[tokio::test]
async fn reconnecting_begins_without_waiting() {
    let bench = Bench::new();
    bench.paired(SHOP).await;
    bench.driver.go_out_of_reach();
    let begun = bench.gateway.begin_reconnect(&token(SHOP)).await.unwrap();
    assert_eq!(begun.state.as_str(), "unreachable");
    bench
        .gateway
        .start_session(&token("unpaired"), CallPatch::default())
        .await
        .unwrap();
    let unpaired = bench
        .gateway
        .begin_reconnect(&token("unpaired"))
        .await
        .unwrap_err();
    assert_eq!(unpaired.code(), "session_not_paired");
}
