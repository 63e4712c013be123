//! Problems in the reader's language. One catalogue per language, read once; its keys are codes, and names of families
//! for codes that have no sentence of their own.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use actix_web::HttpRequest;
use actix_web::http::header::{ACCEPT_LANGUAGE, HeaderMap};
use serde::Deserialize;
use wagate_domain::Error;

use crate::access::Lack;
use crate::problem::Problem;

/// A language that problems are told in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Language {
    English,
    Indonesian,
    Portuguese,
    Spanish,
}

impl Language {
    const ALL: [Self; 4] = [Self::English, Self::Indonesian, Self::Portuguese, Self::Spanish];

    /// Its tag.
    pub(super) fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Indonesian => "id",
            Self::Portuguese => "pt-BR",
            Self::Spanish => "es",
        }
    }

    fn json(self) -> &'static str {
        match self {
            Self::English => include_str!("problems/en.json"),
            Self::Indonesian => include_str!("problems/id.json"),
            Self::Portuguese => include_str!("problems/pt-BR.json"),
            Self::Spanish => include_str!("problems/es.json"),
        }
    }

    /// The one of ours that the client likes best; English when it names none.
    pub(super) fn wanted(headers: &HeaderMap) -> Self {
        let lists = headers.get_all(ACCEPT_LANGUAGE);
        let ranges = lists
            .filter_map(|list| list.to_str().ok())
            .flat_map(|list| list.split(','))
            .filter_map(range);
        let mut best = None;
        for (language, weight) in ranges {
            // Of equals the first counts.
            if weight > 0 && best.is_none_or(|(_, most)| weight > most) {
                best = Some((language, weight));
            }
        }
        best.map_or(Self::English, |(language, _)| language)
    }

    /// The one that the client of a request likes best.
    pub(super) fn of(request: &HttpRequest) -> Self {
        Self::wanted(request.headers())
    }

    /// A language of ours by its tag; the country does not count.
    fn named(tag: &str) -> Option<Self> {
        let primary = tag.split('-').next().unwrap_or_default();
        Self::ALL.into_iter().find(|language| {
            let own = language.tag().split('-').next().unwrap_or_default();
            own.eq_ignore_ascii_case(primary)
        })
    }
}

/// One range of `Accept-Language` with its weight in thousandths; `None` for what is not ours or cannot be read.
fn range(text: &str) -> Option<(Language, u16)> {
    let mut parts = text.split(';').map(str::trim);
    let language = Language::named(parts.next()?)?;
    let weight = match parts.find_map(|part| part.strip_prefix("q=")) {
        None => 1_000,
        Some(weight) => thousandths(weight)?,
    };
    Some((language, weight))
}

/// `0`, `1`, and up to three digits behind a point.
fn thousandths(text: &str) -> Option<u16> {
    let (whole, rest) = text.split_once('.').unwrap_or((text, ""));
    let digits = rest.len() <= 3 && rest.bytes().all(|b| b.is_ascii_digit());
    let rest: u16 = format!("{rest:0<3}").parse().ok().filter(|_| digits)?;
    match whole {
        "0" => Some(rest),
        "1" if rest == 0 => Some(1_000),
        _ => None,
    }
}

/// What is said of a kind of problem, with `{names}` for what differs from case to case.
#[derive(Debug, Deserialize)]
struct Wording {
    /// The kind in a few words.
    title: String,
    /// This case, as a sentence.
    detail: String,
}

type Catalogue = BTreeMap<String, Wording>;

fn catalogue(language: Language) -> &'static Catalogue {
    static ALL: LazyLock<[Catalogue; 4]> = LazyLock::new(|| {
        // That they can be read is tested; a problem without words still has its code.
        Language::ALL.map(|language| serde_json::from_str(language.json()).unwrap_or_default())
    });
    &ALL[language as usize]
}

/// Title and detail of a problem.
pub(super) fn told(problem: &Problem, language: Language) -> (String, String) {
    let catalogue = catalogue(language);
    let wording = keys(problem).into_iter().find_map(|key| catalogue.get(&key));
    match wording {
        Some(wording) => (wording.title.clone(), fill(&wording.detail, &values(problem))),
        None => (problem.code(), problem.to_string()),
    }
}

/// Where its words may stand, the best place first.
fn keys(problem: &Problem) -> Vec<String> {
    let code = problem.code();
    let variant = match problem {
        Problem::ScopeMissing(Lack::Action(_)) => Some(format!("{code}.action")),
        Problem::ScopeMissing(Lack::Reach) => Some(format!("{code}.reach")),
        _ => None,
    };
    let family = match problem {
        Problem::Failed(error) => family(error),
        _ => None,
    };
    let family = family.map(ToOwned::to_owned);
    variant.into_iter().chain([code]).chain(family).collect()
}

fn family(error: &Error) -> Option<&'static str> {
    match error {
        Error::NotFound { .. } => Some("not_found"),
        Error::AlreadyExists { .. } => Some("exists"),
        Error::Invalid { .. } => Some("invalid"),
        Error::TooLarge { .. } => Some("too_large"),
        Error::Unavailable { .. } => Some("unavailable"),
        Error::TimedOut { .. } => Some("timeout"),
        Error::WrongState { .. }
        | Error::KeyReused
        | Error::Unauthenticated
        | Error::WrongCredentials
        | Error::Throttled { .. }
        | Error::Refused { .. }
        | Error::Internal(_) => None,
    }
}

/// What differs from case to case. Reasons are in English: they come from all over the gateway, and from outside.
fn values(problem: &Problem) -> Vec<(&'static str, String)> {
    match problem {
        Problem::Failed(error) => values_of(error),
        Problem::WrongMethod { allow } => vec![("allow", (*allow).to_owned())],
        Problem::NotOnWhatsApp { phone } => vec![("phone", phone.to_string())],
        Problem::ScopeMissing(Lack::Action(action)) => vec![("action", format!("{:?}", action.as_str()))],
        Problem::ScopeMissing(_) | Problem::NoRoute | Problem::WrongMediaType | Problem::CrossOrigin => {
            vec![]
        }
    }
}

fn values_of(error: &Error) -> Vec<(&'static str, String)> {
    match error {
        Error::NotFound { what, id } | Error::AlreadyExists { what, id } => {
            vec![("what", (*what).to_owned()), ("id", format!("{id:?}"))]
        }
        Error::Invalid { field, reason } => vec![("field", (*field).to_owned()), ("reason", reason.clone())],
        Error::TooLarge { what, limit } => vec![("what", (*what).to_owned()), ("limit", limit.to_string())],
        Error::WrongState { is, .. } => vec![("is", is.clone())],
        Error::Refused { text, .. } => vec![("text", text.clone())],
        Error::Unavailable { what, reason } => vec![("what", (*what).to_owned()), ("reason", reason.clone())],
        Error::TimedOut { what } => vec![("what", (*what).to_owned())],
        Error::KeyReused
        | Error::Unauthenticated
        | Error::WrongCredentials
        | Error::Throttled { .. }
        | Error::Internal(_) => vec![],
    }
}

/// Puts the values where their names stand. Values are not looked at again: clients write some of them.
fn fill(text: &str, values: &[(&str, String)]) -> String {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        filled.push_str(before);
        let named = after.split_once('}').and_then(|(name, after)| {
            let (_, value) = values.iter().find(|(known, _)| *known == name)?;
            Some((value, after))
        });
        if let Some((value, after)) = named {
            filled.push_str(value);
            rest = after;
        } else {
            filled.push('{');
            rest = after;
        }
    }
    filled + rest
}

#[cfg(test)]
mod tests;
