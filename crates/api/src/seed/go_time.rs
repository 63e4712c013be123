//! Times as clients of the older gateway parse them: the JSON form of Go's `time.Time`.

use chrono::{DateTime, SecondsFormat};
use wagate_domain::model::Timestamp;

/// Go's zero time: what such a client takes for "not known".
const UNKNOWN: &str = "0001-01-01T00:00:00Z";

/// RFC 3339 in UTC.
pub(super) fn go_time(at: Option<Timestamp>) -> String {
    let at = at.and_then(|at| DateTime::from_timestamp_millis(at.0));
    at.map_or_else(
        || UNKNOWN.into(),
        |at| at.to_rfc3339_opts(SecondsFormat::AutoSi, true),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_what_go_reads() {
        assert_eq!(go_time(None), "0001-01-01T00:00:00Z");
        assert_eq!(
            go_time(Some(Timestamp(1_767_225_600_000))),
            "2026-01-01T00:00:00Z"
        );
        assert_eq!(
            go_time(Some(Timestamp(1_767_225_600_120))),
            "2026-01-01T00:00:00.120Z"
        );
    }
}
