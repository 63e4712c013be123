//! Who is at the other end: the connection itself, or what a reverse proxy that is trusted says of its client.

use std::net::{IpAddr, Ipv4Addr};

use actix_web::HttpRequest;
use actix_web::http::header::{HOST, HeaderMap};
use ipnet::IpNet;

/// Reverse proxies whose word is taken for who calls, for which host, and whether over TLS. Anybody can write the
/// headers, so nobody's word is taken unless somebody says so.
#[derive(Debug, Clone, Default)]
pub struct TrustedProxies(Vec<IpNet>);

impl TrustedProxies {
    /// Trusts connections from these networks.
    pub fn new(networks: Vec<IpNet>) -> Self {
        Self(networks)
    }

    fn trusts(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(&address))
    }
}

/// The client of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Peer {
    /// Its address.
    pub(crate) address: IpAddr,
    /// Whether it speaks TLS, to us or to the proxy.
    pub(crate) secure: bool,
    /// The host that it asks, with its port when it names one.
    pub(crate) host: Option<String>,
}

impl Peer {
    /// Who sent this request.
    pub(crate) fn of(request: &HttpRequest, proxies: &TrustedProxies) -> Self {
        let socket = request.peer_addr().map(|address| address.ip());
        Self::read(socket, request.headers(), proxies)
    }

    fn read(socket: Option<IpAddr>, headers: &HeaderMap, proxies: &TrustedProxies) -> Self {
        let socket = socket.unwrap_or(Ipv4Addr::UNSPECIFIED.into()).to_canonical();
        let own_host = last(headers, HOST.as_str());
        if !proxies.trusts(socket) {
            return Self {
                address: socket,
                secure: false,
                host: own_host,
            };
        }
        let proto = last(headers, "x-forwarded-proto");
        Self {
            address: forwarded_for(socket, headers, proxies),
            secure: proto.is_some_and(|proto| proto.eq_ignore_ascii_case("https")),
            host: last(headers, "x-forwarded-host").or(own_host),
        }
    }
}

/// Every proxy adds whom it heard it from at the end, so the last one that is no proxy of ours is the client: what
/// stands before it is only what that client says.
fn forwarded_for(socket: IpAddr, headers: &HeaderMap, proxies: &TrustedProxies) -> IpAddr {
    let told: Vec<&str> = values(headers, "x-forwarded-for").collect();
    let mut client = socket;
    for text in told.into_iter().rev() {
        let Ok(address) = text.parse::<IpAddr>() else {
            break;
        };
        client = address.to_canonical();
        if !proxies.trusts(client) {
            break;
        }
    }
    client
}

/// The values of a list that may be spread over several headers.
fn values<'a>(headers: &'a HeaderMap, name: &'static str) -> impl Iterator<Item = &'a str> {
    let texts = headers.get_all(name).filter_map(|value| value.to_str().ok());
    texts.flat_map(|text| text.split(',')).map(str::trim)
}

/// What the nearest proxy says.
fn last(headers: &HeaderMap, name: &'static str) -> Option<String> {
    values(headers, name)
        .last()
        .filter(|text| !text.is_empty())
        .map(str::to_ascii_lowercase)
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::{HeaderName, HeaderValue};

    use super::*;

    fn read(socket: &str, headers: &[(&'static str, &'static str)]) -> (String, bool, Option<String>) {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        let proxies = TrustedProxies::new(vec!["10.0.0.0/8".parse().unwrap(), "::1/128".parse().unwrap()]);
        let peer = Peer::read(Some(socket.parse().unwrap()), &map, &proxies);
        (peer.address.to_string(), peer.secure, peer.host)
    }

    #[test]
    fn only_a_trusted_proxy_is_believed() {
        let said = [
            ("host", "wagate:8080"),
            ("x-forwarded-for", "203.0.113.9"),
            ("x-forwarded-proto", "https"),
            ("x-forwarded-host", "Wa.Example.com"),
        ];
        let own = Some("wagate:8080".to_owned());
        let told = Some("wa.example.com".to_owned());
        for (socket, want) in [
            ("10.1.2.3", ("203.0.113.9".to_owned(), true, told.clone())),
            ("::1", ("203.0.113.9".to_owned(), true, told.clone())),
            ("::ffff:10.1.2.3", ("203.0.113.9".to_owned(), true, told)),
            ("127.0.0.1", ("127.0.0.1".to_owned(), false, own.clone())),
            ("203.0.113.7", ("203.0.113.7".to_owned(), false, own)),
        ] {
            assert_eq!(read(socket, &said), want, "{socket}");
        }
    }

    #[test]
    fn the_client_is_the_last_one_that_is_no_proxy() {
        for (said, want) in [
            (&[][..], "10.0.0.1"),
            (&[("x-forwarded-for", "203.0.113.9")][..], "203.0.113.9"),
            (
                &[("x-forwarded-for", "1.2.3.4, 203.0.113.9, 10.0.0.2")],
                "203.0.113.9",
            ),
            (
                &[("x-forwarded-for", "1.2.3.4"), ("x-forwarded-for", "203.0.113.9")],
                "203.0.113.9",
            ),
            (&[("x-forwarded-for", "1.2.3.4, nonsense")], "10.0.0.1"),
            (&[("x-forwarded-for", "nonsense, 10.0.0.3")], "10.0.0.3"),
            (&[("x-forwarded-for", "2001:db8::7")], "2001:db8::7"),
        ] {
            assert_eq!(read("10.0.0.1", said).0, want, "{said:?}");
        }
    }

    #[test]
    fn the_nearest_proxy_says_whether_it_is_tls() {
        for (said, want) in [
            ("https", true),
            ("HTTPS", true),
            ("http", false),
            ("https, http", false),
            ("", false),
        ] {
            let secure = read("10.0.0.1", &[("x-forwarded-proto", said)]).1;
            assert_eq!(secure, want, "{said}");
        }
    }
}
