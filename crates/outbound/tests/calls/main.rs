//! What the crate does on real sockets: calls that must never happen, and files that must arrive.
#![expect(
    clippy::unwrap_used,
    reason = "a story that cannot go on must panic: that is how a test fails"
)]

mod media;
mod rebinding;
mod ssrf;
mod support;
