//! Phone numbers as people write them, and the region that completes a national form.

use std::fmt;
use std::str::FromStr;

use crate::{Error, Result};

/// A country whose calling code completes a national number, as an ISO 3166-1 alpha-2 code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Region(phonenumber::country::Id);

impl Region {
    /// The region of an international number, when it names one.
    pub fn of(number: &PhoneNumber) -> Option<Self> {
        phonenumber::parse(None, format!("+{number}"))
            .ok()?
            .country()
            .id()
            .map(Self)
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_ref())
    }
}

impl FromStr for Region {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        text.to_ascii_uppercase()
            .parse()
            .map(Self)
            .map_err(|_| Error::invalid("region", "not an ISO 3166 country code such as ID or BR"))
    }
}

/// An international number: 5 to 15 digits (E.164 without the plus), never starting with 0.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PhoneNumber(String);

impl PhoneNumber {
    /// Reads a number in any human form. Digits are kept; a leading `+` or `00` marks an international
    /// number; a leading `0` a national one, which `region` completes.
    pub fn parse(text: &str, region: Option<Region>) -> Result<Self> {
        let digits: String = text
            .chars()
            .filter_map(|c| c.to_digit(10))
            .filter_map(|d| char::from_digit(d, 10))
            .collect();
        if let Some(bad) = text.chars().find(|c| !is_phone_character(*c)) {
            return Err(Error::invalid(
                "phone",
                format!("a phone number cannot contain {bad:?}"),
            ));
        }
        let international = text.trim_start().starts_with('+');
        let digits = match digits.strip_prefix("00") {
            Some(rest) if !international => rest.to_owned(),
            _ if digits.starts_with('0') && !international => Self::complete(&digits, region)?,
            _ => digits,
        };
        if !(5..=15).contains(&digits.len()) || digits.starts_with('0') {
            return Err(Error::invalid(
                "phone",
                "a phone number has 5 to 15 digits with its country code",
            ));
        }
        Ok(Self(digits))
    }

    /// National form: the region's rules say what the leading zero stands for.
    fn complete(digits: &str, region: Option<Region>) -> Result<String> {
        let Some(region) = region else {
            return Err(Error::invalid(
                "phone",
                "a number that starts with 0 needs a default region: write it with its country code",
            ));
        };
        let number = phonenumber::parse(Some(region.0), digits)
            .map_err(|_| Error::invalid("phone", "not a phone number of the default region"))?;
        Ok(number
            .format()
            .mode(phonenumber::Mode::E164)
            .to_string()
            .trim_start_matches('+')
            .to_owned())
    }

    /// Digits only, country code first.
    pub fn digits(&self) -> &str {
        &self.0
    }
}

/// What people put between the digits: blanks, dots, dashes, slashes, brackets, and the marks that
/// copying from a phone or a chat leaves behind.
fn is_phone_character(c: char) -> bool {
    c.is_ascii_digit()
        || c.is_whitespace()
        || matches!(
            c,
            '+' | '-' | '.' | '(' | ')' | '/' | '\u{200e}' | '\u{202a}' | '\u{202c}' | '\u{2010}'
                ..='\u{2015}'
        )
}

impl fmt::Display for PhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn region(code: &str) -> Region {
        code.parse().unwrap()
    }

    #[test]
    fn reads_human_forms() {
        let cases = [
            ("628123456789", None, "628123456789"),
            ("+62 812-3456-789", None, "628123456789"),
            ("0062 812 3456 789", None, "628123456789"),
            ("0812 3456 7890", Some(region("ID")), "6281234567890"),
            ("(011) 91234-5678", Some(region("BR")), "5511912345678"),
            ("09876543210", Some(region("IN")), "919876543210"),
            ("+1 (555) 010-9999", Some(region("ID")), "15550109999"),
        ];
        for (text, region, want) in cases {
            assert_eq!(PhoneNumber::parse(text, region).unwrap().digits(), want, "{text}");
        }
    }

    #[test]
    fn refuses_what_cannot_be_dialled() {
        for text in [
            "",
            "abc",
            "1234",
            "12345678901234567",
            "0812345678",
            "+0812345678",
            "62812;drop",
        ] {
            assert!(PhoneNumber::parse(text, None).is_err(), "{text}");
        }
    }

    #[test]
    fn finds_the_region_of_a_number() {
        let number = PhoneNumber::parse("628123456789", None).unwrap();
        assert_eq!(Region::of(&number), Some(region("ID")));
    }

    proptest! {
        #[test]
        fn never_panics_and_is_a_fixed_point(text in "\\PC{0,30}", with_region in any::<bool>()) {
            let region = with_region.then(|| region("ID"));
            if let Ok(number) = PhoneNumber::parse(&text, region) {
                prop_assert_eq!(PhoneNumber::parse(number.digits(), region).unwrap(), number);
            }
        }

        #[test]
        fn separators_change_nothing(digits in "[1-9][0-9]{6,14}", at in 1usize..6) {
            let mut spaced = digits.clone();
            spaced.insert_str(at, " - ");
            let number = PhoneNumber::parse(&spaced, None).unwrap();
            prop_assert_eq!(number.digits(), digits);
        }
    }
}
