//! The one place that asks the operating system for the time.
//!
//! Stanzas carry wall-clock seconds, so the simulator needs real time; everything else takes it from here.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Time since the Unix epoch.
#[expect(
    clippy::disallowed_methods,
    reason = "the clock module is where the time comes in"
)]
pub fn since_epoch() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// Unix seconds, the unit of every `t` attribute.
pub fn now() -> u64 {
    since_epoch().as_secs()
}

/// Unix milliseconds, the unit of app-state timestamps.
pub fn now_ms() -> u64 {
    u64::try_from(since_epoch().as_millis()).unwrap_or(u64::MAX)
}
