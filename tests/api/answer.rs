//! What came back, and its form in a snapshot.

use std::fmt;

use reqwest::StatusCode;
use reqwest::header::HeaderMap;
use serde_json::Value;

/// Headers that clients rely on; the others are nobody's business.
const SHOWN_HEADERS: [&str; 6] = [
    "content-type",
    "cache-control",
    "retry-after",
    "allow",
    "www-authenticate",
    "set-cookie",
];

/// What was asked and what came back.
pub struct Answer {
    pub asked: String,
    pub said: Option<String>,
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("not JSON: {self}"))
    }

    /// Status and error code in one line, for tables of refusals.
    pub fn verdict(&self) -> String {
        let code = self.json()["code"].as_str().unwrap_or("-").to_owned();
        format!("{} {code}", self.status.as_u16())
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "> {}", self.asked)?;
        if let Some(said) = &self.said {
            writeln!(f, "> {}", shortened(said))?;
        }
        writeln!(f, "{}", self.status)?;
        for name in SHOWN_HEADERS {
            if let Some(value) = self.headers.get(name) {
                writeln!(f, "{name}: {}", value.to_str().unwrap())?;
            }
        }
        match serde_json::from_str::<Value>(&self.body) {
            Ok(json) => writeln!(f, "{}", serde_json::to_string_pretty(&json).unwrap()),
            Err(_) => writeln!(f, "{}", self.body),
        }
    }
}

/// Bodies that are large on purpose do not belong into a snapshot.
fn shortened(text: &str) -> String {
    if text.len() <= 300 {
        text.into()
    } else {
        format!("{}… ({} bytes)", &text[..60], text.len())
    }
}

/// Compares the answers with the snapshot of this name.
pub fn assert_answers(name: &str, answers: &[Answer]) {
    let text: Vec<String> = answers.iter().map(ToString::to_string).collect();
    insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!(name, text.join("\n"));
    });
}
