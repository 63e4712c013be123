//! A schema of its own for each story, in one cluster that lives as long as any story does.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, Weak};

use wagate_domain::testing::contract::Storage;
use wagate_store::{Keyring, MasterKey, Sealer, Store, StoreSettings};
use wagate_tests::postgres::{Cluster, ClusterSettings};

/// Where one story has its tables.
pub struct Place {
    cluster: Arc<Cluster>,
    schema: String,
}

impl Place {
    /// An empty schema.
    pub fn new() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let cluster = shared();
        let schema = format!("story_{}", NEXT.fetch_add(1, Ordering::Relaxed));
        cluster.sql("postgres", &format!("CREATE SCHEMA {schema}"));
        Self { cluster, schema }
    }

    /// The address of the schema.
    pub fn url(&self) -> String {
        format!(
            "{}?options=-csearch_path%3D{}",
            self.cluster.url("postgres"),
            self.schema
        )
    }

    /// What `psql` prints for a statement in the schema.
    pub fn sql(&self, statement: &str) -> String {
        self.cluster.sql(
            "postgres",
            &format!("SET search_path = {}; {statement}", self.schema),
        )
    }

    /// The schema's name.
    pub fn schema(&self) -> &str {
        &self.schema
    }

    /// The store in it.
    pub fn open(&self) -> Store {
        self.try_open(sealer()).unwrap()
    }

    /// The same with other keys, or while another one is open.
    pub fn try_open(&self, sealer: Sealer) -> wagate_domain::Result<Store> {
        Store::open(&StoreSettings::new(self.url()), sealer)
    }
}

/// The cluster of all stories: the last one takes it along.
fn shared() -> Arc<Cluster> {
    static CLUSTER: Mutex<Weak<Cluster>> = Mutex::new(Weak::new());
    let mut cluster = CLUSTER.lock().unwrap();
    if let Some(running) = cluster.upgrade() {
        return running;
    }
    let fresh = Arc::new(Cluster::start_new(ClusterSettings::default()));
    *cluster = Arc::downgrade(&fresh);
    fresh
}

/// Seals with a key that every story has.
pub fn sealer() -> Sealer {
    Sealer::new(Keyring::new(MasterKey::from_bytes([7; 32]), Vec::new()))
}

/// The ports of a store.
pub fn storage(store: &Store) -> Storage {
    Storage {
        devices: store.devices(),
        workspaces: store.workspaces(),
        webhooks: store.webhooks(),
        directory: store.directory(),
        chats: store.chats(),
        events: store.events(),
        deliveries: store.deliveries(),
        delivery_log: store.delivery_log(),
        keys: store.keys(),
        outbox: store.outbox(),
        admins: store.admins(),
        sign_ins: store.sign_ins(),
        api_keys: store.api_keys(),
        settings: store.settings(),
    }
}
