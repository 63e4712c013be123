//! A restarted simulator is the same simulator.
#![expect(clippy::unwrap_used, reason = "a test may fail")]

mod support;

use std::path::Path;

use serde_json::json;
use support::{ANNA, BEN, start_with};
use tokio::net::TcpListener;
use wa_sim::{Error, Settings, Sim};

fn settings(path: &Path) -> Settings {
    Settings {
        state_file: Some(path.to_owned()),
        ..Settings::default()
    }
}

async fn listener() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").await.unwrap()
}

#[tokio::test]
async fn phones_messages_media_and_keys_outlive_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("deeper/sim.json");
    let first = start_with(settings(&path)).await;
    let anna = first.phone(ANNA, "Anna").await;
    first.phone(BEN, "Ben").await;
    let group = first
        .post(
            &format!("/sim/phones/{ANNA}/groups"),
            json!({ "subject": "G", "participants": [BEN] }),
        )
        .await;
    assert!(group.1["jid"].as_str().unwrap().ends_with("@g.us"), "{group:?}");
    let messages = format!("/sim/phones/{ANNA}/messages");
    first
        .post(&messages, json!({ "to": BEN, "text": "before" }))
        .await;
    let (before, root_key) = (first.get(&messages).await, first.world.root_key());
    let blob = first.media.put("image", b"cipher");
    first.stop().await.unwrap();

    let second = start_with(settings(&path)).await;
    assert_eq!(second.get(&format!("/sim/phones/{ANNA}")).await.1, anna);
    assert_eq!(second.get(&messages).await, before);
    assert_eq!(second.world.root_key(), root_key);
    assert_eq!(second.media.get(&blob).unwrap(), b"cipher".as_slice());
    let (status, sent) = second
        .post(&messages, json!({ "to": BEN, "text": "after" }))
        .await;
    assert!(status.is_success(), "{sent}");
    let (_, at_ben) = second.get(&format!("/sim/phones/{BEN}/messages")).await;
    assert_eq!(
        at_ben["data"].as_array().unwrap().last().unwrap()["text"],
        "after",
        "{at_ben}"
    );
    second.stop().await.unwrap();
}

#[tokio::test]
async fn a_change_is_saved_before_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sim.json");
    let sim = start_with(settings(&path)).await;
    sim.phone(ANNA, "Anna").await;
    let saved = async {
        while !std::fs::read_to_string(&path).is_ok_and(|text| text.contains(ANNA)) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(20), saved)
        .await
        .unwrap();
    sim.stop().await.unwrap();
}

#[tokio::test]
async fn a_file_that_is_no_state_stops_the_start_and_stays_untouched() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sim.json");
    for text in ["half a fi", "{}", r#"{"format":999,"world":{}}"#] {
        std::fs::write(&path, text).unwrap();
        let refused = Sim::bind(listener().await, settings(&path)).unwrap_err();
        assert!(
            matches!(&refused, Error::StateFile { path: named, .. } if *named == path),
            "{refused}"
        );
        assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
    }
}

#[cfg(unix)]
#[tokio::test]
async fn the_file_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sim.json");
    start_with(settings(&path)).await.stop().await.unwrap();
    assert_eq!(
        std::fs::metadata(&path).unwrap().permissions().mode() & 0o777,
        0o600
    );
}
