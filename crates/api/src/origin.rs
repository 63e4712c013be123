//! Whether a request comes from a page of ours. A browser sends its cookies along with whatever any page asks for, so
//! a request that a cookie lets in has to say where it comes from; no page can forge that.

use actix_web::http::header::{HeaderMap, ORIGIN};

use crate::peer::Peer;

/// Where a request comes from, as the browser says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// A page of this host.
    Same,
    /// Another page, or none that can be named.
    Foreign,
    /// Nothing is said: no browser, or an old one.
    Unsaid,
}

impl Origin {
    /// Reads it.
    pub(crate) fn of(headers: &HeaderMap, peer: &Peer) -> Self {
        // A browser that sends this knows better than we do behind which proxies we are.
        if let Some(site) = headers.get("sec-fetch-site") {
            return Self::same_when(site == "same-origin");
        }
        let mut origins = headers.get_all(ORIGIN);
        match (origins.next(), origins.next()) {
            (None, _) => Self::Unsaid,
            (Some(origin), None) => {
                Self::same_when(origin.to_str().is_ok_and(|origin| is_ours(origin, peer)))
            }
            (Some(_), Some(_)) => Self::Foreign,
        }
    }

    fn same_when(same: bool) -> Self {
        if same { Self::Same } else { Self::Foreign }
    }
}

fn is_ours(origin: &str, peer: &Peer) -> bool {
    let (Some((scheme, authority)), Some(host)) = (origin.split_once("://"), &peer.host) else {
        return false;
    };
    let port = match scheme {
        "https" => ":443",
        // A page that anybody on the way could have written is not the one that came over TLS.
        "http" if !peer.secure => ":80",
        _ => return false,
    };
    let named = |authority: &str| {
        authority
            .strip_suffix(port)
            .unwrap_or(authority)
            .to_ascii_lowercase()
    };
    !authority.is_empty() && named(authority) == named(host)
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::{HeaderName, HeaderValue};

    use super::*;

    fn of(host: Option<&str>, secure: bool, headers: &[(&'static str, &'static str)]) -> Origin {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        let peer = Peer {
            address: "192.0.2.1".parse().unwrap(),
            secure,
            host: host.map(Into::into),
        };
        Origin::of(&map, &peer)
    }

    #[test]
    fn an_origin_is_ours_when_it_names_the_host_that_was_asked() {
        for (origin, host, secure, ours) in [
            ("http://wa.example.com", "wa.example.com", false, true),
            ("http://wa.example.com:80", "wa.example.com", false, true),
            ("http://wa.example.com", "wa.example.com:80", false, true),
            ("https://wa.example.com", "wa.example.com:443", true, true),
            ("https://WA.example.com", "wa.example.com", true, true),
            ("https://wa.example.com", "wa.example.com", false, true),
            ("http://127.0.0.1:8080", "127.0.0.1:8080", false, true),
            ("http://[::1]:8080", "[::1]:8080", false, true),
            ("http://wa.example.com", "wa.example.com", true, false),
            ("http://127.0.0.1:8080", "127.0.0.1:8081", false, false),
            ("http://127.0.0.1", "127.0.0.1:8080", false, false),
            ("http://localhost:8080", "127.0.0.1:8080", false, false),
            ("http://evil.example", "wa.example.com", false, false),
            (
                "http://wa.example.com.evil.example",
                "wa.example.com",
                false,
                false,
            ),
            ("http://evilwa.example.com", "wa.example.com", false, false),
            ("https://wa.example.com:80", "wa.example.com", false, false),
            ("null", "wa.example.com", false, false),
            ("", "wa.example.com", false, false),
            ("file://", "", false, false),
            ("http://", "", false, false),
            (
                "chrome-extension://wa.example.com",
                "wa.example.com",
                false,
                false,
            ),
        ] {
            let want = if ours { Origin::Same } else { Origin::Foreign };
            assert_eq!(
                of(Some(host), secure, &[("origin", origin)]),
                want,
                "{origin} {host}"
            );
        }
        assert_eq!(of(None, false, &[("origin", "http://x")]), Origin::Foreign);
    }

    #[test]
    fn what_the_browser_says_of_the_site_comes_first() {
        for (headers, want) in [
            (&[][..], Origin::Unsaid),
            (&[("sec-fetch-site", "same-origin")][..], Origin::Same),
            (&[("sec-fetch-site", "same-site")], Origin::Foreign),
            (&[("sec-fetch-site", "cross-site")], Origin::Foreign),
            (&[("sec-fetch-site", "none")], Origin::Foreign),
            (
                &[("sec-fetch-site", "same-origin"), ("origin", "https://elsewhere")],
                Origin::Same,
            ),
            (
                &[("sec-fetch-site", "cross-site"), ("origin", "http://here")],
                Origin::Foreign,
            ),
            (
                &[("origin", "http://here"), ("origin", "http://here")],
                Origin::Foreign,
            ),
        ] {
            assert_eq!(of(Some("here"), false, headers), want, "{headers:?}");
        }
    }
}
