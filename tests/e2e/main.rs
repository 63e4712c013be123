//! Stories over the whole: the real driver, the simulated WhatsApp, SQLite and a webhook receiver.

mod calls;
mod devices;
mod directory;
mod groups;
mod jobs;
mod lifecycle;
mod media;
mod pairing;
mod receive;
mod send;
mod typing;
mod webhooks;

/// The people of most stories: whose number the gateway holds, and somebody to talk to.
const PEOPLE: &[(&str, &str)] = &[(ALICE, "Alice"), (BOB, "Bob")];
const ALICE: &str = "6281200000001";
const BOB: &str = "6281200000002";
const CAROL: &str = "6281200000003";
