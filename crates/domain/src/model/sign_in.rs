//! Somebody who signed in: the token in their cookie, what is kept of it, and the code that makes the first admin.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::{AdminId, AdminName, KeyDigest, Timestamp};
use crate::{Error, Result};

/// SHA-256 of a session token: what is stored of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TokenDigest(pub [u8; 32]);

/// What a cookie proves who is signed in with: 32 bytes that nobody can guess.
#[derive(Clone, PartialEq, Eq)]
pub struct SessionToken([u8; 32]);

impl SessionToken {
    /// A token of these bytes.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The text for the cookie: call it only where it leaves the process on purpose.
    pub fn reveal(&self) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(self.0)
    }

    /// What is stored of it.
    pub fn digest(&self) -> TokenDigest {
        TokenDigest(Sha256::digest(self.0).into())
    }
}

impl FromStr for SessionToken {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).ok();
        bytes
            .and_then(|bytes| bytes.try_into().ok())
            .map(Self)
            .ok_or(Error::Unauthenticated)
    }
}

impl fmt::Debug for SessionToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

/// Who is signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Account {
    /// An admin, by name and password.
    Admin {
        /// Which one.
        id: AdminId,
        /// Their name.
        name: AdminName,
    },
    /// Whoever has this API key. Holds as long as the key does.
    ApiKey(KeyDigest),
}

/// One browser that is signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignIn {
    /// Its token, as far as it is kept.
    pub token: TokenDigest,
    /// Who it is.
    pub account: Account,
    /// Since when.
    pub created_at: Timestamp,
    /// It counts for nothing from then on.
    pub expires_at: Timestamp,
}

/// The code that makes the first admin: whoever can read the gateway's console is let in. 60 random bits, written as
/// three groups of four characters that cannot be taken for each other.
#[derive(Clone, PartialEq, Eq)]
pub struct SetupCode(String);

impl SetupCode {
    /// Crockford's alphabet: no I, L, O and U.
    const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    const LEN: usize = 12;
    const GROUP: usize = 4;

    /// A code of five bits of each of the first bytes.
    pub fn from_bytes(bytes: &[u8; 32]) -> Self {
        let characters = bytes.iter().take(Self::LEN);
        Self(
            characters
                .map(|byte| char::from(Self::ALPHABET[usize::from(byte % 32)]))
                .collect(),
        )
    }

    /// What somebody typed, as the code would be written: case, hyphens and blanks do not count, and neither does
    /// which of two like characters it is.
    pub fn typed(text: &str) -> Self {
        let counts = |c: &char| !c.is_whitespace() && *c != '-';
        let characters = text.chars().filter(counts).map(|c| match c.to_ascii_uppercase() {
            'O' => '0',
            'I' | 'L' => '1',
            c => c,
        });
        // One more than a code has is enough to be wrong.
        Self(characters.take(Self::LEN + 1).collect())
    }

    /// The code for people: call it only where it is shown on purpose.
    pub fn reveal(&self) -> String {
        let groups: Vec<&str> = (0..self.0.len())
            .step_by(Self::GROUP)
            .filter_map(|from| self.0.get(from..(from + Self::GROUP).min(self.0.len())))
            .collect();
        groups.join("-")
    }

    /// What is kept of it.
    pub fn digest(&self) -> SetupDigest {
        SetupDigest(Sha256::digest(self.0.as_bytes()).into())
    }
}

impl fmt::Debug for SetupCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

/// What is kept of a setup code.
#[derive(Debug, Clone, Copy)]
pub struct SetupDigest([u8; 32]);

impl SetupDigest {
    /// Whether this is the code. Takes the same time for every wrong one.
    pub fn fits(&self, code: &SetupCode) -> bool {
        self.0.ct_eq(&code.digest().0).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_what_its_text_says_and_nothing_else_is() {
        let token = SessionToken::from_bytes([0xfb; 32]);
        let text = token.reveal();
        assert_eq!(text.len(), 43);
        assert!(
            text.bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
        );
        assert_eq!(text.parse::<SessionToken>().unwrap(), token);
        assert_eq!(
            hex(&SessionToken::from_bytes([0; 32]).digest().0),
            "66687aadf862bd776c8fc18b8e9f8e20089714856ee233b3902a591d0d5f2925"
        );
        let (short, long, padded) = (&text[1..], format!("{text}A"), format!("{text}="));
        for wrong in ["", "admin", short, &long, &padded, &text.replace('-', "+")] {
            assert!(wrong.parse::<SessionToken>().is_err(), "{wrong}");
        }
        assert_eq!(format!("{token:?}"), "[secret]");
    }

    fn hex(bytes: &[u8]) -> String {
        use std::fmt::Write as _;

        bytes.iter().fold(String::new(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
    }

    #[test]
    fn a_code_is_typed_as_people_type() {
        let mut bytes = [0; 32];
        bytes[..12].copy_from_slice(&[0, 1, 31, 32, 33, 10, 11, 12, 255, 13, 14, 15]);
        let code = SetupCode::from_bytes(&bytes);
        assert_eq!(code.reveal(), "01Z0-1ABC-ZDEF");
        let kept = code.digest();
        for typed in [
            "01Z0-1ABC-ZDEF",
            "01z01abczdef",
            " oIzO-labc-zdef\n",
            "01Z0 1ABC ZDEF",
        ] {
            assert!(kept.fits(&SetupCode::typed(typed)), "{typed}");
        }
        for wrong in [
            "",
            "01Z0-1ABC-ZDE",
            "01Z0-1ABC-ZDEF0",
            "01Z0-1ABC-ZDEG",
            "ſ1Z0-1ABC-ZDEF",
        ] {
            assert!(!kept.fits(&SetupCode::typed(wrong)), "{wrong}");
        }
        assert_eq!(format!("{code:?}"), "[secret]");
    }
}
