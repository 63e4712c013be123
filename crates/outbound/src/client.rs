//! The HTTP client for addresses that clients named. Two guards stand in it, because each sees what
//! the other cannot: the resolver sees what a name becomes, the check of the URL sees addresses that
//! need no resolver. The inner client never leaves, so that neither can be forgotten.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use reqwest::{Method, RequestBuilder, Url, redirect};
use rustls::{ClientConfig, RootCertStore};
use url::Host;
use wagate_domain::{Error, Result};

use crate::policy::TargetPolicy;
use crate::resolver::{GuardedResolver, Lookup, SystemLookup};

/// One text for every reason, so that nobody can map a network by asking.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this address may not be called")]
pub struct Refused;

/// How patient the client is, and who it says it is.
#[derive(Debug, Clone)]
pub struct ClientSettings {
    /// From the lookup of the name to the end of the TLS handshake.
    pub connect_timeout: Duration,
    /// From the first byte sent to the last one received.
    pub timeout: Duration,
    /// The `User-Agent` of every request.
    pub user_agent: String,
}

/// Calls permitted addresses only. Follows no redirect and uses no proxy: both would reach what was
/// never checked.
#[derive(Clone)]
pub struct GuardedClient {
    http: reqwest::Client,
    policy: Arc<TargetPolicy>,
    resolver: GuardedResolver,
}

impl GuardedClient {
    /// A client for what the policy permits.
    pub fn new(policy: TargetPolicy, settings: &ClientSettings) -> Result<Self> {
        Self::with_lookup(policy, settings, Arc::new(SystemLookup))
    }

    /// A client that looks names up as told.
    pub fn with_lookup(
        policy: TargetPolicy,
        settings: &ClientSettings,
        lookup: Arc<dyn Lookup>,
    ) -> Result<Self> {
        let policy = Arc::new(policy);
        let resolver = GuardedResolver::new(policy.clone(), lookup);
        let http = reqwest::Client::builder()
            .tls_backend_preconfigured(tls_config()?)
            .dns_resolver(resolver.clone())
            .redirect(redirect::Policy::none())
            .no_proxy()
            .referer(false)
            .connect_timeout(settings.connect_timeout)
            .timeout(settings.timeout)
            .user_agent(&settings.user_agent)
            .build()
            .map_err(Error::internal)?;
        Ok(Self {
            http,
            policy,
            resolver,
        })
    }

    /// A request to read from the address.
    pub fn get(&self, url: &str) -> Result<RequestBuilder, Refused> {
        self.request(Method::GET, url)
    }

    /// A request to write to the address.
    pub fn post(&self, url: &str) -> Result<RequestBuilder, Refused> {
        self.request(Method::POST, url)
    }

    fn request(&self, method: Method, url: &str) -> Result<RequestBuilder, Refused> {
        Ok(self.http.request(method, self.check_url(url)?))
    }

    /// What can be said of an address without asking anybody. The parser has turned every spelling of
    /// an IP address (decimal, octal, hexadecimal, shortened) into the address itself.
    pub(crate) fn check_url(&self, url: &str) -> Result<Url, Refused> {
        let url = Url::parse(url).map_err(|_| Refused)?;
        let web = matches!(url.scheme(), "http" | "https");
        let credentials = !url.username().is_empty() || url.password().is_some();
        if !web || credentials {
            return Err(Refused);
        }
        let permitted = match url.host().ok_or(Refused)? {
            Host::Ipv4(address) => self.policy.permits(address.into()),
            Host::Ipv6(address) => self.policy.permits(address.into()),
            Host::Domain(_) => true,
        };
        permitted.then_some(url).ok_or(Refused)
    }

    /// What turns names into permitted addresses.
    pub(crate) fn resolver(&self) -> &GuardedResolver {
        &self.resolver
    }
}

impl fmt::Debug for GuardedClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GuardedClient")
            .field("policy", &self.policy)
            .finish_non_exhaustive()
    }
}

/// Whether a request failed because its name led to addresses that may not be called.
pub fn is_refused(error: &reqwest::Error) -> bool {
    let mut cause: Option<&(dyn StdError + 'static)> = Some(error);
    while let Some(error) = cause {
        if error.is::<Refused>() {
            return true;
        }
        cause = error.source();
    }
    false
}

/// Mozilla's roots, compiled in: the same answer on every machine, and no file that may be missing.
fn tls_config() -> Result<ClientConfig> {
    let roots = webpki_roots::TLS_SERVER_ROOTS
        .iter()
        .cloned()
        .collect::<RootCertStore>();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let versions = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    Ok(versions
        .map_err(Error::internal)?
        .with_root_certificates(roots)
        .with_no_client_auth())
}
