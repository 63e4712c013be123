//! Stories between the real client and the simulator, one file per subject.
//!
//! The client is upstream's own and knows nothing of the simulator, so neither can agree with the other's mistakes.

#![recursion_limit = "512"]

mod account;
mod client;
mod direct;
mod groups;
mod media;
mod pairing;
#[path = "../support/mod.rs"]
mod support;
