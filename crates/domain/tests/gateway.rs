//! The use cases over fakes: what the gateway promises, one story each.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on must stop here")]

mod bench;
#[path = "gateway/calls.rs"]
mod calls;
#[path = "gateway/delivery_changes.rs"]
mod delivery_changes;
#[path = "gateway/devices.rs"]
mod devices;
#[path = "gateway/intake.rs"]
mod intake;
#[path = "gateway/jobs.rs"]
mod jobs;
#[path = "gateway/replays.rs"]
mod replays;
#[path = "gateway/send.rs"]
mod send;
#[path = "gateway/sessions.rs"]
mod sessions;
#[path = "gateway/settings.rs"]
mod settings;
#[path = "gateway/typing.rs"]
mod typing;
#[path = "gateway/watching.rs"]
mod watching;
