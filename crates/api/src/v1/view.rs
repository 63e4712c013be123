//! What the views of all resources have in common.

use std::fmt;

use chrono::{DateTime, SecondsFormat};
use serde::Serialize;
use utoipa::ToSchema;
use wagate_domain::model::{CursorPage, Timestamp};

/// What stands where a secret was.
pub(super) const HIDDEN: &str = "[hidden]";

/// One page of a list.
#[derive(Serialize, ToSchema)]
#[schema(as = Page)]
pub(super) struct PageView<T> {
    /// The items.
    data: Vec<T>,
    /// What to ask for as `after` to get the next page; null when this one is the last.
    #[schema(required = true)]
    next: Option<String>,
}

impl<T> PageView<T> {
    /// The page with each item as it is shown.
    pub(super) fn new<I, C: fmt::Display>(page: CursorPage<I, C>, view: impl FnMut(I) -> T) -> Self {
        Self {
            data: page.items.into_iter().map(view).collect(),
            next: page.next.map(|next| next.to_string()),
        }
    }
}

/// RFC 3339 with milliseconds, UTC; empty for a time that no calendar has.
pub(super) fn time(at: Timestamp) -> String {
    DateTime::from_timestamp_millis(at.0)
        .map(|at| at.to_rfc3339_opts(SecondsFormat::Millis, true))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_milliseconds() {
        assert_eq!(time(Timestamp(1_767_225_600_000)), "2026-01-01T00:00:00.000Z");
        assert_eq!(time(Timestamp(i64::MAX)), "");
    }
}
