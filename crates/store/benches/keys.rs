//! What protocol state costs: one durable write, many at once, and a read. Look at the ratio of the first
//! two: it is what the group commit is worth.

#![expect(clippy::unwrap_used, reason = "a benchmark fails by panicking")]

use divan::Bencher;
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tokio::task::JoinSet;
use wagate_domain::model::{Device, DeviceId};
use wagate_domain::ports::{IdSource, KeyEntry, KeyKind};
use wagate_domain::testing::{FakeClock, FakeIds};
use wagate_store::{Store, StoreSettings};

fn main() {
    divan::main();
}

/// A Signal session is about this large, in bytes.
const VALUE: usize = 600;

struct World {
    runtime: Runtime,
    store: Store,
    device: DeviceId,
    _directory: TempDir,
}

fn world() -> World {
    let directory = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .build()
        .unwrap();
    let settings = StoreSettings::new(format!("sqlite://{}/wagate.db", directory.path().display()));
    let store = Store::open(&settings).unwrap();
    let device = Device::new(
        DeviceId::new(FakeIds::new().next()),
        "one".parse().unwrap(),
        FakeClock::START,
    );
    let device = runtime.block_on(store.devices().create(device)).unwrap().id;
    World {
        runtime,
        store,
        device,
        _directory: directory,
    }
}

fn entry(number: usize) -> KeyEntry {
    let key = number.to_be_bytes().to_vec().into();
    KeyEntry {
        kind: KeyKind::Session,
        key,
        value: vec![7; VALUE].into(),
        expires_at: None,
    }
}

/// So many sessions write one key each at the same time.
#[divan::bench(args = [1, 8, 64])]
fn put(bencher: Bencher<'_, '_>, writers: usize) {
    let world = world();
    let keys = world.store.keys();
    bencher
        .counter(divan::counter::ItemsCount::new(writers))
        .bench_local(|| {
            world.runtime.block_on(async {
                let mut tasks = JoinSet::new();
                for number in 0..writers {
                    let keys = keys.clone();
                    let device = world.device;
                    tasks.spawn(async move { keys.put_many(device, vec![entry(number)]).await });
                }
                while let Some(done) = tasks.join_next().await {
                    done.unwrap().unwrap();
                }
            });
        });
}

/// One batch of so many keys.
#[divan::bench(args = [1, 10, 812])]
fn put_batch(bencher: Bencher<'_, '_>, size: usize) {
    let world = world();
    let keys = world.store.keys();
    bencher
        .counter(divan::counter::ItemsCount::new(size))
        .bench_local(|| {
            let entries = (0..size).map(entry).collect();
            world
                .runtime
                .block_on(keys.put_many(world.device, entries))
                .unwrap();
        });
}

/// Reads so many keys at once.
#[divan::bench(args = [1, 10, 812])]
fn get(bencher: Bencher<'_, '_>, size: usize) {
    let world = world();
    let keys = world.store.keys();
    world
        .runtime
        .block_on(keys.put_many(world.device, (0..812).map(entry).collect()))
        .unwrap();
    bencher
        .counter(divan::counter::ItemsCount::new(size))
        .bench_local(|| {
            let names = (0..size).map(|number| entry(number).key).collect();
            world
                .runtime
                .block_on(keys.get_many(world.device, KeyKind::Session, names))
                .unwrap()
        });
}
