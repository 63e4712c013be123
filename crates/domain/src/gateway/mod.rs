//! The use cases. One file per group; all of them are methods of [`Gateway`].

mod call;
mod classic;
mod core;
mod delivery;
mod device;
mod directory;
mod event;
mod intake;
mod message;
mod messages;
mod pairing;
mod retention;
mod seed_webhook;
mod session;
mod standard;
mod stripes;
mod webhook;
mod workspace;

pub use self::core::{Gateway, GatewayParts, GatewaySettings};
pub use device::{DeviceStatus, ListedDevice};
pub use message::{MessageRequest, SendOutcome};
pub use pairing::QrOutcome;
pub use session::CallPatch;
pub use webhook::{NewWebhook, ScopeRequest, WebhookPatch};
