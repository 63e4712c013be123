//! Reading requests of `/v1`: JSON alone, and nothing that is not understood.

use std::str::FromStr;

use actix_web::dev::Payload;
use actix_web::http::header::{CONTENT_TYPE, HeaderMap};
use actix_web::web::{Bytes, Data};
use actix_web::{FromRequest, HttpRequest};
use futures::FutureExt;
use futures::future::LocalBoxFuture;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use utoipa::IntoParams;
use wagate_domain::model::{ApiKeyId, DeliveryId, Jid, JobId, MessageId, Token, WebhookId, WorkspaceName};
use wagate_domain::{Error, Result};

use super::fields::message_id;
use crate::extract::{BodyLimit, parse_object, unreadable};
use crate::problem::Problem;
use crate::query::QueryFields;
use crate::state::ApiState;

/// A body of JSON; one that is left out says nothing.
pub(super) struct Body<T>(pub(super) T);

/// A body for requests that have nothing to say.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NoFields {}

impl<T: DeserializeOwned + 'static> FromRequest for Body<T> {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let limit = request.app_data::<BodyLimit>().map_or_else(
            || {
                let state = request.app_data::<Data<ApiState>>();
                state.map_or(0, |state| state.max_body_bytes)
            },
            |limit| limit.0,
        );
        let json = says_json(request.headers());
        let body = Bytes::from_request(request, payload);
        async move {
            let bytes = body.await.map_err(|error| unreadable(&error, limit))?;
            if !json && !bytes.is_empty() {
                return Err(Problem::WrongMediaType);
            }
            Ok(Self(parse_object(&bytes)?))
        }
        .boxed_local()
    }
}

/// JSON, or nothing said about it.
fn says_json(headers: &HeaderMap) -> bool {
    let Some(value) = headers.get(CONTENT_TYPE) else {
        return true;
    };
    let media_type = value.to_str().unwrap_or_default().split(';').next();
    let media_type = media_type.unwrap_or_default().trim().to_ascii_lowercase();
    media_type == "application/json" || media_type.ends_with("+json")
}

/// A query. What is documented is accepted, and nothing else.
pub(super) struct Params<T>(pub(super) T);

impl<T> FromRequest for Params<T>
where
    T: IntoParams + TryFrom<QueryFields, Error = Error>,
{
    type Error = Problem;
    type Future = std::future::Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        std::future::ready(
            read_query(request.query_string())
                .map(Self)
                .map_err(Problem::from),
        )
    }
}

fn read_query<T>(query: &str) -> Result<T>
where
    T: IntoParams + TryFrom<QueryFields, Error = Error>,
{
    let fields = QueryFields::parse(query)?;
    let known = T::into_params(|| None);
    let unknown = fields
        .names()
        .find(|name| !known.iter().any(|param| param.name == *name));
    match unknown {
        None => T::try_from(fields),
        Some(name) => Err(Error::invalid("query", unknown_parameter(name, &known))),
    }
}

fn unknown_parameter(name: &str, known: &[utoipa::openapi::path::Parameter]) -> String {
    let known: Vec<&str> = known.iter().map(|param| param.name.as_str()).collect();
    match known.as_slice() {
        [] => format!("there is no query parameter {name:?} here"),
        known => format!(
            "there is no query parameter {name:?} here, only {}",
            known.join(", ")
        ),
    }
}

/// A query for requests that have nothing to ask for.
#[derive(IntoParams)]
pub(super) struct NoQuery {}

impl TryFrom<QueryFields> for NoQuery {
    type Error = Error;

    fn try_from(_: QueryFields) -> Result<Self> {
        Ok(Self {})
    }
}

/// What a part of the path names. What cannot be an id names nothing.
pub(super) struct Named<T>(pub(super) T);

/// A value that a part of the path stands for.
pub(super) trait InPath: Sized {
    /// The part.
    const PART: &str;
    /// What it names.
    const WHAT: &'static str;

    /// Reads it.
    fn read(text: &str) -> Result<Self>;
}

impl<T: InPath> FromRequest for Named<T> {
    type Error = Problem;
    type Future = std::future::Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let text = request.match_info().get(T::PART).unwrap_or_default();
        let missing = |_| Error::NotFound {
            what: T::WHAT,
            id: text.into(),
        };
        std::future::ready(T::read(text).map(Self).map_err(missing).map_err(Problem::from))
    }
}

/// The router undoes all escapes in a path but three.
fn unescaped(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('%') {
        plain.push_str(before);
        let escaped = match after.get(..2) {
            Some("2F" | "2f") => Some('/'),
            Some("2B" | "2b") => Some('+'),
            Some("25") => Some('%'),
            _ => None,
        };
        plain.push(escaped.unwrap_or('%'));
        let read = if escaped.is_some() { 2 } else { 0 };
        rest = after.get(read..).unwrap_or_default();
    }
    plain + rest
}

macro_rules! in_path {
    ($type:ty, $part:literal, $what:literal, $read:expr) => {
        impl InPath for $type {
            const PART: &str = $part;
            const WHAT: &'static str = $what;

            fn read(text: &str) -> Result<Self> {
                $read(text)
            }
        }
    };
}

in_path!(Token, "device", "device", Token::from_str);
in_path!(WebhookId, "id", "webhook", WebhookId::from_str);
in_path!(DeliveryId, "id", "delivery", DeliveryId::from_str);
in_path!(ApiKeyId, "id", "api_key", ApiKeyId::from_str);
in_path!(JobId, "id", "job", JobId::from_str);
in_path!(Jid, "id", "group", Jid::from_str);
in_path!(WorkspaceName, "workspace", "workspace", |text| unescaped(text)
    .parse());
in_path!(MessageId, "id", "message", message_id);

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;

    use super::*;

    #[derive(Debug, IntoParams)]
    #[expect(dead_code, reason = "only its name counts")]
    struct AfterQuery {
        after: String,
    }

    impl TryFrom<QueryFields> for AfterQuery {
        type Error = Error;

        fn try_from(fields: QueryFields) -> Result<Self> {
            let after = fields.one("after")?.unwrap_or_default().to_owned();
            Ok(Self { after })
        }
    }

    #[test]
    fn parameters_that_nobody_knows_are_refused_by_name() {
        assert!(read_query::<AfterQuery>("after=x").is_ok());
        assert!(read_query::<AfterQuery>("").is_ok());
        for (query, want) in [
            (
                "befor=x",
                "there is no query parameter \"befor\" here, only after",
            ),
            (
                "after=x&limit=1",
                "there is no query parameter \"limit\" here, only after",
            ),
        ] {
            assert_eq!(read_query::<AfterQuery>(query).unwrap_err().to_string(), want);
        }
        assert_eq!(
            read_query::<NoQuery>("x")
                .err()
                .map(|error| error.to_string())
                .as_deref(),
            Some("there is no query parameter \"x\" here")
        );
    }

    #[test]
    fn names_in_paths_may_have_any_character() {
        for (text, plain) in [
            ("North", "North"),
            ("a%2Fb%2fc", "a/b/c"),
            ("50%25%2B", "50%+"),
            ("%252F", "%2F"),
            ("%", "%"),
            ("%2", "%2"),
            ("%\u{e9}", "%\u{e9}"),
        ] {
            assert_eq!(unescaped(text), plain, "{text}");
        }
    }

    #[test]
    fn bodies_are_json_by_their_content_type() {
        for (value, json) in [
            ("application/json", true),
            ("Application/JSON; charset=utf-8", true),
            ("application/merge-patch+json", true),
            ("application/x-www-form-urlencoded", false),
            ("text/plain", false),
            ("", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(value));
            assert_eq!(says_json(&headers), json, "{value}");
        }
        assert!(says_json(&HeaderMap::new()));
    }
}
