//! Upstream's errors in the domain's words. Details go to the debug log only: they may name people.

use std::time::Duration;

use wagate_domain::{Error, Needs};
use whatsapp_rust::error::ErrorChainExt;
use whatsapp_rust::pair_code::{PairCodeError, PairError};
use whatsapp_rust::{ClientError, SendError};

/// Name of the far side in errors.
pub(crate) const WHATSAPP: &str = "whatsapp";

/// How long to wait when WhatsApp says "too many requests" and nothing more.
const DEFAULT_BACKOFF: Duration = Duration::from_mins(1);

const TOO_MANY_REQUESTS: u16 = 429;

/// The message cannot be sent because the person has not let this account write to them.
const NACK_NO_TRUST: u16 = 463;
/// A field of the message is not what WhatsApp expects.
const NACK_MALFORMED: u16 = 479;

/// A failure inside upstream that no caller can do anything about.
#[derive(Debug, thiserror::Error)]
#[error("the WhatsApp client failed while it {0}")]
struct Defect(&'static str);

/// The state is not the one that the request needs.
pub(crate) fn not_connected(is: &str) -> Error {
    Error::WrongState {
        needs: Needs::Connected,
        is: is.to_owned(),
    }
}

/// Any error of a request that asks WhatsApp something; `doing` completes "failed while it …".
pub(crate) fn request(
    doing: &'static str,
    error: &(impl ErrorChainExt + std::fmt::Display + ?Sized),
) -> Error {
    tracing::debug!(%error, "a request failed while the client {doing}");
    if let Some(rejection) = error.server_rejection() {
        if rejection.code == TOO_MANY_REQUESTS {
            let told = rejection.backoff.map(|secs| Duration::from_secs(secs.into()));
            return Error::Throttled {
                retry_after: told.unwrap_or(DEFAULT_BACKOFF),
            };
        }
        return refused(rejection.code, rejection.text);
    }
    if error.is_timeout() {
        return Error::TimedOut { what: WHATSAPP };
    }
    if error.is_transport_unavailable() {
        return Error::unavailable(WHATSAPP, "the connection was lost");
    }
    if error.store_failure().is_some() {
        return Error::unavailable("database", "the keys of the session could not be read or written");
    }
    Error::internal(Defect(doing))
}

/// An error of sending. Only what certainly did not leave the machine is a `WrongState`; what may have
/// left is a `TimedOut`, so that nobody sends it again under another id.
pub(crate) fn send(error: &SendError) -> Error {
    match error {
        SendError::NotLoggedIn | SendError::Client(ClientError::NotConnected | ClientError::NotLoggedIn) => {
            not_connected("disconnected")
        }
        // Such questions come before the message is put on the wire.
        SendError::Iq(asked) => match request("prepared a message", asked) {
            Error::Unavailable { what: WHATSAPP, .. } => not_connected("disconnected"),
            other => other,
        },
        SendError::InvalidRequest(reason) => Error::invalid("to", reason.clone()),
        other => match request("sent a message", other) {
            Error::Unavailable { what: WHATSAPP, .. } => Error::TimedOut { what: WHATSAPP },
            known => known,
        },
    }
}

/// What the server's acknowledgement said against a message.
pub(crate) fn nack(code: &str) -> Error {
    let wa_code = code.parse().ok();
    let text = match wa_code {
        Some(NACK_NO_TRUST) => {
            "this account may not start a chat with this person now: they have not written to it before, or \
             WhatsApp limits its new chats for a while"
                .to_owned()
        }
        Some(NACK_MALFORMED) => "the message has a form that WhatsApp does not accept".to_owned(),
        _ => format!("the message was not accepted (code {code})"),
    };
    Error::Refused { wa_code, text }
}

/// An error of asking for a pairing code.
pub(crate) fn pair(error: &PairError) -> Error {
    match error {
        PairError::PairCode(
            PairCodeError::PhoneNumberRequired
            | PairCodeError::PhoneNumberTooShort
            | PairCodeError::PhoneNumberNotInternational,
        ) => Error::invalid("phone", error.to_string()),
        PairError::PairCode(PairCodeError::CodeAlreadyOutstanding { remaining }) => Error::Throttled {
            retry_after: *remaining,
        },
        PairError::PairCode(PairCodeError::Cancelled) => {
            Error::unavailable(WHATSAPP, "another request took over")
        }
        other => match (other.rejection(), request("asked for a pairing code", other)) {
            // WhatsApp says "bad request" for "too often for this number" as well.
            (Some(rejection), Error::Refused { wa_code, .. }) if rejection.is_throttled() => Error::Refused {
                wa_code,
                text: "no pairing code for this number now: it may be wrong, or asked for too often".into(),
            },
            (_, known) => known,
        },
    }
}

fn refused(code: u16, text: &str) -> Error {
    let text = if text.is_empty() {
        format!("code {code}")
    } else {
        format!("{text} (code {code})")
    };
    Error::Refused {
        wa_code: Some(code),
        text,
    }
}

#[cfg(test)]
mod tests {
    use whatsapp_rust::IqError;

    use super::*;

    fn rejected(code: u16, backoff: Option<u32>) -> IqError {
        IqError::ServerError {
            code,
            text: "not-allowed".into(),
            error_type: None,
            backoff,
        }
    }

    #[test]
    fn refusals_keep_their_code() {
        let Error::Refused { wa_code, text } = request("asked", &rejected(403, None)) else {
            panic!("refused")
        };
        assert_eq!((wa_code, text.as_str()), (Some(403), "not-allowed (code 403)"));
        let throttled = request("asked", &rejected(429, Some(7)));
        assert!(matches!(throttled, Error::Throttled { retry_after } if retry_after.as_secs() == 7));
    }

    #[test]
    fn silence_and_loss_are_told_apart() {
        assert!(matches!(
            request("asked", &IqError::Timeout),
            Error::TimedOut { .. }
        ));
        assert!(matches!(
            request("asked", &IqError::NotConnected),
            Error::Unavailable { what: WHATSAPP, .. }
        ));
    }

    #[test]
    fn only_what_stayed_here_is_a_wrong_state() {
        let stayed = [
            SendError::NotLoggedIn,
            SendError::Client(ClientError::NotConnected),
            IqError::NotConnected.into(),
        ];
        for error in stayed {
            assert!(
                matches!(
                    send(&error),
                    Error::WrongState {
                        needs: Needs::Connected,
                        ..
                    }
                ),
                "{error}"
            );
        }
        let maybe = SendError::Client(ClientError::Iq(IqError::InternalChannelClosed));
        assert!(matches!(send(&maybe), Error::TimedOut { .. }));
    }

    #[test]
    fn nacks_are_plain_sentences() {
        for (code, want) in [
            ("463", Some(463)),
            ("479", Some(479)),
            ("400", Some(400)),
            ("odd", None),
        ] {
            let Error::Refused { wa_code, text } = nack(code) else {
                panic!("refused")
            };
            assert_eq!(wa_code, want);
            assert!(!text.is_empty());
        }
    }
}
