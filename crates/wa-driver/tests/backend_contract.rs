//! One suite for upstream's storage traits: our backend over the memory store must behave like the two
//! backends that upstream ships.
#![expect(
    clippy::unwrap_used,
    reason = "a contract that is broken must panic: that is how a test fails"
)]

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use ulid::Ulid;
use wa_driver::keys::{VaultBackend, World};
use wagate_domain::model::{Device, DeviceId, Timestamp};
use wagate_domain::ports::{Clock, Devices as _};
use wagate_domain::testing::{FakeClock, MemoryStore};
use whatsapp_rust::Jid;
use whatsapp_rust::wacore::appstate::hash::HashState;
use whatsapp_rust::wacore::appstate::processor::AppStateMutationMAC;
use whatsapp_rust::wacore::store::device::{CachedNoiseCert, CachedServerCertChain};
use whatsapp_rust::wacore::store::in_memory::InMemoryBackend;
use whatsapp_rust::wacore::store::traits::{
    AppStateSyncKey, Backend, DeviceInfo, DeviceListRecord, DeviceStore, LidPnMappingEntry, MsgSecretEntry,
    PendingInboundKey, PendingInboundRow, SignalStore, TcTokenEntry,
};
use whatsapp_rust::wacore::time::now_secs;
use whatsapp_rust_sqlite_storage::SqliteStore;

const GROUP: &str = "120363000000000001@g.us";
const ALICE: &str = "628111@s.whatsapp.net";
const BOB: &str = "628222@s.whatsapp.net";

/// Runs a part of the suite on every backend.
async fn on_all<F, R>(part: F)
where
    F: Fn(Arc<dyn Backend>) -> R,
    R: Future<Output = ()>,
{
    part(Arc::new(ours().await)).await;
    part(Arc::new(InMemoryBackend::new())).await;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("keys.db");
    let sqlite = SqliteStore::new(path.to_str().unwrap()).await.unwrap();
    sqlite.create().await.unwrap();
    part(Arc::new(sqlite)).await;
}

fn device(n: u128) -> DeviceId {
    DeviceId::new(Ulid::from_parts(1, n))
}

/// Upstream's backends stamp with the machine's clock, so ours must show the same time.
async fn ours() -> VaultBackend {
    let clock = FakeClock::new(Timestamp::from_secs(now_secs()));
    VaultBackend::new(device(1), vault(&[1]).await, Arc::new(clock), World::WhatsApp)
}

/// A store that has these devices: keys hang on them.
async fn vault(devices: &[u128]) -> Arc<MemoryStore> {
    let store = Arc::new(MemoryStore::new());
    for n in devices {
        let token = format!("device-{n}").parse().unwrap();
        store
            .create(Device::new(device(*n), token, Timestamp(0)))
            .await
            .unwrap();
    }
    store
}

fn sorted<T: Ord>(mut items: Vec<T>) -> Vec<T> {
    items.sort();
    items
}

#[tokio::test]
async fn identities() {
    on_all(|b| async move {
        assert_eq!(b.load_identity(ALICE).await.unwrap(), None);
        b.put_identity(ALICE, [1; 32]).await.unwrap();
        b.put_identity(ALICE, [2; 32]).await.unwrap();
        b.put_identities_batch(&[(BOB.into(), [3; 32]), ("628333:1@s.whatsapp.net".into(), [4; 32])])
            .await
            .unwrap();
        assert_eq!(b.load_identity(ALICE).await.unwrap(), Some([2; 32]));
        assert_eq!(b.load_identity(BOB).await.unwrap(), Some([3; 32]));
        b.delete_identity(ALICE).await.unwrap();
        b.delete_identity(ALICE).await.unwrap();
        assert_eq!(b.load_identity(ALICE).await.unwrap(), None);
    })
    .await;
}

#[tokio::test]
async fn sessions() {
    on_all(|b| async move {
        assert_eq!(b.get_session(ALICE).await.unwrap(), None);
        assert!(!b.has_session(ALICE).await.unwrap());
        b.put_session(ALICE, b"one").await.unwrap();
        assert!(b.has_session(ALICE).await.unwrap());
        let batch = [
            (Arc::from(ALICE), Bytes::from_static(b"two")),
            (Arc::from(BOB), Bytes::from_static(b"three")),
        ];
        b.put_sessions_batch(&batch).await.unwrap();
        b.put_sessions_batch(&[]).await.unwrap();
        assert_eq!(b.get_session(ALICE).await.unwrap().unwrap(), "two");
        assert_eq!(b.get_session(BOB).await.unwrap().unwrap(), "three");
        b.delete_session(ALICE).await.unwrap();
        assert_eq!(b.get_session(ALICE).await.unwrap(), None);
        assert_eq!(b.get_session(BOB).await.unwrap().unwrap(), "three");
    })
    .await;
}

#[tokio::test]
async fn signal_state_is_found_for_all_devices_of_a_user_and_no_other() {
    on_all(|b| async move {
        assert!(!b.has_signal_state_for_user("628111").await.unwrap());
        b.put_session("628111:3@s.whatsapp.net", b"s").await.unwrap();
        b.put_identity("628222@s.whatsapp.net", [1; 32]).await.unwrap();
        assert!(b.has_signal_state_for_user("628111").await.unwrap());
        assert!(b.has_signal_state_for_user("628222").await.unwrap());
        assert!(!b.has_signal_state_for_user("62811").await.unwrap());
        assert!(!b.has_signal_state_for_user("6281111").await.unwrap());
    })
    .await;
}

#[tokio::test]
async fn prekeys() {
    on_all(|b| async move {
        assert_eq!(b.get_max_prekey_id().await.unwrap(), 0);
        b.store_prekey(1, b"k1", false).await.unwrap();
        let batch: Vec<(u32, Bytes)> = (2..=812).map(|id| (id, Bytes::from(format!("k{id}")))).collect();
        b.store_prekeys_batch(&batch, false).await.unwrap();
        assert_eq!(b.get_max_prekey_id().await.unwrap(), 812);
        assert_eq!(b.load_prekey(1).await.unwrap().unwrap(), "k1");
        assert_eq!(b.load_prekey(813).await.unwrap(), None);
        let loaded = sorted(b.load_prekeys_batch(&[3, 2, 900]).await.unwrap());
        assert_eq!(loaded, [(2, Bytes::from("k2")), (3, Bytes::from("k3"))]);
        b.remove_prekey(2).await.unwrap();
        assert_eq!(b.load_prekey(2).await.unwrap(), None);
    })
    .await;
}

#[tokio::test]
async fn marking_prekeys_never_brings_back_one_that_is_used_up() {
    on_all(|b| async move {
        b.store_prekeys_batch(&[(1, Bytes::from("k1")), (2, Bytes::from("k2"))], false)
            .await
            .unwrap();
        b.remove_prekey(1).await.unwrap();
        b.mark_prekeys_uploaded(&[1, 2, 3]).await.unwrap();
        assert_eq!(b.load_prekey(1).await.unwrap(), None);
        assert_eq!(b.load_prekey(2).await.unwrap().unwrap(), "k2");
        assert_eq!(b.load_prekey(3).await.unwrap(), None);
    })
    .await;
}

#[tokio::test]
async fn signed_prekeys() {
    on_all(|b| async move {
        assert_eq!(b.load_signed_prekey(1).await.unwrap(), None);
        b.store_signed_prekey(2, b"two").await.unwrap();
        b.store_signed_prekey(1, b"one").await.unwrap();
        b.store_signed_prekey(1, b"uno").await.unwrap();
        assert_eq!(b.load_signed_prekey(1).await.unwrap().unwrap(), b"uno");
        let all = sorted(b.load_all_signed_prekeys().await.unwrap());
        assert_eq!(all, [(1, b"uno".to_vec()), (2, b"two".to_vec())]);
        b.remove_signed_prekey(1).await.unwrap();
        assert_eq!(b.load_signed_prekey(1).await.unwrap(), None);
    })
    .await;
}

#[tokio::test]
async fn sender_keys() {
    on_all(|b| async move {
        let name = format!("{GROUP}::{ALICE}");
        assert_eq!(b.get_sender_key(&name).await.unwrap(), None);
        b.put_sender_key(&name, b"one").await.unwrap();
        b.put_sender_keys_batch(&[
            (name.as_str().into(), Bytes::from("two")),
            ("x".into(), Bytes::from("y")),
        ])
        .await
        .unwrap();
        assert_eq!(b.get_sender_key(&name).await.unwrap().unwrap(), b"two");
        b.delete_sender_key(&name).await.unwrap();
        assert_eq!(b.get_sender_key(&name).await.unwrap(), None);
        assert_eq!(b.get_sender_key("x").await.unwrap().unwrap(), b"y");
    })
    .await;
}

#[tokio::test]
async fn app_state_keys() {
    on_all(|b| async move {
        assert_eq!(b.get_latest_sync_key_id().await.unwrap(), None);
        assert!(b.get_sync_key(b"k1").await.unwrap().is_none());
        let key = |n| AppStateSyncKey {
            key_data: vec![n; 32],
            fingerprint: vec![n],
            timestamp: n.into(),
        };
        b.set_sync_key(b"k1", key(1)).await.unwrap();
        b.set_sync_key(b"k2", key(2)).await.unwrap();
        let found = b.get_sync_key(b"k1").await.unwrap().unwrap();
        assert_eq!(
            (found.key_data, found.fingerprint, found.timestamp),
            (vec![1; 32], vec![1], 1)
        );
        assert_eq!(b.get_latest_sync_key_id().await.unwrap().unwrap(), b"k2");
    })
    .await;
}

#[tokio::test]
async fn app_state_versions() {
    on_all(|b| async move {
        let fresh = b.get_version("regular").await.unwrap();
        assert_eq!((fresh.version, fresh.hash), (0, [0; 128]));
        let state = HashState {
            version: 7,
            hash: [9; 128],
            mac_mismatch_fatal: true,
            ..HashState::default()
        };
        b.set_version("regular", state).await.unwrap();
        let stored = b.get_version("regular").await.unwrap();
        assert_eq!(
            (stored.version, stored.hash, stored.mac_mismatch_fatal),
            (7, [9; 128], true)
        );
        assert_eq!(b.get_version("critical_block").await.unwrap().version, 0);
    })
    .await;
}

#[tokio::test]
async fn mutation_macs() {
    on_all(|b| async move {
        let mac = |n: u8| AppStateMutationMAC {
            index_mac: vec![n; 32],
            value_mac: vec![n, n],
        };
        b.put_mutation_macs("regular", 1, &[mac(1), mac(2), mac(3)])
            .await
            .unwrap();
        b.put_mutation_macs("regular_low", 1, &[mac(1)]).await.unwrap();
        b.put_mutation_macs(
            "regular",
            2,
            &[AppStateMutationMAC {
                index_mac: vec![1; 32],
                value_mac: vec![8],
            }],
        )
        .await
        .unwrap();
        assert_eq!(
            b.get_mutation_mac("regular", &[1; 32]).await.unwrap().unwrap(),
            [8]
        );
        assert_eq!(b.get_mutation_mac("regular", &[9; 32]).await.unwrap(), None);
        let many = b
            .get_mutation_macs("regular", &[[1; 32], [2; 32], [9; 32]])
            .await
            .unwrap();
        assert_eq!(
            (many.len(), &many[&[1; 32]], &many[&[2; 32]]),
            (2, &vec![8], &vec![2, 2])
        );
        assert!(b.get_mutation_macs("regular", &[]).await.unwrap().is_empty());
        b.delete_mutation_macs("regular", &[vec![1; 32]]).await.unwrap();
        assert_eq!(b.get_mutation_mac("regular", &[1; 32]).await.unwrap(), None);
        b.clear_mutation_macs("regular").await.unwrap();
        assert_eq!(b.get_mutation_mac("regular", &[2; 32]).await.unwrap(), None);
        assert!(
            b.get_mutation_mac("regular_low", &[1; 32])
                .await
                .unwrap()
                .is_some(),
            "another collection stays"
        );
    })
    .await;
}

#[tokio::test]
async fn who_has_our_sender_key() {
    on_all(|b| async move {
        let other = "120363000000000002@g.us";
        assert!(b.get_sender_key_devices(GROUP).await.unwrap().is_empty());
        b.set_sender_key_status(GROUP, &[("1:1@lid", true), ("2:1@lid", false), ("3:1@lid", true)])
            .await
            .unwrap();
        b.set_sender_key_status(other, &[("1:1@lid", true)])
            .await
            .unwrap();
        b.set_sender_key_status(GROUP, &[("1:1@lid", false)])
            .await
            .unwrap();
        let row = |device: &str, has| (device.to_owned(), has);
        assert_eq!(
            sorted(b.get_sender_key_devices(GROUP).await.unwrap()),
            [row("1:1@lid", false), row("2:1@lid", false), row("3:1@lid", true)]
        );
        b.delete_sender_key_device_rows(&["1:1@lid"]).await.unwrap();
        b.delete_sender_key_device_rows(&[]).await.unwrap();
        assert_eq!(b.get_sender_key_devices(GROUP).await.unwrap().len(), 2);
        assert!(
            b.get_sender_key_devices(other).await.unwrap().is_empty(),
            "gone from every group"
        );
        b.set_sender_key_status(other, &[("4:1@lid", true)])
            .await
            .unwrap();
        b.clear_sender_key_devices(GROUP).await.unwrap();
        assert!(b.get_sender_key_devices(GROUP).await.unwrap().is_empty());
        assert_eq!(b.get_sender_key_devices(other).await.unwrap().len(), 1);
        b.clear_all_sender_key_devices().await.unwrap();
        assert!(b.get_sender_key_devices(other).await.unwrap().is_empty());
    })
    .await;
}

fn mapping(lid: &str, phone: &str, at: i64) -> LidPnMappingEntry {
    LidPnMappingEntry {
        lid: lid.into(),
        phone_number: phone.into(),
        created_at: at,
        updated_at: at,
        learning_source: "usync".into(),
    }
}

#[tokio::test]
async fn hidden_identities() {
    on_all(|b| async move {
        assert!(b.get_lid_mapping("77").await.unwrap().is_none());
        assert!(b.get_pn_mapping("628111").await.unwrap().is_none());
        b.put_lid_mapping(&mapping("77", "628111", 10)).await.unwrap();
        b.put_lid_mappings(&[mapping("88", "628222", 10), mapping("99", "628222", 20)])
            .await
            .unwrap();
        let found = b.get_lid_mapping("77").await.unwrap().unwrap();
        assert_eq!(
            (found.phone_number.as_str(), found.learning_source.as_str()),
            ("628111", "usync")
        );
        assert_eq!(b.get_pn_mapping("628111").await.unwrap().unwrap().lid, "77");
        assert_eq!(
            b.get_pn_mapping("628222").await.unwrap().unwrap().lid,
            "99",
            "the newest one counts"
        );
        assert!(b.get_pn_mapping("62811").await.unwrap().is_none());
        let lids = b
            .get_all_lid_mappings()
            .await
            .unwrap()
            .into_iter()
            .map(|m| m.lid)
            .collect();
        assert_eq!(sorted(lids), ["77", "88", "99"]);
    })
    .await;
}

#[tokio::test]
async fn a_hidden_identity_that_changes_its_number_leaves_the_old_one() {
    on_all(|b| async move {
        b.put_lid_mapping(&mapping("77", "628111", 10)).await.unwrap();
        b.put_lid_mapping(&mapping("77", "628999", 20)).await.unwrap();
        assert_eq!(
            b.get_lid_mapping("77").await.unwrap().unwrap().phone_number,
            "628999"
        );
        assert_eq!(b.get_pn_mapping("628999").await.unwrap().unwrap().lid, "77");
        assert!(b.get_pn_mapping("628111").await.unwrap().is_none());
    })
    .await;
}

#[tokio::test]
async fn base_keys() {
    on_all(|b| async move {
        assert!(!b.has_same_base_key(ALICE, "m1", b"k").await.unwrap());
        b.save_base_key(ALICE, "m1", b"k").await.unwrap();
        assert!(b.has_same_base_key(ALICE, "m1", b"k").await.unwrap());
        assert!(!b.has_same_base_key(ALICE, "m1", b"other").await.unwrap());
        assert!(!b.has_same_base_key(ALICE, "m2", b"k").await.unwrap());
        b.delete_base_key(ALICE, "m1").await.unwrap();
        assert!(!b.has_same_base_key(ALICE, "m1", b"k").await.unwrap());
    })
    .await;
}

#[tokio::test]
async fn device_lists() {
    on_all(|b| async move {
        let record = |user: &str, devices: &[u32]| DeviceListRecord {
            user: user.into(),
            devices: devices
                .iter()
                .map(|id| DeviceInfo::new(*id, Some(id + 1)).with_hosting(*id == 99))
                .collect(),
            timestamp: 5,
            phash: Some("2:x".into()),
            raw_id: Some(7),
        };
        assert!(b.get_devices("628111").await.unwrap().is_none());
        b.update_device_list(record("628111", &[0])).await.unwrap();
        b.update_device_lists(vec![record("628111", &[0, 3, 99]), record("628222", &[0])])
            .await
            .unwrap();
        let found = b.get_devices("628111").await.unwrap().unwrap();
        assert_eq!(
            (found.timestamp, found.phash.as_deref(), found.raw_id),
            (5, Some("2:x"), Some(7))
        );
        let devices: Vec<_> = found
            .devices
            .iter()
            .map(|d| (d.device_id, d.key_index, d.is_hosted))
            .collect();
        assert_eq!(
            devices,
            [(0, Some(1), false), (3, Some(4), false), (99, Some(100), true)]
        );
        b.delete_devices("628111").await.unwrap();
        assert!(b.get_devices("628111").await.unwrap().is_none());
        assert!(b.get_devices("628222").await.unwrap().is_some());
    })
    .await;
}

#[tokio::test]
async fn group_metadata() {
    on_all(|b| async move {
        assert_eq!(b.get_group_metadata(GROUP).await.unwrap(), None);
        b.put_group_metadata(GROUP, b"one").await.unwrap();
        b.put_group_metadata(GROUP, b"two").await.unwrap();
        assert_eq!(b.get_group_metadata(GROUP).await.unwrap().unwrap(), b"two");
        b.delete_group_metadata(GROUP).await.unwrap();
        assert_eq!(b.get_group_metadata(GROUP).await.unwrap(), None);
    })
    .await;
}

fn token(bytes: &[u8], at: i64, sender: Option<i64>) -> TcTokenEntry {
    TcTokenEntry {
        token: bytes.to_vec(),
        token_timestamp: at,
        sender_timestamp: sender,
    }
}

async fn stored(b: &Arc<dyn Backend>, jid: &str) -> (Vec<u8>, i64, Option<i64>) {
    let found = b.get_tc_token(jid).await.unwrap().unwrap();
    (found.token, found.token_timestamp, found.sender_timestamp)
}

#[tokio::test]
async fn trust_tokens() {
    on_all(|b| async move {
        assert!(b.get_tc_token("77@lid").await.unwrap().is_none());
        b.put_tc_token("77@lid", &token(b"t", 10, Some(5))).await.unwrap();
        b.put_tc_token("88@lid", &token(b"u", 10, None)).await.unwrap();
        assert_eq!(stored(&b, "77@lid").await, (b"t".to_vec(), 10, Some(5)));
        assert_eq!(
            sorted(b.get_all_tc_token_jids().await.unwrap()),
            ["77@lid", "88@lid"]
        );
        b.delete_tc_token("77@lid").await.unwrap();
        assert!(b.get_tc_token("77@lid").await.unwrap().is_none());
    })
    .await;
}

#[tokio::test]
async fn the_newer_trust_token_wins_and_each_writer_keeps_its_field() {
    on_all(|b| async move {
        b.touch_tc_token_sender_timestamp("77@lid", 50).await.unwrap();
        assert_eq!(stored(&b, "77@lid").await, (vec![], 50, Some(50)));
        b.store_received_tc_token("77@lid", b"first", 20).await.unwrap();
        assert_eq!(
            stored(&b, "77@lid").await,
            (b"first".to_vec(), 20, Some(50)),
            "a placeholder holds up nobody"
        );
        b.store_received_tc_token("77@lid", b"older", 10).await.unwrap();
        assert_eq!(stored(&b, "77@lid").await.0, b"first");
        b.store_received_tc_token("77@lid", b"same time", 20)
            .await
            .unwrap();
        assert_eq!(stored(&b, "77@lid").await, (b"same time".to_vec(), 20, Some(50)));
        b.touch_tc_token_sender_timestamp("77@lid", 40).await.unwrap();
        assert_eq!(
            stored(&b, "77@lid").await,
            (b"same time".to_vec(), 20, Some(50)),
            "never back"
        );
        b.touch_tc_token_sender_timestamp("77@lid", 60).await.unwrap();
        assert_eq!(stored(&b, "77@lid").await.2, Some(60));
    })
    .await;
}

#[tokio::test]
async fn a_trust_token_goes_when_both_its_halves_are_stale() {
    on_all(|b| async move {
        b.put_tc_token("live@lid", &token(b"t", 100, None)).await.unwrap();
        b.put_tc_token("sender@lid", &token(b"t", 10, Some(100)))
            .await
            .unwrap();
        b.put_tc_token("empty@lid", &token(b"", 100, None)).await.unwrap();
        b.put_tc_token("stale@lid", &token(b"t", 10, Some(10)))
            .await
            .unwrap();
        assert_eq!(b.delete_expired_tc_tokens(50, 50).await.unwrap(), 2);
        assert_eq!(
            sorted(b.get_all_tc_token_jids().await.unwrap()),
            ["live@lid", "sender@lid"]
        );
    })
    .await;
}

#[tokio::test]
async fn a_sent_message_is_taken_once() {
    on_all(|b| async move {
        b.store_sent_message(ALICE, "m1", b"one").await.unwrap();
        b.store_sent_message(ALICE, "m1", b"two").await.unwrap();
        b.store_sent_message(BOB, "m1", b"other").await.unwrap();
        let (first, second) =
            tokio::join!(b.take_sent_message(ALICE, "m1"), b.take_sent_message(ALICE, "m1"));
        let got: Vec<_> = [first.unwrap(), second.unwrap()].into_iter().flatten().collect();
        assert_eq!(got, [b"two".to_vec()]);
        assert_eq!(b.take_sent_message(BOB, "m1").await.unwrap().unwrap(), b"other");
    })
    .await;
}

#[tokio::test]
async fn sent_messages_expire_by_when_they_were_stored() {
    on_all(|b| async move {
        b.store_sent_message(ALICE, "m1", b"one").await.unwrap();
        assert_eq!(
            b.delete_expired_sent_messages(now_secs() - 7_200).await.unwrap(),
            0
        );
        assert_eq!(b.delete_expired_sent_messages(now_secs() - 1).await.unwrap(), 0);
        assert_eq!(b.delete_expired_sent_messages(now_secs() + 10).await.unwrap(), 1);
        assert_eq!(b.take_sent_message(ALICE, "m1").await.unwrap(), None);
    })
    .await;
}

#[tokio::test]
async fn pending_messages_are_kept_until_they_are_committed() {
    on_all(|b| async move {
        assert_eq!(b.get_pending_inbound(ALICE, BOB, "m1").await.unwrap(), None);
        b.store_pending_inbound(ALICE, BOB, "m1", b"one").await.unwrap();
        let row = |id, message| PendingInboundRow {
            chat: ALICE,
            sender: BOB,
            id,
            message,
        };
        b.store_pending_inbound_batch(&[row("m1", b"uno"), row("m2", b"two")])
            .await
            .unwrap();
        b.store_pending_inbound_batch(&[]).await.unwrap();
        assert_eq!(
            b.get_pending_inbound(ALICE, BOB, "m1").await.unwrap().unwrap(),
            b"uno"
        );
        assert_eq!(
            b.get_pending_inbound(ALICE, BOB, "m2").await.unwrap().unwrap(),
            b"two"
        );
        assert_eq!(b.get_pending_inbound(BOB, ALICE, "m2").await.unwrap(), None);
        b.delete_pending_inbound(ALICE, BOB, "m1").await.unwrap();
        let key = |id| PendingInboundKey {
            chat: ALICE,
            sender: BOB,
            id,
        };
        b.delete_pending_inbound_batch(&[key("m1"), key("m2")])
            .await
            .unwrap();
        assert_eq!(b.get_pending_inbound(ALICE, BOB, "m2").await.unwrap(), None);
    })
    .await;
}

#[tokio::test]
async fn pending_messages_expire_by_when_they_were_stored() {
    on_all(|b| async move {
        b.store_pending_inbound(ALICE, BOB, "m1", b"one").await.unwrap();
        assert_eq!(
            b.delete_expired_pending_inbound(now_secs() - 7 * 24 * 3_600)
                .await
                .unwrap(),
            0
        );
        assert_eq!(b.delete_expired_pending_inbound(now_secs() - 1).await.unwrap(), 0);
        assert_eq!(
            b.delete_expired_pending_inbound(now_secs() + 10).await.unwrap(),
            1
        );
        assert_eq!(b.get_pending_inbound(ALICE, BOB, "m1").await.unwrap(), None);
    })
    .await;
}

fn secret(id: &str, byte: u8, expires_at: i64, message_ts: i64) -> MsgSecretEntry {
    MsgSecretEntry {
        chat: GROUP.into(),
        sender: ALICE.into(),
        msg_id: id.into(),
        secret: [byte; 32],
        expires_at,
        message_ts,
    }
}

#[tokio::test]
async fn message_secrets() {
    on_all(|b| async move {
        assert_eq!(b.get_msg_secret(GROUP, ALICE, "m1").await.unwrap(), None);
        b.put_msg_secret(GROUP, ALICE, "m1", &[1; 32]).await.unwrap();
        assert_eq!(
            b.get_msg_secret(GROUP, ALICE, "m1").await.unwrap().unwrap(),
            [1; 32]
        );
        assert_eq!(
            b.get_msg_secret_with_ts(GROUP, ALICE, "m1")
                .await
                .unwrap()
                .unwrap(),
            (vec![1; 32], 0)
        );
        let stored = b
            .put_msg_secrets(vec![secret("m2", 2, 0, 9), secret("m3", 3, 0, 9)])
            .await
            .unwrap();
        assert_eq!(stored, 2);
        assert_eq!(
            b.get_msg_secret_with_ts(GROUP, ALICE, "m2")
                .await
                .unwrap()
                .unwrap(),
            (vec![2; 32], 9)
        );
        assert_eq!(b.get_msg_secret(GROUP, BOB, "m2").await.unwrap(), None);
        assert_eq!(b.put_msg_secrets(vec![]).await.unwrap(), 0);
    })
    .await;
}

#[tokio::test]
async fn a_message_secret_keeps_the_later_deadline_and_the_known_time() {
    on_all(|b| async move {
        b.put_msg_secrets(vec![secret("m1", 1, 200, 9), secret("never", 1, 100, 0)])
            .await
            .unwrap();
        b.put_msg_secrets(vec![secret("m1", 2, 100, 0), secret("never", 2, 0, 7)])
            .await
            .unwrap();
        assert_eq!(
            b.get_msg_secret_with_ts(GROUP, ALICE, "m1")
                .await
                .unwrap()
                .unwrap(),
            (vec![2; 32], 9)
        );
        assert_eq!(b.delete_expired_msg_secrets(150).await.unwrap(), 0);
        assert_eq!(b.delete_expired_msg_secrets(200).await.unwrap(), 1);
        assert_eq!(b.get_msg_secret(GROUP, ALICE, "m1").await.unwrap(), None);
        assert_eq!(
            b.get_msg_secret_with_ts(GROUP, ALICE, "never")
                .await
                .unwrap()
                .unwrap(),
            (vec![2; 32], 7)
        );
    })
    .await;
}

#[tokio::test]
async fn two_writes_of_one_secret_in_one_batch_merge_too() {
    on_all(|b| async move {
        b.put_msg_secrets(vec![secret("m1", 1, 200, 0), secret("m1", 2, 100, 5)])
            .await
            .unwrap();
        assert_eq!(
            b.get_msg_secret_with_ts(GROUP, ALICE, "m1")
                .await
                .unwrap()
                .unwrap(),
            (vec![2; 32], 5)
        );
        assert_eq!(b.delete_expired_msg_secrets(150).await.unwrap(), 0);
    })
    .await;
}

#[tokio::test]
async fn the_device_row_comes_back_whole() {
    on_all(|b| async move {
        if !b.exists().await.unwrap() {
            assert!(b.load().await.unwrap().is_none());
            b.create().await.unwrap();
        }
        assert!(b.exists().await.unwrap());
        let mut row = b.load().await.unwrap().unwrap();
        let cert = |n: u8| CachedNoiseCert {
            key: [n; 32],
            not_before: 1,
            not_after: 2,
        };
        row.pn = Some("628111:7@s.whatsapp.net".parse::<Jid>().unwrap());
        row.lid = Some("77:7@lid".parse::<Jid>().unwrap());
        row.push_name = "Ana".into();
        row.app_version_tertiary = 123;
        row.app_version_last_fetched_ms = 456;
        row.edge_routing_info = Some(vec![1, 2]);
        row.props_hash = Some("p".into());
        row.next_pre_key_id = 813;
        row.first_unupload_pre_key_id = 5;
        row.server_has_prekeys = true;
        row.nct_salt = Some(vec![9]);
        row.server_cert_chain = Some(CachedServerCertChain {
            intermediate: cert(1),
            leaf: cert(2),
        });
        row.login_counter = 3;
        row.lid_migrated = true;
        row.last_signed_pre_key_rotation_ms = 77;
        row.read_receipts_disabled = true;
        row.account = Some(Arc::default());
        b.save(&row).await.unwrap();
        let back = b.load().await.unwrap().unwrap();
        assert_eq!(
            serde_json::to_value(&back).unwrap(),
            serde_json::to_value(&row).unwrap()
        );
    })
    .await;
}

#[tokio::test]
async fn devices_do_not_see_each_other_and_worlds_do_not_mix() {
    let vault = vault(&[1, 2]).await;
    let clock: Arc<dyn Clock> = Arc::new(FakeClock::default());
    let backend = |n, world| VaultBackend::new(device(n), vault.clone(), clock.clone(), world);
    let first = backend(1, World::WhatsApp);
    first.create().await.unwrap();
    first.put_session(ALICE, b"s").await.unwrap();
    assert!(!backend(2, World::WhatsApp).exists().await.unwrap());
    assert_eq!(
        backend(2, World::WhatsApp).get_session(ALICE).await.unwrap(),
        None
    );
    assert!(backend(1, World::WhatsApp).load().await.unwrap().is_some());
    assert!(backend(1, World::Simulated).load().await.is_err());
}

#[tokio::test]
async fn keys_that_cannot_be_read_are_waited_for() {
    let (vault, clock) = (vault(&[1]).await, Arc::new(FakeClock::default()));
    let backend = Arc::new(VaultBackend::new(
        device(1),
        vault.clone(),
        clock.clone(),
        World::WhatsApp,
    ));
    backend.put_session(ALICE, b"session").await.unwrap();
    vault.go_down();
    let reading = tokio::spawn({
        let backend = backend.clone();
        async move { backend.get_session(ALICE).await }
    });
    for _ in 0..3 {
        clock.sleepers(1).await;
        assert!(
            !reading.is_finished(),
            "an error would make WhatsApp forget a message"
        );
        clock.advance(Duration::from_hours(1));
        tokio::task::yield_now().await;
    }
    clock.sleepers(1).await;
    vault.come_back();
    clock.advance(Duration::from_hours(1));
    let read = reading.await.unwrap().unwrap();
    assert_eq!(read.as_deref(), Some(&b"session"[..]));

    // Whoever opens a session is told at once.
    vault.go_down();
    assert!(backend.load().await.is_err());
}
