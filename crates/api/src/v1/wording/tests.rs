use std::collections::BTreeSet;
use std::time::Duration;

use actix_web::http::header::HeaderValue;
use wagate_domain::Needs;
use wagate_domain::model::{KeyAction, PhoneNumber};

use super::*;

fn names(text: &str) -> BTreeSet<&str> {
    let opened = text.split('{').skip(1);
    opened.filter_map(|rest| rest.split('}').next()).collect()
}

#[test]
fn every_language_says_the_same_with_the_same_values() {
    let english = catalogue(Language::English);
    assert!(english.len() > 30);
    for language in Language::ALL {
        let other = catalogue(language);
        assert!(other.keys().eq(english.keys()), "{language:?}");
        for (key, wording) in other {
            assert!(
                !wording.title.is_empty() && !wording.detail.is_empty(),
                "{language:?} {key}"
            );
            let mut given = names(&wording.detail);
            // In English the sentence names the field already.
            given.remove("field");
            assert_eq!(given, names(&english[key].detail), "{language:?} {key}");
            if language != Language::English {
                assert_ne!(wording.title, english[key].title, "{language:?} {key}");
            }
        }
    }
}

/// The codes of the page that documents them, but for those of `/api` alone.
#[test]
fn every_code_that_is_documented_has_words() {
    let page = include_str!("../../../../../docs/problems/README.md");
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `"));
    let codes: Vec<&str> = rows
        .filter_map(|row| row.split('|').next())
        .flat_map(|cell| cell.split(", "))
        .map(|code| code.trim_matches([' ', '`', '…', ',']))
        .filter(|code| !code.is_empty())
        .collect();
    assert!(codes.len() > 30, "{codes:?}");
    let english = catalogue(Language::English);
    for code in codes {
        let known = english.contains_key(code) || code.starts_with("invalid_");
        assert!(known, "{code} has no words");
    }
}

fn problems() -> Vec<Problem> {
    let id = || "x".to_owned();
    let wrong_state = |needs| Error::WrongState { needs, is: id() };
    let not_found = |what| Error::NotFound { what, id: id() };
    let errors = [
        not_found("device"),
        not_found("something new"),
        Error::AlreadyExists {
            what: "device",
            id: id(),
        },
        Error::AlreadyExists {
            what: "something new",
            id: id(),
        },
        Error::invalid("phone", "phone is required"),
        Error::TooLarge {
            what: "body",
            limit: 1,
        },
        Error::TooLarge {
            what: "something new",
            limit: 1,
        },
        wrong_state(Needs::Connected),
        wrong_state(Needs::Paired),
        wrong_state(Needs::Unpaired),
        wrong_state(Needs::PreviousRequestEnded),
        wrong_state(Needs::NoAdmin),
        wrong_state(Needs::PreviousCheckEnded),
        Error::KeyReused,
        Error::Unauthenticated,
        Error::WrongCredentials,
        Error::Throttled {
            retry_after: Duration::from_secs(1),
        },
        Error::Refused {
            wa_code: None,
            text: id(),
        },
        Error::unavailable("database", "busy"),
        Error::unavailable("something new", "busy"),
        Error::TimedOut { what: "qr" },
        Error::TimedOut { what: "whatsapp" },
        Error::TimedOut {
            what: "something new",
        },
        Error::internal("a secret of ours"),
    ];
    let others = [
        Problem::NoRoute,
        Problem::WrongMethod { allow: "GET" },
        Problem::WrongMediaType,
        Problem::CrossOrigin,
        Problem::ScopeMissing(Lack::All),
        Problem::ScopeMissing(Lack::Action(KeyAction::Send)),
        Problem::ScopeMissing(Lack::Reach),
        Problem::NotOnWhatsApp {
            phone: PhoneNumber::parse("628111111111", None).unwrap(),
        },
    ];
    errors.into_iter().map(Problem::Failed).chain(others).collect()
}

#[test]
fn every_problem_is_told_in_every_language() {
    for problem in problems() {
        let english = told(&problem, Language::English);
        assert_eq!(english.1, problem.to_string(), "both surfaces say the same");
        for language in Language::ALL {
            let (title, detail) = told(&problem, language);
            assert_ne!(title, problem.code(), "{language:?}");
            assert!(!detail.contains(['{', '}']), "{language:?}: {detail}");
            assert!(!detail.contains("secret"));
        }
    }
}

#[test]
fn what_clients_write_is_not_read_as_a_name() {
    let problem = Problem::from(Error::NotFound {
        what: "device",
        id: "{what}".into(),
    });
    assert_eq!(
        told(&problem, Language::Spanish).1,
        "dispositivo \"{what}\" no encontrado"
    );
    assert_eq!(fill("{a} {b} {", &[("a", "{b}".to_owned())]), "{b} {b} {");
}

#[test]
fn the_language_that_is_liked_best_is_chosen() {
    let wanted = |value: &str| {
        let mut headers = HeaderMap::new();
        headers.insert(
            ACCEPT_LANGUAGE,
            HeaderValue::from_bytes(value.as_bytes()).unwrap(),
        );
        Language::wanted(&headers).tag()
    };
    for (value, tag) in [
        ("id", "id"),
        ("ID-id, en;q=0.9", "id"),
        ("pt", "pt-BR"),
        ("pt-PT;q=0.8, es;q=0.9", "es"),
        ("de, fr;q=0.9, es;q=0.1", "es"),
        ("de", "en"),
        ("*", "en"),
        ("en, es", "en"),
        ("es, en", "es"),
        ("es;q=0, id;q=0.001", "id"),
        ("es;q=2, id;q=0.5", "id"),
        ("es;q=0.1234, id;q=0.1", "id"),
        ("es ; q=1.000 , en", "es"),
        ("", "en"),
        (";;,,q=", "en"),
        ("\u{e9}", "en"),
    ] {
        assert_eq!(wanted(value), tag, "{value}");
    }
    assert_eq!(Language::wanted(&HeaderMap::new()), Language::English);
}
