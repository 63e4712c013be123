//! From the domain's errors to HTTP: the one table of statuses, and the error envelope of `/api/*`.

use std::fmt;
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::http::header::{ALLOW, RETRY_AFTER, WWW_AUTHENTICATE};
use actix_web::{HttpResponse, ResponseError};
use serde::Serialize;
use utoipa::ToSchema;
use wagate_domain::Error;
use wagate_domain::model::PhoneNumber;

use crate::access::Lack;
use crate::causes::Causes;

/// When to come back for the database: a burst is over soon.
const DATABASE_UNAVAILABLE_FOR: Duration = Duration::from_secs(1);

/// When to come back for something else that is out of reach now.
const UNAVAILABLE_FOR: Duration = Duration::from_secs(5);

/// When to come back for a code to scan: the session goes on asking for one meanwhile.
const NO_CODE_FOR: Duration = Duration::from_secs(2);

/// What old clients look for while there is no code to scan.
const WAITING_FOR_QR: &str = "waiting_for_qr";

/// Why a request got no answer.
#[derive(Debug)]
pub(crate) enum Problem {
    /// The use case, or reading the request, failed.
    Failed(Error),
    /// There is no such path.
    NoRoute,
    /// The path exists, the method does not.
    WrongMethod {
        /// The methods that do.
        allow: &'static str,
    },
    /// The body is written in another form than JSON.
    WrongMediaType,
    /// A cookie came with a request of another page.
    CrossOrigin,
    /// The key is one, but not for this.
    ScopeMissing(Lack),
    /// The number has no account; the older surface has an answer for it instead.
    NotOnWhatsApp {
        /// The number as it was understood.
        phone: PhoneNumber,
    },
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

/// The error envelope of `/api/*`: `error` and `message` are equal, clients of older gateways read one or the other.
#[derive(Serialize, ToSchema)]
#[schema(as = SeedProblem)]
pub(crate) struct SeedProblemView {
    /// Always `false`.
    status: bool,
    /// A plain sentence.
    error: String,
    /// The same sentence.
    message: String,
    /// Stable code, such as `device_not_found`.
    code: String,
    /// WhatsApp's own code, with `whatsapp_refused`.
    #[serde(skip_serializing_if = "Option::is_none")]
    wa_code: Option<u16>,
}

/// Status of an error, and when trying again makes sense.
fn status(error: &Error) -> (StatusCode, Option<Duration>) {
    match error {
        Error::NotFound { .. } => (StatusCode::NOT_FOUND, None),
        Error::Invalid { .. } => (StatusCode::BAD_REQUEST, None),
        Error::TooLarge { .. } => (StatusCode::PAYLOAD_TOO_LARGE, None),
        Error::AlreadyExists { .. } | Error::WrongState { .. } => (StatusCode::CONFLICT, None),
        Error::KeyReused | Error::Refused { .. } => (StatusCode::UNPROCESSABLE_ENTITY, None),
        Error::Unauthenticated | Error::WrongCredentials => (StatusCode::UNAUTHORIZED, None),
        Error::Throttled { retry_after } => (StatusCode::TOO_MANY_REQUESTS, Some(*retry_after)),
        Error::Unavailable { what: "database", .. } => {
            (StatusCode::SERVICE_UNAVAILABLE, Some(DATABASE_UNAVAILABLE_FOR))
        }
        Error::Unavailable { .. } => (StatusCode::SERVICE_UNAVAILABLE, Some(UNAVAILABLE_FOR)),
        Error::TimedOut { what: "qr" } => (StatusCode::SERVICE_UNAVAILABLE, Some(NO_CODE_FOR)),
        Error::TimedOut { .. } => (StatusCode::GATEWAY_TIMEOUT, None),
        Error::Internal(_) => (StatusCode::INTERNAL_SERVER_ERROR, None),
    }
}

impl Problem {
    /// Stable code for clients.
    pub(crate) fn code(&self) -> String {
        match self {
            Self::Failed(Error::TimedOut { what: "qr" }) => WAITING_FOR_QR.into(),
            Self::Failed(error) => error.code(),
            Self::NoRoute => "route_not_found".into(),
            Self::WrongMethod { .. } => "method_not_allowed".into(),
            Self::WrongMediaType => "unsupported_media_type".into(),
            Self::CrossOrigin => "cross_origin".into(),
            Self::ScopeMissing(_) => "scope_missing".into(),
            Self::NotOnWhatsApp { .. } => "not_on_whatsapp".into(),
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Failed(error) => status(error).1,
            _ => None,
        }
    }

    /// WhatsApp's own code, when it gave one.
    pub(crate) fn wa_code(&self) -> Option<u16> {
        match self {
            Self::Failed(Error::Refused { wa_code, .. }) => *wa_code,
            _ => None,
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(Error::TimedOut { what: "qr" }) => f.write_str(WAITING_FOR_QR),
            Self::Failed(error) => error.fmt(f),
            Self::NoRoute => f.write_str("no such endpoint"),
            Self::WrongMethod { allow } => write!(f, "this endpoint takes {allow}"),
            Self::WrongMediaType => f.write_str("send the body as JSON, with content-type: application/json"),
            Self::CrossOrigin => f.write_str(
                "a request that changes something must come from a page of this host: its Origin says otherwise, or is missing",
            ),
            Self::ScopeMissing(Lack::All) => f.write_str("this needs a key with the scope \"all\""),
            Self::ScopeMissing(Lack::Action(action)) => {
                write!(f, "this needs a key with the scope {:?}", action.as_str())
            }
            Self::ScopeMissing(Lack::Reach) => {
                f.write_str("this key is for one device or workspace, and this is not about it alone")
            }
            Self::NotOnWhatsApp { phone } => write!(f, "{phone} is not on WhatsApp"),
        }
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::Failed(error) => status(error).0,
            Self::NoRoute => StatusCode::NOT_FOUND,
            Self::WrongMethod { .. } => StatusCode::METHOD_NOT_ALLOWED,
            Self::WrongMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::CrossOrigin | Self::ScopeMissing(_) => StatusCode::FORBIDDEN,
            Self::NotOnWhatsApp { .. } => StatusCode::UNPROCESSABLE_ENTITY,
        }
    }

    fn error_response(&self) -> HttpResponse {
        if let Self::Failed(Error::Internal(source)) = self {
            // The only place that sees the cause: clients get the request id to ask about.
            tracing::error!(error = %Causes(source.as_ref()), "request failed");
        }
        let mut response = HttpResponse::build(self.status_code());
        if let Some(wait) = self.retry_after() {
            response.insert_header((RETRY_AFTER, whole_seconds(wait).to_string()));
        }
        if let Self::WrongMethod { allow } = self {
            response.insert_header((ALLOW, *allow));
        }
        if self.status_code() == StatusCode::UNAUTHORIZED {
            response.insert_header((WWW_AUTHENTICATE, "Bearer"));
        }
        let text = self.to_string();
        response.json(SeedProblemView {
            status: false,
            error: text.clone(),
            message: text,
            code: self.code(),
            wa_code: self.wa_code(),
        })
    }
}

/// Rounded up, so that nobody comes back too early.
fn whole_seconds(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}

#[cfg(test)]
mod tests {
    use actix_web::body::MessageBody;
    use wagate_domain::Needs;

    use super::*;

    fn shown(error: Error) -> (u16, Option<String>, serde_json::Value) {
        let response = Problem::from(error).error_response();
        let status = response.status().as_u16();
        let retry = response
            .headers()
            .get(RETRY_AFTER)
            .map(|value| value.to_str().unwrap().to_owned());
        let body = response.into_body().try_into_bytes().unwrap();
        (status, retry, serde_json::from_slice(&body).unwrap())
    }

    #[test]
    fn every_error_has_its_status_and_code() {
        let cases = [
            (
                Error::NotFound {
                    what: "device",
                    id: "x".into(),
                },
                404,
                None,
                "device_not_found",
            ),
            (
                Error::AlreadyExists {
                    what: "device",
                    id: "x".into(),
                },
                409,
                None,
                "device_exists",
            ),
            (
                Error::invalid("phone", "phone is required"),
                400,
                None,
                "invalid_phone",
            ),
            (
                Error::TooLarge {
                    what: "media",
                    limit: 1,
                },
                413,
                None,
                "media_too_large",
            ),
            (
                Error::WrongState {
                    needs: Needs::Connected,
                    is: "stopped".into(),
                },
                409,
                None,
                "session_not_connected",
            ),
            (Error::KeyReused, 422, None, "idempotency_key_reused"),
            (Error::Unauthenticated, 401, None, "unauthenticated"),
            (Error::WrongCredentials, 401, None, "wrong_credentials"),
            (
                Error::WrongState {
                    needs: Needs::NoAdmin,
                    is: "done".into(),
                },
                409,
                None,
                "setup_done",
            ),
            (
                Error::Throttled {
                    retry_after: Duration::from_millis(1500),
                },
                429,
                Some("2"),
                "throttled",
            ),
            (
                Error::Refused {
                    wa_code: Some(463),
                    text: "no".into(),
                },
                422,
                None,
                "whatsapp_refused",
            ),
            (
                Error::unavailable("whatsapp", "down"),
                503,
                Some("5"),
                "whatsapp_unavailable",
            ),
            (
                Error::unavailable("database", "busy"),
                503,
                Some("1"),
                "database_unavailable",
            ),
            (Error::TimedOut { what: "qr" }, 503, Some("2"), "waiting_for_qr"),
            (Error::internal("a secret of ours"), 500, None, "internal"),
        ];
        for (error, want_status, want_retry, want_code) in cases {
            let (status, retry, body) = shown(error);
            assert_eq!((status, retry.as_deref()), (want_status, want_retry), "{body}");
            assert_eq!(
                (&body["code"], &body["status"]),
                (&want_code.into(), &false.into())
            );
            assert_eq!(body["error"], body["message"]);
            assert!(!body.to_string().contains("secret"));
        }
    }

    #[test]
    fn whatsapp_that_is_silent_is_a_timeout() {
        let (status, retry, body) = shown(Error::TimedOut { what: "whatsapp" });
        assert_eq!((status, retry), (504, None));
        assert_eq!(body["code"], "whatsapp_timeout");
    }

    #[test]
    fn a_refusal_tells_the_code_of_whatsapp() {
        let (_, _, body) = shown(Error::Refused {
            wa_code: Some(463),
            text: "no".into(),
        });
        assert_eq!(body["wa_code"], 463);
        let (_, _, body) = shown(Error::Refused {
            wa_code: None,
            text: "no".into(),
        });
        assert!(body.get("wa_code").is_none());
    }
}
