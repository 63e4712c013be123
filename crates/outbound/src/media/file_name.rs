//! What a file is called, by its source. The name ends up on other people's phones: no paths, no
//! control characters, no endless names.

use reqwest::Url;

use super::data_uri::percent_decoded;

/// Characters that a name keeps.
const MAX_CHARS: usize = 120;

/// The name in a `Content-Disposition`, the extended form (`filename*`) first.
pub(super) fn of_disposition(header: &str) -> Option<String> {
    let parameters = parameters(header);
    let value = |wanted: &str| {
        let found = parameters
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(wanted));
        found.map(|(_, value)| value.as_str())
    };
    let extended = value("filename*").and_then(|value| {
        let (charset, rest) = value.split_once('\'')?;
        let (_language, encoded) = rest.split_once('\'')?;
        charset.eq_ignore_ascii_case("utf-8").then(|| decoded(encoded))
    });
    extended
        .as_deref()
        .and_then(sanitized)
        .or_else(|| value("filename").and_then(sanitized))
}

/// The end of the path. The address that a client gave names the file, unless only the one that it
/// was sent on to looks like a file.
pub(super) fn of_addresses(first: Option<&Url>, last: &Url) -> Option<String> {
    let first = first.and_then(path_end);
    let last = path_end(last);
    let looks_like_a_file = |name: &String| name.contains('.');
    let better = [&first, &last]
        .into_iter()
        .flatten()
        .find(|name| looks_like_a_file(name))
        .cloned();
    better.or(first).or(last)
}

fn path_end(url: &Url) -> Option<String> {
    sanitized(&decoded(url.path_segments()?.next_back()?))
}

fn decoded(text: &str) -> String {
    String::from_utf8_lossy(&percent_decoded(text.bytes()).collect::<Vec<u8>>()).into_owned()
}

/// `; name=value` pairs; a quoted value may hold semicolons and escaped quotes.
fn parameters(header: &str) -> Vec<(String, String)> {
    let mut pairs = Vec::new();
    let mut rest = header.split_once(';').map_or("", |(_, rest)| rest);
    while let Some((name, after)) = rest.split_once('=') {
        let (value, after) = value_of(after.trim_start());
        pairs.push((name.trim().to_owned(), value));
        rest = after.trim_start().trim_start_matches(';');
    }
    pairs
}

fn value_of(text: &str) -> (String, &str) {
    let Some(quoted) = text.strip_prefix('"') else {
        let (value, rest) = text.split_once(';').unwrap_or((text, ""));
        return (value.trim().to_owned(), rest);
    };
    let mut value = String::new();
    let mut chars = quoted.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return (value, &quoted[at + 1..]),
            '\\' => value.extend(chars.next().map(|(_, escaped)| escaped)),
            c => value.push(c),
        }
    }
    (value, "")
}

fn sanitized(name: &str) -> Option<String> {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let shown = last
        .chars()
        .filter(|c| !c.is_control() && !is_invisible(*c))
        .take(MAX_CHARS)
        .collect::<String>();
    let name = shown.trim().trim_matches('"').to_owned();
    (!name.is_empty() && !name.chars().all(|c| c == '.')).then_some(name)
}

/// Turns text around or hides in it: a name that ends in `fdp.exe` must not be shown as a PDF.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use reqwest::Url;

    use super::{of_addresses, of_disposition};

    #[test]
    fn disposition_in_all_its_forms() {
        let cases = [
            ("attachment; filename=report.pdf", Some("report.pdf")),
            ("attachment; filename=\"a; b.pdf\"; size=3", Some("a; b.pdf")),
            (r#"attachment; filename="say \"hi\".txt""#, Some("say \"hi\".txt")),
            (
                "attachment; filename=\"plain.txt\"; filename*=UTF-8''na%C3%AFve.txt",
                Some("na\u{ef}ve.txt"),
            ),
            (
                "attachment; filename*=iso-8859-1''x; filename=y.txt",
                Some("y.txt"),
            ),
            ("attachment; filename=\"../../etc/passwd\"", Some("passwd")),
            ("attachment; filename=\"C:\\\\temp\\\\a.txt\"", Some("a.txt")),
            ("attachment; FileName=up.txt", Some("up.txt")),
            ("attachment; filename=\"\u{202e}fdp.exe\"", Some("fdp.exe")),
            ("attachment; filename=\"..\"", None),
            ("attachment; filename=\"", None),
            ("attachment; filename", None),
            ("inline", None),
        ];
        for (header, name) in cases {
            assert_eq!(of_disposition(header).as_deref(), name, "{header}");
        }
    }

    #[test]
    fn the_path_names_the_file() {
        let name = |first: &str, last: &str| {
            of_addresses(Some(&Url::parse(first).unwrap()), &Url::parse(last).unwrap())
        };
        let same = |url: &str| name(url, url);
        assert_eq!(same("http://h/a/My%20cat.png?x=1").as_deref(), Some("My cat.png"));
        assert_eq!(same("http://h/a%2F..%2Fb.png").as_deref(), Some("b.png"));
        assert_eq!(same("http://h/"), None);
        assert_eq!(same("http://h/%00%0a"), None);
        assert_eq!(
            name("http://h/a.pdf", "http://cdn/0a1b2c").as_deref(),
            Some("a.pdf")
        );
        assert_eq!(
            name("http://h/latest", "http://cdn/v2.zip").as_deref(),
            Some("v2.zip")
        );
        assert_eq!(name("http://h/latest", "http://cdn/").as_deref(), Some("latest"));
        assert_eq!(
            same(&format!("http://h/{}", "x".repeat(500))).map(|name| name.len()),
            Some(120)
        );
    }
}
