//! Protocol state in our store against the store that the driver's library ships: the same calls through the same
//! storage traits, in turns (ours, theirs, ours, theirs …), as ratios. Theirs runs twice: as it comes
//! (`synchronous=NORMAL`, which a power cut may roll back) and with the durability that ours always has.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark prints, and stops when it cannot go on"
)]

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use wa_driver::keys::{VaultBackend, World};
use wagate::{SystemClock, UlidSource};
use wagate_domain::model::{Device, DeviceId, Timestamp};
use wagate_domain::ports::IdSource;
use wagate_store::{Keyring, MasterKey, Sealer, Store, StoreSettings};
use whatsapp_rust::wacore::store::traits::SignalStore;
use whatsapp_rust_sqlite_storage::{SqliteStore, SqliteStoreConfig, Synchronous};

/// Rounds of each pair; the first is not counted.
const ROUNDS: usize = 9;
/// Calls in a round.
const CALLS: u32 = 40;
/// Times that every session is read in a round.
const READS: u32 = 4;
/// Sessions that one flush writes.
const SESSIONS: u32 = 32;
/// Bytes of a session record of some age.
const SESSION_BYTES: usize = 2_400;
/// One-time prekeys that a pairing uploads.
const PREKEYS: u32 = 812;
/// Bytes of a prekey record.
const PREKEY_BYTES: usize = 71;

type Backend = Arc<dyn SignalStore>;

/// A flush of a ratchet that has moved on: SQLite leaves pages alone whose bytes stay the same.
fn sessions(step: u32) -> Vec<(Arc<str>, Bytes)> {
    let record = Bytes::from(step.to_be_bytes().repeat(SESSION_BYTES / 4));
    (0..SESSIONS)
        .map(|n| (format!("1000000{n:05}@lid.0").into(), record.clone()))
        .collect()
}

async fn put_sessions(backend: &Backend, round: usize) -> f64 {
    let first = u32::try_from(round).unwrap() * CALLS;
    let batches: Vec<_> = (first..first + CALLS).map(sessions).collect();
    let started = Instant::now();
    for batch in &batches {
        backend.put_sessions_batch(batch).await.unwrap();
    }
    started.elapsed().as_secs_f64() / f64::from(CALLS)
}

async fn get_sessions(backend: &Backend, _round: usize) -> f64 {
    let names = sessions(0);
    let started = Instant::now();
    for _ in 0..READS {
        for (name, _) in &names {
            assert_eq!(
                backend.get_session(name).await.unwrap().unwrap().len(),
                SESSION_BYTES
            );
        }
    }
    started.elapsed().as_secs_f64() / f64::from(READS * SESSIONS)
}

async fn upload_prekeys(backend: &Backend, round: usize) -> f64 {
    let first = u32::try_from(round).unwrap() * PREKEYS + 1;
    let keys: Vec<_> = (first..first + PREKEYS)
        .map(|id| (id, Bytes::from(vec![5; PREKEY_BYTES])))
        .collect();
    let ids: Vec<u32> = keys.iter().map(|(id, _)| *id).collect();
    let started = Instant::now();
    backend.store_prekeys_batch(&keys, false).await.unwrap();
    backend.mark_prekeys_uploaded(&ids).await.unwrap();
    started.elapsed().as_secs_f64()
}

/// Times `work` on both in turns and prints medians and the ratio pair by pair.
async fn compare<F>(
    what: &str,
    against: &str,
    ours: &Backend,
    theirs: &Backend,
    work: impl Fn(Backend, usize) -> F,
) where
    F: Future<Output = f64>,
{
    let (mut a, mut b, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        let one = work(ours.clone(), round).await;
        let other = work(theirs.clone(), round).await;
        if round > 0 {
            a.push(one);
            b.push(other);
            ratios.push(one / other);
        }
    }
    for list in [&mut a, &mut b, &mut ratios] {
        list.sort_by(f64::total_cmp);
    }
    let middle = ratios.len() / 2;
    println!(
        "{what:<38} {against:<22} ours {:>9.1} us  theirs {:>9.1} us  ratio {:.2} ({:.2}-{:.2})",
        a[middle] * 1e6,
        b[middle] * 1e6,
        ratios[middle],
        ratios[0],
        ratios[ratios.len() - 1],
    );
}

async fn ours(folder: &std::path::Path) -> Backend {
    let url = format!("sqlite://{}", folder.join("ours.db").display());
    let sealer = Sealer::new(Keyring::new(MasterKey::generate(), Vec::new()));
    let store = Store::open(&StoreSettings::new(url), sealer).unwrap();
    let device = DeviceId::new(UlidSource::default().next());
    store
        .devices()
        .create(Device::new(device, "bench".parse().unwrap(), Timestamp(0)))
        .await
        .unwrap();
    Arc::new(VaultBackend::new(
        device,
        store.keys(),
        Arc::new(SystemClock),
        World::Simulated,
    ))
}

async fn theirs(folder: &std::path::Path, name: &str, synchronous: Synchronous) -> Backend {
    let config = SqliteStoreConfig {
        synchronous,
        ..SqliteStoreConfig::default()
    };
    let path = folder.join(name).display().to_string();
    Arc::new(SqliteStore::with_config(&path, config).await.unwrap())
}

#[tokio::main]
async fn main() {
    let folder = tempfile::tempdir().unwrap();
    let us = ours(folder.path()).await;
    let normal = theirs(folder.path(), "normal.db", Synchronous::Normal).await;
    let full = theirs(folder.path(), "full.db", Synchronous::Full).await;
    for (name, them) in [("synchronous=NORMAL", &normal), ("synchronous=FULL", &full)] {
        compare(
            "put 32 sessions in one batch",
            name,
            &us,
            them,
            |b, r| async move { put_sessions(&b, r).await },
        )
        .await;
        compare("get one session", name, &us, them, |b, r| async move {
            get_sessions(&b, r).await
        })
        .await;
        compare(
            "812 prekeys: store and mark uploaded",
            name,
            &us,
            them,
            |b, r| async move { upload_prekeys(&b, r).await },
        )
        .await;
    }
}
