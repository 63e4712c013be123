//! The cookie of a browser that is signed in.

use actix_web::http::header::{COOKIE, HeaderMap, HeaderValue};
use wagate_domain::Accounts;
use wagate_domain::model::SessionToken;

/// Its name.
pub(crate) const NAME: &str = "wagate_session";
/// Its name over TLS: browsers take it from this host alone, and from nobody who is not on TLS.
const SECURE_NAME: &str = "__Host-wagate_session";

/// Cookies of the name that are looked at: a page of a neighbouring host can add some, and must not make us search.
const MAX_PRESENTED: usize = 4;

fn name(secure: bool) -> &'static str {
    if secure { SECURE_NAME } else { NAME }
}

/// Every token that the request presents.
pub(crate) fn presented(headers: &HeaderMap, secure: bool) -> impl Iterator<Item = SessionToken> {
    let lists = headers.get_all(COOKIE).filter_map(|value| value.to_str().ok());
    lists
        .flat_map(|list| list.split(';'))
        .filter_map(move |pair| pair.trim().strip_prefix(name(secure))?.strip_prefix('='))
        .take(MAX_PRESENTED)
        .filter_map(|value| value.parse().ok())
}

/// Keeps the token in the browser as long as its session lasts.
pub(crate) fn set(token: &SessionToken, secure: bool) -> Option<HeaderValue> {
    header(&token.reveal(), Accounts::LIFETIME.as_secs(), secure)
}

/// Takes it out of the browser.
pub(crate) fn clear(secure: bool) -> Option<HeaderValue> {
    header("", 0, secure)
}

fn header(value: &str, max_age: u64, secure: bool) -> Option<HeaderValue> {
    let (name, mark) = (name(secure), if secure { "; Secure" } else { "" });
    let text = format!("{name}={value}; Path=/; Max-Age={max_age}; HttpOnly; SameSite=Strict{mark}");
    let mut header = HeaderValue::try_from(text).ok()?;
    header.set_sensitive(true);
    Some(header)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc";

    fn token() -> SessionToken {
        SessionToken::from_bytes([7; 32])
    }

    #[test]
    fn a_cookie_is_found_by_its_name_alone() {
        assert_eq!(token().reveal(), TEXT);
        let plain = format!("wagate_session={TEXT}");
        let other = "wagate_session=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
        for (lists, secure, found) in [
            (vec![plain.clone()], false, 1),
            (vec![format!("a=b; {plain};c=d")], false, 1),
            (vec!["a=b".into(), plain.clone()], false, 1),
            (vec![format!("{other}; {plain}")], false, 2),
            (vec![format!("__Host-{plain}")], true, 1),
            (vec![plain.clone()], true, 0),
            (vec![format!("__Host-{plain}")], false, 0),
            (vec![format!("x{plain}")], false, 0),
            (vec![format!("wagate_session_2={TEXT}")], false, 0),
            (vec!["auth_session=admin; wagate_session=admin".into()], false, 0),
            (vec![format!("wagate_session=\"{TEXT}\"")], false, 0),
            (vec![format!("wagate_session={TEXT}A")], false, 0),
            (vec!["wagate_session=; wagate_session".into()], false, 0),
            (vec![[other; 9].join("; ")], false, MAX_PRESENTED),
            (vec![], false, 0),
        ] {
            let mut headers = HeaderMap::new();
            for list in &lists {
                headers.append(COOKIE, HeaderValue::try_from(list).unwrap());
            }
            let tokens: Vec<_> = presented(&headers, secure).collect();
            assert_eq!(tokens.len(), found, "{lists:?}");
            let whole = lists.iter().any(|list| list.contains(TEXT)) && found > 0;
            assert_eq!(tokens.contains(&token()), whole, "{lists:?}");
        }
    }

    #[test]
    fn a_cookie_is_for_this_host_and_for_no_script() {
        let week = "Path=/; Max-Age=604800; HttpOnly; SameSite=Strict";
        for (header, want) in [
            (set(&token(), false), format!("wagate_session={TEXT}; {week}")),
            (
                set(&token(), true),
                format!("__Host-wagate_session={TEXT}; {week}; Secure"),
            ),
            (
                clear(false),
                "wagate_session=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict".into(),
            ),
        ] {
            let header = header.unwrap();
            assert_eq!(header.to_str().unwrap(), want);
            assert!(!format!("{header:?}").contains(TEXT));
        }
    }
}
