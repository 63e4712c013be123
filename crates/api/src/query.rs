//! The query of a request, read by name.

use std::str::FromStr;

use actix_web::dev::Payload;
use actix_web::web::Query;
use actix_web::{FromRequest, HttpRequest};
use wagate_domain::model::CursorQuery;
use wagate_domain::{Error, Result};

use crate::extract::{clean, under};
use crate::problem::Problem;

/// Items on a page of `/v1` unless the client says otherwise, and at most.
pub(crate) const DEFAULT_LIMIT: u32 = 50;
pub(crate) const MAX_LIMIT: u32 = CursorQuery::<()>::MAX_LIMIT;

/// The query, by name; the first of several equal names counts.
pub(crate) struct QueryFields(Vec<(String, String)>);

impl QueryFields {
    pub(crate) fn of(request: &HttpRequest) -> Result<Self> {
        Self::parse(request.query_string())
    }

    /// Reads the text after the question mark.
    pub(crate) fn parse(query: &str) -> Result<Self> {
        Query::from_query(query)
            .map(|query: Query<Vec<(String, String)>>| Self(query.into_inner()))
            .map_err(|_| Error::invalid("query", "the query cannot be read"))
    }

    /// A value; `None` when it is left out or empty.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let named = self.0.iter().find(|(key, _)| key == name);
        named
            .map(|(_, value)| value.as_str())
            .filter(|value| !value.is_empty())
    }

    /// Every name, as often as it is given.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(key, _)| key.as_str())
    }

    /// Every value of this name.
    pub(crate) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0
            .iter()
            .filter(move |(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// The one value of this name. An empty one is a mistake of the client's that must not widen a list.
    pub(crate) fn one(&self, name: &'static str) -> Result<Option<&str>> {
        let mut values = self.all(name);
        match (values.next(), values.next()) {
            (None, _) => Ok(None),
            (Some(_), Some(_)) => Err(Error::invalid(name, format!("{name} must be given once"))),
            (Some(""), None) => Err(Error::invalid(name, format!("{name} must not be empty"))),
            (Some(value), None) => Ok(Some(value)),
        }
    }

    /// The one value of this name, read; what is wrong with it is told under this name.
    pub(crate) fn read<T: FromStr<Err = Error>>(&self, name: &'static str) -> Result<Option<T>> {
        let value = self.one(name)?;
        value
            .map(str::parse)
            .transpose()
            .map_err(|error| under(name, error))
    }

    /// A text to search for.
    pub(crate) fn search(&self) -> Result<Option<String>> {
        let text = self.one("search")?;
        text.map(|text| clean("search", text.into())).transpose()
    }

    /// How long a page is.
    pub(crate) fn limit(&self) -> Result<u32> {
        let Some(text) = self.one("limit")? else {
            return Ok(DEFAULT_LIMIT);
        };
        text.parse()
            .ok()
            .filter(|limit| (1..=MAX_LIMIT).contains(limit))
            .ok_or_else(|| {
                Error::invalid(
                    "limit",
                    format!("limit must be a whole number from 1 to {MAX_LIMIT}"),
                )
            })
    }

    /// A text without NUL.
    pub(crate) fn text(&self, name: &'static str) -> Result<Option<String>> {
        self.get(name).map(|value| clean(name, value.into())).transpose()
    }

    /// A whole number, brought into the range of `u32`.
    pub(crate) fn number(&self, name: &'static str) -> Result<Option<u32>> {
        let Some(text) = self.get(name) else {
            return Ok(None);
        };
        let digits = text.strip_prefix('-').unwrap_or(text);
        if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return Err(Error::invalid(name, format!("{name} must be a whole number")));
        }
        Ok(Some(if text.starts_with('-') {
            0
        } else {
            digits.parse().unwrap_or(u32::MAX)
        }))
    }
}

impl FromRequest for QueryFields {
    type Error = Problem;
    type Future = std::future::Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        std::future::ready(Self::of(request).map_err(Problem::from))
    }
}

#[cfg(test)]
mod tests {
    use wagate_domain::model::{EventId, Token};

    use super::*;

    #[test]
    fn a_page_is_asked_for_exactly_or_not_at_all() {
        let limit = |query: &str| QueryFields::parse(query).unwrap().limit();
        assert_eq!(limit("").unwrap(), DEFAULT_LIMIT);
        assert_eq!((limit("limit=1").unwrap(), limit("limit=200").unwrap()), (1, 200));
        for bad in [
            "",
            "0",
            "201",
            "-1",
            "1.0",
            "99999999999999999999",
            "ten",
            "1&limit=2",
        ] {
            assert_eq!(
                limit(&format!("limit={bad}")).unwrap_err().code(),
                "invalid_limit",
                "{bad}"
            );
        }
    }

    #[test]
    fn what_is_wrong_is_told_under_the_name_of_the_parameter() {
        let query = QueryFields::parse("after=evt_1&device=a%20b").unwrap();
        let after = query.read::<EventId>("after").unwrap_err();
        assert_eq!(
            (after.code().as_str(), after.to_string().as_str()),
            ("invalid_after", "after: not an id of the form evt_…")
        );
        assert_eq!(
            query.read::<Token>("device").unwrap_err().code(),
            "invalid_device"
        );
        assert_eq!(query.read::<Token>("none").unwrap(), None);
    }

    #[test]
    fn query_numbers_come_into_range() {
        let query = |value: &str| QueryFields(vec![("page".into(), value.into())]).number("page");
        assert_eq!(query("3").unwrap(), Some(3));
        assert_eq!(query("-3").unwrap(), Some(0));
        assert_eq!(query("99999999999999999999999").unwrap(), Some(u32::MAX));
        assert_eq!(query("").unwrap(), None);
        for bad in ["x", "1.5", "-", "--1", " 1", "1e3"] {
            assert_eq!(query(bad).unwrap_err().code(), "invalid_page", "{bad}");
        }
    }
}
