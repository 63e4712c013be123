//! Large, endless, slow and broken requests: refused at small cost, and the others do not notice. The server is a
//! process of its own, so that its memory is its own.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on must stop here"
)]

#[path = "abuse/bodies.rs"]
mod bodies;
#[path = "canaries/process.rs"]
#[expect(dead_code, reason = "shared with another test, which uses the rest")]
mod process;
#[path = "abuse/slow.rs"]
mod slow;
#[path = "abuse/victim.rs"]
mod victim;
