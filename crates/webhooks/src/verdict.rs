//! What an answer means for the delivery. Pure: the whole table can be read and tested here.

use std::time::Duration;

use wagate_domain::model::{DeliveryOutcome, Timestamp};

use crate::backoff::{Schedule, asked_wait};
use crate::post::{PostError, Response};
use crate::request::Unsigned;

/// What an attempt came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The receiver has it.
    Delivered { status: u16 },
    /// Not this time; the receiver may have asked for a pause.
    Failed { error: String, asked: Option<Duration> },
    /// Never.
    Hopeless { error: String },
}

/// A delivery before this attempt.
#[derive(Debug, Clone, Copy)]
pub(crate) struct History {
    pub attempts: u32,
    pub created_at: Timestamp,
}

impl Verdict {
    /// Only 2xx is a yes: a redirect is a failure, 410 says that nobody will ever listen there.
    pub(crate) fn of_answer(answer: Result<Response, PostError>, now: Timestamp) -> Self {
        match answer {
            Ok(Response {
                status: status @ 200..=299,
                ..
            }) => Self::Delivered { status },
            Ok(Response { status: 410, .. }) => Self::Hopeless {
                error: "status 410: gone".into(),
            },
            Ok(Response { status, retry_after }) => Self::Failed {
                error: format!("status {status}"),
                asked: retry_after.and_then(|header| asked_wait(&header, now)),
            },
            Err(error) => Self::Failed {
                error: error.to_string(),
                asked: None,
            },
        }
    }

    pub(crate) fn of_unsigned(unsigned: Unsigned) -> Self {
        let error = unsigned.to_string();
        match unsigned {
            Unsigned::Body => Self::Hopeless { error },
            Unsigned::Secret => Self::Failed { error, asked: None },
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
        match self {
            Self::Delivered { status } => DeliveryOutcome::Delivered { status },
            Self::Hopeless { error } => DeliveryOutcome::Dead { error },
            Self::Failed { error, asked } => {
                let age = now.since(history.created_at);
                match schedule.wait(history.attempts.saturating_add(1), age, asked, chance) {
                    Some(wait) => DeliveryOutcome::Retry {
                        at: now + wait,
                        error,
                    },
                    None => DeliveryOutcome::Dead { error },
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_status(status: u16) -> Verdict {
        Verdict::of_answer(
            Ok(Response {
                status,
                retry_after: None,
            }),
            Timestamp(0),
        )
    }

    #[test]
    fn only_2xx_is_a_yes_and_only_410_a_never() {
        for status in 100..=599 {
            let verdict = of_status(status);
            assert_eq!(
                matches!(verdict, Verdict::Delivered { .. }),
                (200..300).contains(&status),
                "{status}"
            );
            assert_eq!(
                matches!(verdict, Verdict::Hopeless { .. }),
                status == 410,
                "{status}"
            );
        }
    }

    #[test]
    fn a_body_that_cannot_be_signed_never_will_be_but_a_secret_may_be_repaired() {
        assert!(matches!(
            Verdict::of_unsigned(Unsigned::Body),
            Verdict::Hopeless { .. }
        ));
        assert!(matches!(
            Verdict::of_unsigned(Unsigned::Secret),
            Verdict::Failed { .. }
        ));
    }
}
