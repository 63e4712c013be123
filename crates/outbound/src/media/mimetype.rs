//! What a file is, by its content first: an extension or a header may be wrong, and a picture that is
//! none would reach people as a broken message.

const UNKNOWN: &str = "application/octet-stream";

/// The MIME type of a file that begins with `head`; `claimed` is what its source says it is.
pub(super) fn detect(head: &[u8], claimed: Option<&str>, name: Option<&str>) -> String {
    let text = is_text(head);
    let seen = infer::get(head).map(|kind| as_whatsapp_says(kind.mime_type()));
    if let Some(seen) = seen.filter(|seen| !(text && is_media(seen))) {
        return seen.to_owned();
    }
    // Formats without a signature are believed to their source, as long as the content agrees.
    if let Some(claimed) = claimed
        .and_then(tidy)
        .filter(|claimed| !(text && is_media(claimed)))
    {
        return claimed;
    }
    // An extension alone never makes a picture, a film or a sound.
    let by_name = name.and_then(|name| mime_guess::from_path(name).first_raw());
    let otherwise = if text { "text/plain" } else { UNKNOWN };
    by_name
        .filter(|guess| !is_media(guess))
        .unwrap_or(otherwise)
        .to_owned()
}

/// What is shown as a picture, a film or a sound. SVG is text and goes as a document.
fn is_media(mimetype: &str) -> bool {
    ["image/", "video/", "audio/"]
        .iter()
        .any(|prefix| mimetype.starts_with(prefix))
        && mimetype != "image/svg+xml"
}

/// The names that phones know for sounds.
fn as_whatsapp_says(mimetype: &str) -> &str {
    match mimetype {
        "audio/opus" => "audio/ogg; codecs=opus",
        "audio/m4a" => "audio/mp4",
        other => other,
    }
}

/// A header's MIME type without parameters; `None` when it says nothing.
fn tidy(claimed: &str) -> Option<String> {
    let essence = claimed
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    let (kind, subtype) = essence.split_once('/')?;
    let token = |part: &str| {
        !part.is_empty()
            && part
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&byte))
    };
    let says_nothing = matches!(essence.as_str(), UNKNOWN | "binary/octet-stream");
    (token(kind) && token(subtype) && !says_nothing).then_some(essence)
}

/// UTF-8 without control characters; the end may cut a character in two.
fn is_text(head: &[u8]) -> bool {
    let text = match std::str::from_utf8(head) {
        Ok(text) => text,
        Err(error) if error.error_len().is_none() => {
            std::str::from_utf8(&head[..error.valid_up_to()]).unwrap_or_default()
        }
        Err(_) => return false,
    };
    !text.is_empty()
        && !text
            .chars()
            .any(|c| c.is_control() && !matches!(c, '\t' | '\n' | '\r' | '\u{c}'))
}

#[cfg(test)]
mod tests {
    use super::detect;

    const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR";

    #[test]
    fn content_wins_over_header_and_name() {
        assert_eq!(detect(PNG, Some("text/plain"), Some("a.txt")), "image/png");
        assert_eq!(
            detect(b"RIFF\x10\0\0\0WEBPVP8 ", Some("image/png"), None),
            "image/webp"
        );
        assert_eq!(
            detect(b"%PDF-1.7\n", Some("image/jpeg"), Some("cat.jpg")),
            "application/pdf"
        );
        assert_eq!(detect(b"\xff\xd8\xff\xe0", None, None), "image/jpeg");
    }

    #[test]
    fn a_picture_that_is_text_is_text() {
        assert_eq!(
            detect(b"not found, sorry", Some("image/jpeg"), Some("cat.jpg")),
            "text/plain"
        );
        assert_eq!(detect(b"BM is how a bitmap begins", None, None), "text/plain");
        assert_eq!(
            detect(b"\x01\x02\x03", None, Some("cat.jpg")),
            "application/octet-stream"
        );
    }

    #[test]
    fn a_header_counts_where_content_is_silent() {
        assert_eq!(
            detect(b"\x01\x02\x03", Some("Application/VND.Foo; v=1"), None),
            "application/vnd.foo"
        );
        assert_eq!(detect(b"\x01\x02\x03", Some("audio/mpeg"), None), "audio/mpeg");
        assert_eq!(detect(b"{}", Some("application/json"), None), "application/json");
        assert_eq!(
            detect("<svg/>".as_bytes(), Some("image/svg+xml"), None),
            "image/svg+xml"
        );
        assert_eq!(
            detect(b"\x01", Some("application/octet-stream"), Some("a.zip")),
            "application/zip"
        );
        assert_eq!(
            detect(b"\x01", Some("no\r\nsense/x"), None),
            "application/octet-stream"
        );
    }

    #[test]
    fn the_name_tells_one_text_from_another() {
        assert_eq!(detect(b"a,b\n1,2\n", None, Some("report.csv")), "text/csv");
        assert_eq!(detect(b"a,b\n1,2\n", None, None), "text/plain");
    }

    #[test]
    fn a_character_cut_in_two_is_still_text() {
        assert_eq!(detect(&"h\u{e9}".as_bytes()[..2], None, None), "text/plain");
        assert_eq!(detect(b"", None, None), "application/octet-stream");
    }

    #[test]
    fn opus_has_the_name_that_phones_know() {
        let mut head = b"OggS\0\x02".to_vec();
        head.resize(28, 0);
        head.extend_from_slice(b"OpusHead");
        assert_eq!(detect(&head, None, None), "audio/ogg; codecs=opus");
    }
}
