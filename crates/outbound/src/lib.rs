//! Every HTTP call that wagate makes to an address that a client named: webhooks and files. The door
//! is [`GuardedClient`]: what it refuses is never connected to, whatever name it hides behind.

mod client;
mod media;
mod policy;
mod resolver;
mod targets;

pub use client::{ClientSettings, GuardedClient, Refused, is_refused};
pub use media::{HttpMedia, MediaSettings};
pub use policy::TargetPolicy;
pub use resolver::{Lookup, SystemLookup};
pub use targets::GuardedTargets;
