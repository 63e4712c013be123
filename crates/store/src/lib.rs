//! The storage of wagate behind the ports of `wagate-domain`: one database for all sessions. This is the
//! only crate that names diesel, so that another database is a matter of this crate alone.
//!
//! [`Store::open`] opens it; its accessors hand out one implementation per port. A write is durable when
//! it returns: one writer commits many of them at once (see `writer.rs`), reads have a pool beside it.

#[macro_use]
mod dialect;
mod admins;
mod api_keys;
mod chat_history;
mod chat_list;
mod chat_rows;
mod chats;
mod checkpoint;
mod connection;
mod deliveries;
mod delivery_log;
mod delivery_rows;
mod devices;
mod directory;
mod error;
mod events;
mod keys;
mod memo;
mod migrate;
mod outbox;
mod page;
mod pool;
mod queue;
mod recording;
mod replays;
mod schema;
mod seal;
mod sealing;
mod settings;
mod settling;
mod sign_ins;
mod stamp;
mod store;
mod webhooks;
mod workspaces;
mod writer;

pub use admins::SqlAdmins;
pub use api_keys::SqlApiKeys;
pub use chat_list::SqlChats;
pub use deliveries::SqlDeliveries;
pub use delivery_log::SqlDeliveryLog;
pub use devices::SqlDevices;
pub use directory::SqlDirectory;
pub use events::SqlEvents;
pub use keys::SqlKeys;
pub use outbox::SqlOutbox;
pub use seal::{KeyId, Keyring, MasterKey, Place, Sealer};
pub use settings::SqlSettings;
pub use sign_ins::SqlSignIns;
pub use stamp::Kind;
pub use store::{Store, StoreSettings};
pub use webhooks::SqlWebhooks;
pub use workspaces::SqlWorkspaces;
