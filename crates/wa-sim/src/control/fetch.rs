//! Fetches the file behind a message's `media_url`.

use std::time::Duration;

use axum::http::{StatusCode, header};
use futures_util::StreamExt as _;
use reqwest::Url;

use super::reply::Problem;

/// Largest file that a person sends by URL.
const MAX_FILE: usize = 64 * 1024 * 1024;
const TIMEOUT: Duration = Duration::from_secs(30);

/// The bytes and, if the server names one, their type. Only this machine is asked unless `remote`.
pub(super) async fn fetch(url: &str, remote: bool) -> Result<(Vec<u8>, Option<String>), Problem> {
    let url = Url::parse(url).map_err(|error| Problem::invalid("media_url", error.to_string()))?;
    if !remote && !is_loopback(&url) {
        return Err(Problem::invalid(
            "media_url",
            "only files on this machine's loopback are fetched",
        ));
    }
    let reply = client(remote)?
        .get(url)
        .send()
        .await
        .map_err(|error| unreachable_file(&error))?;
    if !reply.status().is_success() {
        return Err(unreachable_file(&format!("answered {}", reply.status())));
    }
    let named = reply
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let mimetype = named
        .and_then(|named| named.split(';').next())
        .map(|named| named.trim().to_owned());
    let mut bytes = Vec::new();
    let mut chunks = reply.bytes_stream();
    while let Some(chunk) = chunks.next().await {
        bytes.extend_from_slice(&chunk.map_err(|error| unreachable_file(&error))?);
        if bytes.len() > MAX_FILE {
            return Err(Problem::invalid(
                "media_url",
                format!("the file is larger than {MAX_FILE} bytes"),
            ));
        }
    }
    Ok((bytes, mimetype))
}

fn client(remote: bool) -> Result<reqwest::Client, Problem> {
    // reqwest carries no TLS provider of its own; a second installation changes nothing.
    let _ = rustls::crypto::ring::default_provider().install_default();
    // A redirect could lead away from this machine.
    let redirects = if remote {
        reqwest::redirect::Policy::default()
    } else {
        reqwest::redirect::Policy::none()
    };
    let client = reqwest::Client::builder()
        .timeout(TIMEOUT)
        .redirect(redirects)
        .no_proxy()
        .build();
    client.map_err(|error| Problem::internal(&error))
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    bare == "localhost" || bare.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

fn unreachable_file(why: &dyn std::fmt::Display) -> Problem {
    Problem::new(
        StatusCode::UNPROCESSABLE_ENTITY,
        "media_unreachable",
        why.to_string(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_counts_as_this_machine() {
        for (url, local) in [
            ("http://127.0.0.1:80/a", true),
            ("http://[::1]/a", true),
            ("http://localhost:9/a", true),
            ("http://localhost.example.org/a", false),
            ("http://10.0.0.1/a", false),
            ("http://2130706433/a", true),
            ("http://169.254.169.254/latest", false),
        ] {
            assert_eq!(is_loopback(&Url::parse(url).unwrap()), local, "{url}");
        }
    }
}
