//! What the use cases need from the world. Every port is narrow, speaks domain, and says in its docs
//! what it returns, what it guarantees and how it fails.

mod admins;
mod api_keys;
mod chats;
mod clock;
mod deliveries;
mod devices;
mod directory;
mod driver;
mod events;
mod keys;
mod media;
mod outbox;
mod passwords;
mod settings;
mod targets;
mod tester;
mod webhooks;
mod workspaces;

pub use admins::{Admins, SignIns};
pub use api_keys::IssuedKeys;
pub use chats::{Chats, Completion};
pub use clock::{Clock, IdSource, SecretSource};
pub use deliveries::{DeliveryLog, DeliveryQueue, OUTAGE, Reservation, Settled};
pub use devices::Devices;
pub use directory::{Directory, NumberLookup};
pub use driver::{Driver, EventSink, Session};
pub use events::{
    EventBatch, EventQuery, EventStore, Express, NewDelivery, NewEvent, Recorded, StatusChange, StoredEvent,
};
pub use keys::{KeyEntry, KeyKind, KeyVault};
pub use media::MediaSource;
pub use outbox::{Outbox, OutboxEntry, SendBegin};
pub use passwords::PasswordHasher;
pub use settings::Settings;
pub use targets::Targets;
pub use tester::WebhookTester;
pub use webhooks::Webhooks;
pub use workspaces::Workspaces;
