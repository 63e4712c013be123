//! What an embedder may choose. The defaults are those of a production gateway.

use std::path::PathBuf;
use std::time::Duration;

/// A simulated WhatsApp on this machine, in place of the real one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SimulatedEndpoint {
    /// Where sessions connect: `ws://127.0.0.1:8081/ws/chat`.
    pub websocket_url: String,
    /// Where its media hosts answer in plain HTTP: `http://127.0.0.1:8081`.
    pub http_base: String,
}

/// Settings of the driver, for all sessions.
#[derive(Debug, Clone)]
pub struct WaSettings {
    /// Where sessions connect; `None` for WhatsApp. A plain `ws:` address must be on this machine.
    pub websocket_url: Option<String>,
    /// Talk to a simulator only. Needs a build with the feature `sim`.
    pub simulated: Option<SimulatedEndpoint>,
    /// The client version to claim, in place of asking WhatsApp for the current one.
    pub version_override: Option<(u32, u32, u32)>,
    /// How many sessions may dial at the same time.
    pub max_concurrent_dials: usize,
    /// Longest random pause before a session dials again.
    pub dial_jitter: Duration,
    /// Longest time for one dial: name, TCP, TLS and WebSocket together.
    pub dial_timeout: Duration,
    /// Longest time until an HTTP server answers the connection.
    pub http_connect_timeout: Duration,
    /// Longest time for one HTTP request, transfer included.
    pub http_timeout: Duration,
    /// Largest HTTP body that is read, in bytes.
    pub max_body_bytes: u64,
    /// Name under which the phone lists the linked device.
    pub device_name: String,
    /// How long a sent message may wait for the server's word.
    pub ack_timeout: Duration,
    /// Where files are encrypted before they are uploaded.
    pub temp_dir: PathBuf,
    /// How often what changed in a session's own row is saved.
    pub save_interval: Duration,
    /// Uploads of one session that run at the same time.
    pub max_concurrent_uploads: usize,
    /// Conversations of one session that upstream keeps a task for.
    pub chat_lanes: u64,
    /// Locks that one session keeps for Signal sessions.
    pub session_locks: u64,
    /// People whose device lists one session keeps in memory.
    pub device_lists: u64,
}

impl Default for WaSettings {
    fn default() -> Self {
        Self {
            websocket_url: None,
            simulated: None,
            version_override: None,
            max_concurrent_dials: 8,
            dial_jitter: Duration::from_millis(500),
            dial_timeout: Duration::from_secs(20),
            http_connect_timeout: Duration::from_secs(10),
            http_timeout: Duration::from_mins(15),
            max_body_bytes: 2 * 1024 * 1024 * 1024,
            device_name: "wagate".into(),
            ack_timeout: Duration::from_secs(30),
            temp_dir: std::env::temp_dir(),
            save_interval: Duration::from_secs(30),
            max_concurrent_uploads: 2,
            chat_lanes: 256,
            session_locks: 2_000,
            device_lists: 2_000,
        }
    }
}
