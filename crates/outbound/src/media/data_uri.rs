//! `data:` addresses, decoded piece by piece: the text is in memory already, the file must not be as
//! well. Lenient where clients are sloppy: wrapped lines, both base64 alphabets, padding or none.

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// Base64 characters decoded at once: whole groups of four.
const GROUP: usize = 64 * 1024;

/// A parsed address.
#[derive(Debug)]
pub(super) struct DataUri<'a> {
    mimetype: &'a str,
    base64: bool,
    payload: &'a str,
}

/// Whether the address is a `data:` one.
pub(super) fn is_data(uri: &str) -> bool {
    uri.get(..5)
        .is_some_and(|scheme| scheme.eq_ignore_ascii_case("data:"))
}

pub(super) fn parse(uri: &str) -> Option<DataUri<'_>> {
    let (meta, payload) = uri.get(5..)?.split_once(',')?;
    let (mimetype, base64) = match meta.rsplit_once(';') {
        Some((mimetype, last)) if last.trim().eq_ignore_ascii_case("base64") => (mimetype, true),
        _ => (meta, false),
    };
    Some(DataUri {
        mimetype,
        base64,
        payload,
    })
}

impl<'a> DataUri<'a> {
    /// What the address calls its content.
    pub(super) fn mimetype(&self) -> Option<&'a str> {
        (!self.mimetype.is_empty()).then_some(self.mimetype)
    }

    pub(super) fn pieces(&self) -> Pieces<'a> {
        Pieces {
            rest: percent_decoded(self.payload.bytes()),
            base64: self.base64,
            text: Vec::new(),
            piece: Vec::new(),
        }
    }
}

/// The content says that it is base64 and is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NotBase64;

/// The content, one piece after the other.
pub(super) struct Pieces<'a> {
    rest: PercentDecoded<std::str::Bytes<'a>>,
    base64: bool,
    text: Vec<u8>,
    piece: Vec<u8>,
}

impl Pieces<'_> {
    /// The next piece, until there is none.
    pub(super) fn next_piece(&mut self) -> Result<Option<&[u8]>, NotBase64> {
        self.piece.clear();
        if self.base64 {
            self.text.clear();
            self.text.extend(
                self.rest
                    .by_ref()
                    .filter(|byte| !byte.is_ascii_whitespace())
                    .map(standard)
                    .take(GROUP),
            );
            // Padding in the middle is an error of the decoder, as it should be.
            LENIENT
                .decode_vec(&self.text, &mut self.piece)
                .map_err(|_| NotBase64)?;
        } else {
            self.piece.extend(self.rest.by_ref().take(GROUP));
        }
        Ok((!self.piece.is_empty()).then_some(&self.piece))
    }
}

/// The character of the standard alphabet for the one of the URL alphabet.
fn standard(byte: u8) -> u8 {
    match byte {
        b'-' => b'+',
        b'_' => b'/',
        other => other,
    }
}

/// Turns `%41` into `A` and leaves what is no escape alone.
pub(super) fn percent_decoded<I: Iterator<Item = u8> + Clone>(bytes: I) -> PercentDecoded<I> {
    PercentDecoded(bytes)
}

pub(super) struct PercentDecoded<I>(I);

impl<I: Iterator<Item = u8> + Clone> Iterator for PercentDecoded<I> {
    type Item = u8;

    fn next(&mut self) -> Option<u8> {
        let byte = self.0.next()?;
        if byte == b'%' {
            let mut ahead = self.0.clone();
            if let (Some(high), Some(low)) = (ahead.next().and_then(hex), ahead.next().and_then(hex)) {
                self.0 = ahead;
                return Some(high << 4 | low);
            }
        }
        Some(byte)
    }
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit)
        .to_digit(16)
        .and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{LENIENT, is_data, parse};
    use base64::Engine;

    fn content(uri: &str) -> Option<Vec<u8>> {
        let mut pieces = parse(uri)?.pieces();
        let mut all = Vec::new();
        while let Some(piece) = pieces.next_piece().ok()? {
            all.extend_from_slice(piece);
        }
        Some(all)
    }

    #[test]
    fn the_forms_that_clients_send() {
        let hello: &[u8] = b"hello?>";
        for uri in [
            "data:,hello?>",
            "data:text/plain,hello%3f%3E",
            "data:text/plain;charset=utf-8;base64,aGVsbG8/Pg==",
            "data:;base64,aGVsbG8_Pg",
            "DATA:text/plain;BASE64,aGVs\r\n bG8/\nPg==",
            "data:text/plain;base64,aGVsbG8%2FPg%3D%3D",
        ] {
            assert!(is_data(uri));
            assert_eq!(content(uri).as_deref(), Some(hello), "{uri}");
        }
        assert_eq!(content("data:,100%").as_deref(), Some(&b"100%"[..]));
        assert_eq!(content("data:,%zz%4").as_deref(), Some(&b"%zz%4"[..]));
        assert_eq!(content("data:;base64,").as_deref(), Some(&b""[..]));
    }

    #[test]
    fn the_type_is_what_stands_before_the_content() {
        assert_eq!(
            parse("data:image/png;base64,AA").unwrap().mimetype(),
            Some("image/png")
        );
        assert_eq!(
            parse("data:text/plain;charset=x,AA").unwrap().mimetype(),
            Some("text/plain;charset=x")
        );
        assert_eq!(parse("data:;base64,AA").unwrap().mimetype(), None);
    }

    #[test]
    fn what_is_no_data() {
        assert!(parse("data:no comma").is_none());
        for uri in [
            "data:;base64,a",
            "data:;base64,aGVsbG8=aGVsbG8=",
            "data:;base64,*",
            "data:;base64,\u{e9}\u{e9}",
        ] {
            assert_eq!(content(uri), None, "{uri}");
        }
        assert!(!is_data("dat\u{e9}:"));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn any_bytes_come_back(bytes in proptest::collection::vec(any::<u8>(), 0..200_000)) {
            let base64 = format!("data:;base64,{}", LENIENT.encode(&bytes));
            prop_assert_eq!(content(&base64).unwrap(), bytes);
        }

        #[test]
        fn escaped_bytes_come_back(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
            let escaped = bytes.iter().fold(String::new(), |text, byte| text + &format!("%{byte:02x}"));
            prop_assert_eq!(content(&format!("data:,{escaped}")).unwrap(), bytes);
        }
    }
}
