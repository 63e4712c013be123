//! The use cases. One file per group; all of them are methods of [`Gateway`].

mod call;
mod classic;
mod core;
mod device;
mod directory;
mod intake;
mod message;
mod pairing;
mod session;
mod stripes;
mod webhook;
mod workspace;

pub use self::core::{Gateway, GatewayParts, GatewaySettings};
pub use device::{DeviceStatus, ListedDevice};
pub use message::{MessageRequest, SendOutcome};
pub use pairing::QrOutcome;
pub use session::CallPatch;
