//! How the control API reads bodies and answers: `{"error", "message"}` for everything that goes wrong.

use std::borrow::Cow;

use axum::Json;
use axum::body::to_bytes;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use serde::de::DeserializeOwned;
use serde_json::json;

use crate::world::view::SimError;

/// Room for the largest file that a person may send, in base64.
const MAX_BODY: usize = 96 * 1024 * 1024;
/// E.164 allows 15 digits; no country has numbers below 5.
const PHONE_DIGITS: std::ops::RangeInclusive<usize> = 5..=15;

pub(super) type Reply<T> = Result<Json<T>, Problem>;

#[expect(
    clippy::unnecessary_wraps,
    reason = "handlers return replies, also those that cannot fail"
)]
pub(super) fn done<T>(value: T) -> Reply<T> {
    Ok(Json(value))
}

/// A refusal: `error` for programs, `message` for people.
#[derive(Debug)]
pub(super) struct Problem {
    status: StatusCode,
    error: Cow<'static, str>,
    message: String,
}

impl Problem {
    pub(super) fn new(
        status: StatusCode,
        error: impl Into<Cow<'static, str>>,
        message: impl Into<String>,
    ) -> Self {
        Self {
            status,
            error: error.into(),
            message: message.into(),
        }
    }

    /// A body that is well formed and still cannot be.
    pub(super) fn invalid(field: &str, message: impl Into<String>) -> Self {
        Self::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            format!("invalid_{field}"),
            message,
        )
    }

    /// The simulator's own failure.
    pub(super) fn internal(error: &dyn std::fmt::Display) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", error.to_string())
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        (
            self.status,
            Json(json!({ "error": self.error, "message": self.message })),
        )
            .into_response()
    }
}

impl From<SimError> for Problem {
    fn from(error: SimError) -> Self {
        let message = error.to_string();
        match error {
            SimError::NotFound { what, .. } => Self::new(
                StatusCode::NOT_FOUND,
                format!("{}_not_found", what.replace(' ', "_")),
                message,
            ),
            SimError::Conflict(_) => Self::new(StatusCode::CONFLICT, "conflict", message),
            SimError::Invalid(_) => Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", message),
            SimError::TimedOut(_) => Self::new(StatusCode::GATEWAY_TIMEOUT, "timeout", message),
        }
    }
}

/// A JSON body, whatever its content type says: people drive this API with bare `curl -d`.
pub(super) struct Body<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let bytes = to_bytes(request.into_body(), MAX_BODY).await.map_err(|_| {
            Problem::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                "body_too_large",
                "the body broke off or is too large",
            )
        })?;
        serde_json::from_slice(&bytes).map(Body).map_err(|error| {
            if error.is_data() {
                Problem::invalid("body", error.to_string())
            } else {
                Problem::new(StatusCode::BAD_REQUEST, "malformed_json", error.to_string())
            }
        })
    }
}

/// The parsed query string.
pub(super) struct Query<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        axum::extract::Query::try_from_uri(&parts.uri)
            .map(|query| Self(query.0))
            .map_err(|error| Problem::new(StatusCode::BAD_REQUEST, "malformed_query", error.body_text()))
    }
}

/// A phone number in any usual spelling, as its digits.
pub(super) fn phone_number(field: &str, text: &str) -> Result<String, Problem> {
    let bare: String = text
        .chars()
        .filter(|c| !matches!(c, '+' | ' ' | '-' | '(' | ')'))
        .collect();
    let plausible = PHONE_DIGITS.contains(&bare.len()) && !bare.starts_with('0');
    if plausible && bare.bytes().all(|b| b.is_ascii_digit()) {
        Ok(bare)
    } else {
        Err(Problem::invalid(
            field,
            format!("{text:?} is not a phone number in international form"),
        ))
    }
}

/// Whom to write to: a phone number, or a JID as it stands.
pub(super) fn recipient(field: &str, text: &str) -> Result<String, Problem> {
    match text.split_once('@') {
        Some((user, "s.whatsapp.net")) => phone_number(field, user),
        Some((user, _)) if !user.is_empty() => Ok(text.to_owned()),
        Some(_) => Err(Problem::invalid(field, format!("{text:?} is not a JID"))),
        None => phone_number(field, text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phone_numbers_come_in_many_spellings() {
        for good in ["4915550001", "+49 1555 0001", "+49-(1555)-0001"] {
            assert_eq!(phone_number("phone", good).unwrap(), "4915550001", "{good}");
        }
        for bad in [
            "",
            "+",
            "1234",
            "04915550001",
            "49x5550001",
            "1234567890123456",
            "٤٩١٥٥٥٠٠٠١",
        ] {
            assert!(phone_number("phone", bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_recipient_is_a_number_or_a_jid() {
        assert_eq!(
            recipient("to", "4915550001@s.whatsapp.net").unwrap(),
            "4915550001"
        );
        assert_eq!(
            recipient("to", "120363000000000001@g.us").unwrap(),
            "120363000000000001@g.us"
        );
        assert!(recipient("to", "@g.us").is_err());
    }
}
