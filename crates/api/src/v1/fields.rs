//! The fields of bodies of `/v1`, each read by its name.

use std::collections::BTreeMap;
use std::str::FromStr;

use chrono::DateTime;
use serde::de::DeserializeOwned;
use wagate_domain::model::{
    Change, CustomHeader, EventFilter, MessageId, SigningSecret, Timestamp, WebhookFormat,
};
use wagate_domain::{Error, Result};

use super::view::HIDDEN;
use crate::extract::{Field, text};

/// Longest address of an endpoint, in bytes.
const MAX_URL: usize = 2_048;

/// Longest id of a message, in bytes.
const MAX_MESSAGE_ID: usize = 128;

/// A number at least this large counts milliseconds: as seconds it would be beyond the year 5000.
const FIRST_MILLIS: i64 = 100_000_000_000;

/// The last millisecond of the year 9999: RFC 3339 ends there.
const LAST_MILLI: i64 = 253_402_300_799_999;

/// A value of this JSON type; `None` when it is left out or null.
fn typed<T: DeserializeOwned>(name: &'static str, field: Field, what: &str) -> Result<Option<T>> {
    let read = |raw: Box<serde_json::value::RawValue>| serde_json::from_str(raw.get());
    field
        .map(read)
        .transpose()
        .map_err(|_| Error::invalid(name, format!("{name} must be {what}")))
}

/// A text that has to be there.
pub(super) fn required(name: &'static str, field: Field) -> Result<String> {
    text(name, field)?
        .filter(|text| !text.trim().is_empty())
        .ok_or_else(|| Error::invalid(name, format!("{name} is required")))
}

/// What becomes of a value; an empty text takes away what is there.
pub(super) fn change<T: FromStr<Err = Error>>(name: &'static str, field: Field) -> Result<Change<T>> {
    match text(name, field)?.as_deref() {
        None => Ok(Change::Keep),
        Some("") => Ok(Change::Clear),
        Some(text) => text.parse().map(Change::Set),
    }
}

/// True or false.
pub(super) fn flag(name: &'static str, field: Field) -> Result<Option<bool>> {
    typed(name, field, "true or false")
}

/// An address of an endpoint; whether it may be called is seen later.
pub(super) fn url(field: Field) -> Result<Option<String>> {
    let Some(url) = text("url", field)? else {
        return Ok(None);
    };
    if url.len() > MAX_URL {
        return Err(Error::invalid(
            "url",
            format!("url must be at most {MAX_URL} bytes"),
        ));
    }
    Ok(Some(url.trim().into()))
}

/// How bodies are written.
pub(super) fn format(field: Field) -> Result<Option<WebhookFormat>> {
    text("format", field)?.map(|text| text.parse()).transpose()
}

/// Which events. An empty list would mean all of them, which nobody expects.
pub(super) fn events(field: Field) -> Result<Option<EventFilter>> {
    let patterns: Option<Vec<String>> = typed("events", field, "a list of event types")?;
    match patterns {
        Some(patterns) if patterns.is_empty() => Err(Error::invalid(
            "events",
            "events must not be empty: leave it out, or say [\"*\"], for all",
        )),
        Some(patterns) => EventFilter::parse(&patterns).map(Some),
        None => Ok(None),
    }
}

/// Phone numbers as people write them; whether each can be read is seen later.
pub(super) fn numbers(field: Field) -> Result<Vec<String>> {
    let numbers: Option<Vec<String>> = typed("numbers", field, "a list of strings")?;
    numbers.ok_or_else(|| Error::invalid("numbers", "numbers is required"))
}

/// Words of a key's scope.
pub(super) fn scope_words(field: Field) -> Result<Vec<String>> {
    let words: Option<Vec<String>> = typed("scope", field, "a list of words")?;
    words.ok_or_else(|| Error::invalid("scope", "scope is required"))
}

/// Headers by name.
pub(super) fn headers(field: Field) -> Result<Option<Vec<CustomHeader>>> {
    let given: Option<BTreeMap<String, String>> = typed("headers", field, "an object of strings")?;
    let Some(given) = given else {
        return Ok(None);
    };
    let mut headers: Vec<CustomHeader> = Vec::new();
    for (name, value) in given {
        let header = header(&name, value)?;
        if headers.iter().any(|other| other.name() == header.name()) {
            let reason = format!("the header {} is given twice", header.name());
            return Err(Error::invalid("headers", reason));
        }
        headers.push(header);
    }
    Ok(Some(headers))
}

/// Whoever sends back what an answer showed must not lose a credential by it.
fn header(name: &str, value: String) -> Result<CustomHeader> {
    if value == HIDDEN {
        return Err(Error::invalid(
            "headers",
            format!("the value of {name} is the placeholder {HIDDEN}: send the value itself"),
        ));
    }
    CustomHeader::new(name, value)
}

/// What signs deliveries.
pub(super) fn secret(field: Field) -> Result<Option<SigningSecret>> {
    text("secret", field)?.map(|text| text.parse()).transpose()
}

/// A moment: RFC 3339, or unix time in seconds or milliseconds.
pub(super) fn time(name: &'static str, field: Field) -> Result<Option<Timestamp>> {
    let Some(raw) = field else { return Ok(None) };
    let millis = match serde_json::from_str::<i64>(raw.get()) {
        Ok(number) if number < FIRST_MILLIS => number.checked_mul(1_000),
        Ok(number) => Some(number),
        Err(_) => serde_json::from_str::<String>(raw.get())
            .ok()
            .and_then(|text| DateTime::parse_from_rfc3339(&text).ok())
            .map(|time| time.timestamp_millis()),
    };
    millis
        .filter(|millis| (0..=LAST_MILLI).contains(millis))
        .map(|millis| Some(Timestamp(millis)))
        .ok_or_else(|| {
            let forms = "a time from 1970 to 9999, as RFC 3339 or in unix seconds or milliseconds";
            Error::invalid(name, format!("{name} must be {forms}"))
        })
}

/// An id of WhatsApp's: we do not know its form, but no database and no protocol takes odd characters.
pub(super) fn message_id(text: &str) -> Result<MessageId> {
    let sane = (1..=MAX_MESSAGE_ID).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic());
    if sane {
        Ok(MessageId(text.into()))
    } else {
        Err(Error::invalid("id", "not an id of a message"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(json: &str) -> Field {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn times_come_in_three_forms() {
        let read = |json: &str| time("since", field(json)).unwrap().map(|at| at.0);
        assert_eq!(read("1767225600"), Some(1_767_225_600_000));
        assert_eq!(read("1767225600123"), Some(1_767_225_600_123));
        assert_eq!(read("0"), Some(0));
        assert_eq!(read(r#""2026-01-01T00:00:00Z""#), Some(1_767_225_600_000));
        assert_eq!(read(r#""2026-01-01T07:00:00.5+07:00""#), Some(1_767_225_600_500));
        assert_eq!(read("null"), None);
    }

    #[test]
    fn what_is_no_time_is_told() {
        for json in [
            "-1",
            "1.5",
            "1e3",
            "9223372036854775807",
            "99999999999999999999999",
            "true",
            "[]",
            r#""""#,
            r#""now""#,
            r#""2026-01-01""#,
            r#""2026-01-01T00:00:00""#,
            r#""1969-12-31T23:59:59Z""#,
            r#""1767225600""#,
            r#""2026-01-01T00:00:00Z\u0000""#,
        ] {
            let error = time("since", field(json)).unwrap_err();
            assert_eq!(error.code(), "invalid_since", "{json}");
        }
    }

    #[test]
    fn headers_are_an_object_of_strings() {
        let read = |json: &str| headers(field(json));
        let names = |json: &str| -> Vec<String> {
            let headers = read(json).unwrap().unwrap();
            headers.iter().map(|header| header.name().to_owned()).collect()
        };
        assert_eq!(
            names(r#"{"X-Tenant":"7","authorization":"Basic eA=="}"#),
            ["x-tenant", "authorization"]
        );
        assert_eq!(names("{}"), [""; 0]);
        assert_eq!(read("null").unwrap(), None);
        for bad in [
            r#"{"x-a":7}"#,
            r#"{"x-a":null}"#,
            r#"["x-a"]"#,
            r#""x-a: 7""#,
            r#"{"host":"x"}"#,
            r#"{"x-a":"[hidden]"}"#,
            r#"{"x-a":"1","X-A":"2"}"#,
            r#"{"x-a":"a\u0000b"}"#,
        ] {
            assert_eq!(read(bad).unwrap_err().code(), "invalid_headers", "{bad}");
        }
    }

    #[test]
    fn events_are_a_list_that_says_something() {
        let read = |json: &str| events(field(json));
        assert!(read(r#"["message.*","session.qr"]"#).unwrap().is_some());
        assert_eq!(read("null").unwrap(), None);
        for bad in [
            "[]",
            r#"["nothing"]"#,
            "[7]",
            r#""message.*""#,
            r#"["message.*\u0000"]"#,
        ] {
            assert_eq!(read(bad).unwrap_err().code(), "invalid_events", "{bad}");
        }
    }

    #[test]
    fn addresses_have_a_length() {
        let read = |url: &str| url_of(&serde_json::to_string(url).unwrap());
        assert_eq!(
            read(" https://example.com/ ").unwrap().as_deref(),
            Some("https://example.com/")
        );
        assert_eq!(read(&"x".repeat(MAX_URL + 1)).unwrap_err().code(), "invalid_url");
        assert_eq!(read("https://a\0b").unwrap_err().code(), "invalid_url");
    }

    fn url_of(json: &str) -> Result<Option<String>> {
        url(field(json))
    }

    #[test]
    fn ids_of_messages_are_plain() {
        assert!(message_id("3EB0C431C26A1916E07A").is_ok());
        for bad in ["", "a b", "a\0", "\u{e9}", &"x".repeat(MAX_MESSAGE_ID + 1)] {
            assert!(message_id(bad).is_err(), "{bad}");
        }
    }
}
