//! The API over real HTTP: the app on port 0, a fake WhatsApp behind it. What stands in the snapshots
//! is what clients get: read them like a reference.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on must stop here")]

mod answer;
mod auth;
mod devices;
mod directory;
mod endpoints;
mod pairing;
mod probes;
mod requests;
mod send;
mod sending_once;
mod sessions;
mod settings;
mod support;
mod v1_api_keys;
mod v1_chats;
mod v1_deliveries;
mod v1_devices;
mod v1_directory;
mod v1_events;
mod v1_health;
mod v1_jobs;
mod v1_languages;
mod v1_messages;
mod v1_openapi;
mod v1_requests;
mod v1_sessions;
mod v1_settings;
mod v1_sign_in;
mod v1_stream;
mod v1_support;
mod v1_webhooks;
mod v1_workspaces;
