//! The query of a request, read by name.

use actix_web::dev::Payload;
use actix_web::web::Query;
use actix_web::{FromRequest, HttpRequest};
use wagate_domain::{Error, Result};

use crate::extract::clean;
use crate::problem::Problem;

/// The query, by name; the first of several equal names counts.
pub(crate) struct QueryFields(Vec<(String, String)>);

impl QueryFields {
    pub(crate) fn of(request: &HttpRequest) -> Result<Self> {
        Query::from_query(request.query_string())
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
    use super::*;

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
