//! Reading requests of `/api/*` as old clients write them: the token in the query or in the body, a
//! body on every method and of any content type, or none.

use actix_web::dev::Payload;
use actix_web::error::PayloadError;
use actix_web::web::{Bytes, Data};
use actix_web::{FromRequest, HttpRequest};
use futures::FutureExt;
use futures::future::LocalBoxFuture;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use wagate_domain::model::Token;
use wagate_domain::{Error, Result};

use crate::access::Caller;
use crate::problem::Problem;
use crate::query::QueryFields;
use crate::state::ApiState;

/// Largest body of one route, in bytes, where it is not that of all.
#[derive(Clone, Copy)]
pub(crate) struct BodyLimit(pub(crate) usize);

/// One field of a body, not looked at yet, so that what is wrong with it is told by its name.
pub(crate) type Field = Option<Box<RawValue>>;

/// A request about one device.
pub(crate) struct SeedInput<T> {
    /// The device.
    pub(crate) token: Token,
    /// What else the body says; all fields absent when there is no body.
    pub(crate) body: T,
}

/// For requests that say nothing but the token.
#[derive(Deserialize)]
pub(crate) struct TokenOnly {}

#[derive(Deserialize)]
struct TokenBody {
    token: Field,
}

impl<T: DeserializeOwned + 'static> FromRequest for SeedInput<T> {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let query = QueryFields::of(request);
        let limit = request
            .app_data::<Data<ApiState>>()
            .map_or(0, |state| state.max_body_bytes);
        let state = request.app_data::<Data<ApiState>>().cloned();
        let caller = Caller::of(request);
        let body = Bytes::from_request(request, payload);
        async move {
            let (caller, state) = (caller?, state.ok_or(Error::Unauthenticated)?);
            let bytes = body.await.map_err(|error| unreadable(&error, limit))?;
            let input: Self = read(query?.get("token"), &bytes)?;
            caller.reaches(&input.token, &state).await?;
            Ok(input)
        }
        .boxed_local()
    }
}

fn read<T: DeserializeOwned>(query_token: Option<&str>, bytes: &[u8]) -> Result<SeedInput<T>> {
    let text = object(bytes)?;
    let TokenBody { token } = parse(text)?;
    let token = one_token(query_token, text_or_number("token", token)?.as_deref())?;
    Ok(SeedInput {
        token,
        body: parse(text)?,
    })
}

/// The text of a JSON object; no body is an empty one.
fn object(bytes: &[u8]) -> Result<&str> {
    let text = std::str::from_utf8(bytes)
        .map_err(|_| invalid_body("the body is not UTF-8"))?
        .trim();
    match text {
        "" => Ok("{}"),
        text if text.starts_with('{') => Ok(text),
        _ => Err(invalid_body("the body must be a JSON object")),
    }
}

/// Reads a whole JSON object.
pub(crate) fn parse_object<T: DeserializeOwned>(bytes: &[u8]) -> Result<T> {
    parse(object(bytes)?)
}

/// Two different tokens in one request are a mistake that must not hit the wrong device.
fn one_token(query: Option<&str>, body: Option<&str>) -> Result<Token> {
    let given = |token: Option<&str>| token.filter(|token| !token.is_empty()).map(str::to_owned);
    match (given(query), given(body)) {
        (Some(query), Some(body)) if query != body => Err(Error::invalid(
            "token",
            "the query and the body name different tokens",
        )),
        (Some(token), _) | (None, Some(token)) => token.parse(),
        (None, None) => Err(Error::invalid("token", "token is required")),
    }
}

fn parse<T: DeserializeOwned>(text: &str) -> Result<T> {
    serde_json::from_str(text).map_err(|error| {
        let what = if error.is_data() {
            "as expected"
        } else {
            "valid JSON"
        };
        invalid_body(&format!("the body is not {what}: {error}"))
    })
}

fn invalid_body(reason: &str) -> Error {
    Error::invalid("body", reason)
}

pub(crate) fn unreadable(error: &actix_web::Error, limit: usize) -> Error {
    match error.as_error::<PayloadError>() {
        Some(PayloadError::Overflow) => Error::TooLarge {
            what: "body",
            limit: limit as u64,
        },
        _ => invalid_body("the body ended early"),
    }
}

/// A text; `None` when it is left out or null.
pub(crate) fn text(name: &'static str, field: Field) -> Result<Option<String>> {
    let Some(raw) = field else { return Ok(None) };
    let text = serde_json::from_str::<String>(raw.get())
        .map_err(|_| Error::invalid(name, format!("{name} must be a string")))?;
    clean(name, text).map(Some)
}

/// A text that clients also write as a number, every digit of which is kept.
pub(crate) fn text_or_number(name: &'static str, field: Field) -> Result<Option<String>> {
    match field {
        Some(raw) if raw.get().starts_with(|c: char| c == '-' || c.is_ascii_digit()) => {
            Ok(Some(raw.get().into()))
        }
        Some(raw) => match serde_json::from_str::<String>(raw.get()) {
            Ok(text) => clean(name, text).map(Some),
            Err(_) => Err(Error::invalid(
                name,
                format!("{name} must be a string or a number"),
            )),
        },
        None => Ok(None),
    }
}

/// No database column and no protobuf text of WhatsApp's takes a NUL.
pub(crate) fn clean(name: &'static str, text: String) -> Result<String> {
    if text.contains('\0') {
        return Err(Error::invalid(
            name,
            format!("{name} must not contain a NUL character"),
        ));
    }
    Ok(text)
}

/// The same complaint, under the name that the client used.
pub(crate) fn under(name: &'static str, error: Error) -> Error {
    match error {
        Error::Invalid { reason, .. } if reason.starts_with(name) => Error::invalid(name, reason),
        Error::Invalid { reason, .. } => Error::invalid(name, format!("{name}: {reason}")),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize)]
    struct PhoneBody {
        phone: Field,
    }

    fn read_token(query: Option<&str>, body: &str) -> Result<String, String> {
        read::<TokenOnly>(query, body.as_bytes())
            .map(|input| input.token.to_string())
            .map_err(|error| format!("{} {error}", error.code()))
    }

    #[test]
    fn the_token_may_stand_in_either_place() {
        for (query, body, want) in [
            (Some("t"), "", "t"),
            (Some("t"), " \n", "t"),
            (Some("t"), "{}", "t"),
            (None, r#"{"token":"t"}"#, "t"),
            (
                None,
                r#"{"token":12345678901234567890123}"#,
                "12345678901234567890123",
            ),
            (Some("7"), r#"{"token":7}"#, "7"),
            (Some("t"), r#"{"token":null,"other":[1,{"a":"\ud800"}]}"#, "t"),
        ] {
            assert_eq!(read_token(query, body).unwrap(), want, "{body}");
        }
    }

    #[test]
    fn what_is_wrong_is_told() {
        for (query, body, want) in [
            (None, "", "invalid_token token is required"),
            (None, r#"{"token":""}"#, "invalid_token token is required"),
            (
                None,
                r#"{"token":true}"#,
                "invalid_token token must be a string or a number",
            ),
            (
                None,
                r#"{"token":"a\u0000"}"#,
                "invalid_token token must not contain a NUL character",
            ),
            (
                None,
                r#"{"token":"\ud800"}"#,
                "invalid_token token must be a string or a number",
            ),
            (
                Some("a"),
                r#"{"token":"b"}"#,
                "invalid_token the query and the body name different tokens",
            ),
            (
                Some("a"),
                r#"["b"]"#,
                "invalid_body the body must be a JSON object",
            ),
            (
                Some("a"),
                "token=b",
                "invalid_body the body must be a JSON object",
            ),
        ] {
            assert_eq!(read_token(query, body).unwrap_err(), want, "{body}");
        }
        assert!(
            read_token(None, "{\"token\":")
                .unwrap_err()
                .starts_with("invalid_body the body is not valid JSON")
        );
        assert!(
            read_token(None, &"{\"a\":".repeat(10_000))
                .unwrap_err()
                .starts_with("invalid_body")
        );
        assert!(read::<TokenOnly>(None, b"{\"token\":\"\xff\"}").is_err());
    }

    #[test]
    fn numbers_and_texts_are_told_apart_by_name() {
        let phone = |body: &str| read::<PhoneBody>(Some("t"), body.as_bytes()).unwrap().body.phone;
        assert_eq!(
            text_or_number("phone", phone(r#"{"phone":628}"#))
                .unwrap()
                .as_deref(),
            Some("628")
        );
        assert_eq!(
            text("phone", phone(r#"{"phone":"\u002b62"}"#))
                .unwrap()
                .as_deref(),
            Some("+62")
        );
        assert_eq!(text("phone", phone("{}")).unwrap(), None);
        assert_eq!(
            text("phone", phone(r#"{"phone":628}"#)).unwrap_err().to_string(),
            "phone must be a string"
        );
        assert_eq!(
            text("phone", phone(r#"{"phone":"\udc00"}"#)).unwrap_err().code(),
            "invalid_phone"
        );
    }
}
