//! The use cases. One file per group; all of them are methods of [`Gateway`].

mod call;
mod chats;
mod classic;
mod core;
mod delivery;
mod device;
mod directory;
mod event;
mod health;
mod intake;
mod message;
mod messages;
mod open_sessions;
mod pairing;
mod retention;
mod said;
mod seed_webhook;
mod session;
mod standard;
mod stripes;
mod watching;
mod webhook;
mod workspace;

pub use self::core::{Gateway, GatewayParts, GatewaySettings};
pub use device::{DevicePatch, DeviceStatus, ListedDevice};
pub use health::Health;
pub use message::{MessageRequest, SendOutcome};
pub use pairing::QrOutcome;
pub use session::CallPatch;
pub use watching::SessionChange;
pub use webhook::{NewWebhook, ScopeRequest, WebhookPatch};
