//! What an answer means for the delivery and its endpoint. Pure: the whole table can be read and tested here.

use std::time::Duration;

use wagate_domain::model::{DeliveryOutcome, EndpointVerdict, Setback, Timestamp};

use crate::attempt::Answer;
use crate::backoff::{Schedule, asked_wait};
use crate::post::PostError;
use crate::request::Unsigned;

/// An endpoint is known to fail from the moment at which its first failed attempt is stored, and that is a
/// little after the event was queued.
const FIRST_FAILURE: Duration = Duration::from_mins(1);

/// What an attempt came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The receiver has it.
    Delivered,
    /// Not this time; the receiver may have asked for a pause.
    Failed {
        error: String,
        setback: Setback,
        asked: Option<Duration>,
    },
    /// Nobody will ever listen there.
    Gone { error: String },
    /// This delivery can never be made.
    Hopeless { error: String },
}

/// A delivery before this attempt.
#[derive(Debug, Clone, Copy)]
pub(crate) struct History {
    pub attempts: u32,
    pub queued_at: Timestamp,
}

impl Verdict {
    /// Only 2xx is a yes: a redirect is a failure.
    pub(crate) fn of_answer(answer: &Result<Answer, PostError>, now: Timestamp) -> Self {
        let answer = match answer {
            Ok(answer) => answer,
            Err(error) => return Self::absent(error.to_string()),
        };
        match answer.status {
            200..=299 => Self::Delivered,
            410 => Self::Gone {
                error: "status 410: gone".into(),
            },
            status => Self::Failed {
                error: format!("status {status}"),
                setback: setback(status),
                asked: answer
                    .retry_after
                    .as_deref()
                    .and_then(|header| asked_wait(header, now)),
            },
        }
    }

    pub(crate) fn of_unsigned(unsigned: Unsigned) -> Self {
        let error = unsigned.to_string();
        match unsigned {
            Unsigned::Body => Self::Hopeless { error },
            Unsigned::Secret => Self::absent(error),
        }
    }

    fn absent(error: String) -> Self {
        Self::Failed {
            error,
            setback: Setback::Absent,
            asked: None,
        }
    }

    /// What went wrong, in a few words.
    pub(crate) fn error(&self) -> Option<&str> {
        match self {
            Self::Delivered => None,
            Self::Failed { error, .. } | Self::Gone { error } | Self::Hopeless { error } => Some(error),
        }
    }

    /// What to tell the queue.
    pub(crate) fn outcome(
        self,
        history: History,
        schedule: &Schedule,
        chance: f64,
        now: Timestamp,
    ) -> DeliveryOutcome {
        let dead = |error, endpoint| DeliveryOutcome::Dead { error, endpoint };
        match self {
            Self::Delivered => DeliveryOutcome::Delivered,
            Self::Gone { error } => dead(error, EndpointVerdict::Gone),
            Self::Hopeless { error } => dead(error, EndpointVerdict::Sound),
            Self::Failed {
                error,
                setback,
                asked,
            } => {
                let age = now.since(history.queued_at);
                match schedule.wait(history.attempts.saturating_add(1), age, asked, chance) {
                    Some(wait) => DeliveryOutcome::Retry {
                        at: now + wait,
                        setback,
                        error,
                    },
                    None => dead(
                        error,
                        EndpointVerdict::Exhausted {
                            since: history.queued_at + FIRST_FAILURE,
                        },
                    ),
                }
            }
        }
    }
}

/// Too slow, not now, or a proxy in front of nobody: nothing is said about this delivery.
fn setback(status: u16) -> Setback {
    match status {
        408 | 425 | 429 | 502 | 503 | 504 => Setback::Absent,
        _ => Setback::Refused,
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    const NOW: Timestamp = Timestamp(1_000_000_000);
    const FRESH: History = History {
        attempts: 0,
        queued_at: NOW,
    };

    fn of_status(status: u16, retry_after: Option<&str>) -> Verdict {
        let answer = Answer {
            status,
            retry_after: retry_after.map(Into::into),
            head: String::new(),
            body: Bytes::new(),
            took: Duration::ZERO,
        };
        Verdict::of_answer(&Ok(answer), NOW)
    }

    fn outcome(verdict: Verdict, history: History) -> DeliveryOutcome {
        verdict.outcome(history, &Schedule::default(), 0.0, NOW)
    }

    #[test]
    fn every_status_has_its_meaning() {
        const ABSENT: [u16; 6] = [408, 425, 429, 502, 503, 504];
        for status in 100..=999 {
            let want = match status {
                200..=299 => DeliveryOutcome::Delivered,
                410 => DeliveryOutcome::Dead {
                    error: "status 410: gone".into(),
                    endpoint: EndpointVerdict::Gone,
                },
                _ => DeliveryOutcome::Retry {
                    at: NOW + Duration::from_secs(5),
                    setback: if ABSENT.contains(&status) {
                        Setback::Absent
                    } else {
                        Setback::Refused
                    },
                    error: format!("status {status}"),
                },
            };
            assert_eq!(outcome(of_status(status, None), FRESH), want, "{status}");
        }
    }

    #[test]
    fn without_an_answer_nothing_is_said_about_the_delivery() {
        for error in [
            PostError::Refused,
            PostError::Unreachable,
            PostError::TimedOut,
            PostError::Broken,
        ] {
            let want = DeliveryOutcome::Retry {
                at: NOW + Duration::from_secs(5),
                setback: Setback::Absent,
                error: error.to_string(),
            };
            assert_eq!(outcome(Verdict::of_answer(&Err(error), NOW), FRESH), want);
        }
    }

    #[test]
    fn a_wish_counts_whatever_the_status() {
        for status in [429, 503, 500, 302] {
            let DeliveryOutcome::Retry { at, .. } = outcome(of_status(status, Some("100")), FRESH) else {
                panic!("{status}");
            };
            assert_eq!(at, NOW + Duration::from_secs(100), "{status}");
        }
    }

    #[test]
    fn a_body_that_cannot_be_signed_never_will_be_but_a_secret_may_be_repaired() {
        let dead = DeliveryOutcome::Dead {
            error: "the body is not text".into(),
            endpoint: EndpointVerdict::Sound,
        };
        assert_eq!(outcome(Verdict::of_unsigned(Unsigned::Body), FRESH), dead);
        assert!(matches!(
            outcome(Verdict::of_unsigned(Unsigned::Secret), FRESH),
            DeliveryOutcome::Retry { .. }
        ));
    }

    #[test]
    fn a_schedule_that_is_used_up_says_since_when() {
        let old = History {
            attempts: 20,
            queued_at: Timestamp(NOW.0 - 9 * 86_400_000),
        };
        let dead = DeliveryOutcome::Dead {
            error: "status 503".into(),
            endpoint: EndpointVerdict::Exhausted {
                since: old.queued_at + FIRST_FAILURE,
            },
        };
        assert_eq!(outcome(of_status(503, None), old), dead);
        assert_eq!(outcome(of_status(200, None), old), DeliveryOutcome::Delivered);
    }
}
