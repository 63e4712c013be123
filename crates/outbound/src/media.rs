//! Files that clients name by address, streamed to disk: neither a large file nor a slow server costs
//! memory, and a redirect is checked like the address that a client gave.

mod data_uri;
mod file_name;
mod mimetype;
mod spool;

use std::path::PathBuf;
use std::time::Duration;

use async_trait::async_trait;
use reqwest::header::{CONTENT_DISPOSITION, CONTENT_TYPE, HeaderMap, HeaderName, LOCATION};
use reqwest::{Response, Url};
use tokio::time::timeout;
use wagate_domain::model::MediaFile;
use wagate_domain::ports::MediaSource;
use wagate_domain::{Error, Result};

use self::data_uri::NotBase64;
use self::spool::Spool;
use crate::client::{GuardedClient, Refused, is_refused};
use crate::targets::refusal;

/// The field that clients name a file in.
const FIELD: &str = "file_url";
/// What an operator changes to allow more addresses.
const SETTING: &str = "media.allow_private";
const MAX_REDIRECTS: usize = 3;

/// Limits of a fetch.
#[derive(Debug, Clone)]
pub struct MediaSettings {
    /// Where files lie while they are in use; must exist.
    pub directory: PathBuf,
    /// Bytes that a file may have.
    pub max_bytes: u64,
    /// For the whole fetch, redirects included.
    pub timeout: Duration,
    /// Between two pieces of a file.
    pub idle_timeout: Duration,
}

impl MediaSettings {
    /// 100 MB in 60 seconds, with 15 seconds between pieces.
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        Self {
            directory: directory.into(),
            max_bytes: 100_000_000,
            timeout: Duration::from_mins(1),
            idle_timeout: Duration::from_secs(15),
        }
    }
}

/// Fetches files over HTTP and out of `data:` addresses.
#[derive(Debug)]
pub struct HttpMedia {
    client: GuardedClient,
    settings: MediaSettings,
}

impl HttpMedia {
    /// Fetches with this client.
    pub fn new(client: GuardedClient, settings: MediaSettings) -> Self {
        Self { client, settings }
    }

    async fn fetch_data(&self, uri: &str) -> Result<MediaFile> {
        let data = data_uri::parse(uri).ok_or_else(malformed)?;
        let mut spool = self.spool(0).await?;
        let mut pieces = data.pieces();
        while let Some(piece) = pieces.next_piece().map_err(|NotBase64| malformed())? {
            spool.write(piece).await?;
        }
        spool.finish(data.mimetype(), None).await
    }

    async fn fetch_http(&self, first: &str) -> Result<MediaFile> {
        let mut response = self.follow(first).await?;
        let mut spool = self.spool(response.content_length().unwrap_or(0)).await?;
        while let Some(piece) = self.patiently(response.chunk()).await? {
            spool.write(&piece).await?;
        }
        let headers = response.headers();
        let name = header(headers, &CONTENT_DISPOSITION)
            .and_then(file_name::of_disposition)
            .or_else(|| file_name::of_addresses(Url::parse(first).ok().as_ref(), response.url()));
        spool.finish(header(headers, &CONTENT_TYPE), name).await
    }

    /// The answer at the end of a chain of redirects, each checked like the first address.
    async fn follow(&self, first: &str) -> Result<Response> {
        let mut url = first.to_owned();
        for _ in 0..=MAX_REDIRECTS {
            let request = self.client.get(&url).map_err(|Refused| refused())?;
            let response = self.patiently(request.send()).await?;
            let status = response.status();
            let Some(next) = status.is_redirection().then(|| next_address(&response)).flatten() else {
                return if status.is_success() {
                    Ok(response)
                } else {
                    Err(answered(status.as_u16()))
                };
            };
            url = next;
        }
        Err(Error::invalid(FIELD, "the file's address redirects too often"))
    }

    async fn patiently<T>(&self, step: impl Future<Output = reqwest::Result<T>>) -> Result<T> {
        match timeout(self.settings.idle_timeout, step).await {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) => Err(failed(error)),
            Err(_) => Err(too_slow()),
        }
    }

    /// A place for a file that announces this many bytes.
    async fn spool(&self, announced: u64) -> Result<Spool> {
        Spool::create(&self.settings.directory, self.settings.max_bytes, announced).await
    }
}

#[async_trait]
impl MediaSource for HttpMedia {
    async fn fetch(&self, url: &str) -> Result<MediaFile> {
        let url = url.trim();
        if data_uri::is_data(url) {
            return self.fetch_data(url).await;
        }
        timeout(self.settings.timeout, self.fetch_http(url))
            .await
            .unwrap_or_else(|_| Err(too_slow()))
    }
}

fn header<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    // Names of files come in raw UTF-8 as well, which is no valid header text.
    headers
        .get(name)
        .and_then(|value| std::str::from_utf8(value.as_bytes()).ok())
}

fn next_address(response: &Response) -> Option<String> {
    let location = header(response.headers(), &LOCATION)?;
    // What cannot be joined is passed on as it is, to be refused like any other wrong address.
    Some(
        response
            .url()
            .join(location)
            .map_or_else(|_| location.to_owned(), String::from),
    )
}

fn refused() -> Error {
    refusal(FIELD, SETTING)
}

fn malformed() -> Error {
    Error::invalid(FIELD, "the data: address is malformed")
}

fn answered(status: u16) -> Error {
    Error::invalid(FIELD, format!("the file's server answered {status}"))
}

fn too_slow() -> Error {
    Error::unavailable("media", "the file's server is too slow")
}

fn failed(error: reqwest::Error) -> Error {
    if is_refused(&error) {
        refused()
    } else if error.is_timeout() {
        too_slow()
    } else {
        // Addresses may hold credentials in their query.
        tracing::debug!(error = %error.without_url(), "file not fetched");
        Error::unavailable("media", "the file's server cannot be reached")
    }
}
