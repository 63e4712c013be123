//! What clients see of sessions.

use serde::Serialize;
use utoipa::ToSchema;
use wagate_domain::Result;
use wagate_domain::model::{EndReason, Pairing, SessionState, Timestamp};

use super::view::time;
use crate::qr;

/// What a session is doing.
#[derive(Serialize, ToSchema)]
#[schema(as = Session)]
pub(super) struct SessionView {
    /// `stopped`, `connecting`, `awaiting_scan`, `pairing_timed_out`, `connected`, `unreachable`, `logged_out`,
    /// `replaced`, `banned`, `outdated` or `rejected`.
    state: &'static str,
    /// Since when it is connected, or unreachable.
    #[schema(required = true, format = DateTime)]
    since: Option<String>,
    /// Why it is over until somebody acts: `logged_out`, `replaced`, `banned`, `outdated` or `rejected`.
    #[schema(required = true)]
    reason: Option<&'static str>,
    /// More about it, as a sentence.
    #[schema(required = true)]
    detail: Option<String>,
    /// A code to scan, while there is one that is valid.
    #[schema(required = true)]
    qr: Option<QrView>,
}

/// A code to scan.
#[derive(Serialize, ToSchema)]
#[schema(as = Qr)]
struct QrView {
    /// A picture of it, black on white.
    svg: String,
    /// When it stops being valid; the next one is there by then.
    #[schema(format = DateTime)]
    expires_at: String,
}

impl SessionView {
    /// With the code to scan.
    pub(super) fn new(state: &SessionState, now: Timestamp) -> Result<Self> {
        let qr = match state {
            // The next code is due already: this one could no longer be scanned.
            SessionState::AwaitingScan { qr, expires_at } if *expires_at > now => Some(QrView {
                svg: qr::svg(qr)?,
                expires_at: time(*expires_at),
            }),
            _ => None,
        };
        Ok(Self {
            qr,
            ..Self::without_code(state)
        })
    }

    /// For lists: whoever sees a code can link a phone with it.
    pub(super) fn without_code(state: &SessionState) -> Self {
        let since = match state {
            SessionState::Connected { since } | SessionState::Unreachable { since, .. } => Some(*since),
            _ => None,
        };
        let reason = match state {
            SessionState::Ended(reason) => Some(reason),
            _ => None,
        };
        Self {
            state: state.as_str(),
            since: since.map(time),
            reason: reason.map(EndReason::as_str),
            detail: detail(state),
            qr: None,
        }
    }
}

fn detail(state: &SessionState) -> Option<String> {
    match state {
        // It was lost just now.
        SessionState::Unreachable { attempts: 0, .. } => None,
        SessionState::Unreachable { attempts, .. } => Some(match attempts {
            1 => "1 attempt to connect failed".into(),
            attempts => format!("{attempts} attempts to connect failed"),
        }),
        SessionState::Ended(EndReason::Banned { code, until }) => {
            let end = until.map(|until| format!(" until {}", time(until)));
            Some(format!(
                "WhatsApp banned the account{} (code {code})",
                end.unwrap_or_default()
            ))
        }
        SessionState::Ended(EndReason::Rejected { code }) => {
            Some(format!("WhatsApp refused the connection (code {code})"))
        }
        _ => None,
    }
}

/// A code to type into WhatsApp under *Link with phone number*.
#[derive(Serialize, ToSchema)]
#[schema(as = Pairing)]
pub(super) struct PairingView {
    /// `ABCD-1234`.
    code: String,
    /// When it stops being valid.
    #[schema(format = DateTime)]
    expires_at: String,
    /// The number that it is for, as it was understood: digits with the country code.
    phone: String,
}

impl From<Pairing> for PairingView {
    fn from(pairing: Pairing) -> Self {
        Self {
            code: pairing.code.display(),
            expires_at: time(pairing.code.expires_at),
            phone: pairing.phone.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use wagate_domain::model::Secret;

    use super::*;

    const NOW: Timestamp = Timestamp(1_767_225_600_000);

    fn shown(state: &SessionState) -> Value {
        serde_json::to_value(SessionView::new(state, NOW).unwrap()).unwrap()
    }

    #[test]
    fn what_has_no_value_is_null() {
        assert_eq!(
            shown(&SessionState::Connecting),
            json!({ "state": "connecting", "since": null, "reason": null, "detail": null, "qr": null })
        );
    }

    #[test]
    fn an_end_says_why() {
        let banned = SessionState::Ended(EndReason::Banned {
            code: 402,
            until: Some(NOW),
        });
        assert_eq!(
            shown(&banned),
            json!({
                "state": "banned",
                "since": null,
                "reason": "banned",
                "detail": "WhatsApp banned the account until 2026-01-01T00:00:00.000Z (code 402)",
                "qr": null,
            })
        );
    }

    #[test]
    fn attempts_are_told_once_there_are_some() {
        let detail = |attempts| shown(&SessionState::Unreachable { since: NOW, attempts })["detail"].take();
        assert_eq!(detail(0), Value::Null);
        assert_eq!(detail(1), "1 attempt to connect failed");
        assert_eq!(detail(3), "3 attempts to connect failed");
    }

    #[test]
    fn a_code_is_shown_while_it_is_valid_and_never_in_lists() {
        let state = |expires_at| SessionState::AwaitingScan {
            qr: Secret::new("2@secret"),
            expires_at,
        };
        let valid = state(Timestamp(NOW.0 + 1));
        assert_eq!(shown(&valid)["qr"]["expires_at"], "2026-01-01T00:00:00.001Z");
        assert_eq!(shown(&state(NOW))["qr"], Value::Null);
        let listed = serde_json::to_value(SessionView::without_code(&valid)).unwrap();
        assert_eq!(
            (&listed["state"], &listed["qr"]),
            (&json!("awaiting_scan"), &Value::Null)
        );
    }
}
