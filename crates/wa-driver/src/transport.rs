//! Dialling. Upstream's own factory neither limits how many sessions dial at once, nor turns off
//! Nagle's algorithm (which costs half the throughput), nor tells anybody that a dial failed.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::{HeaderValue, Uri, header};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::{TcpStream, lookup_host};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_io_timeout::TimeoutReader;
use tokio_rustls::TlsConnector;
use tokio_websockets::{ClientBuilder, Connector};
use wagate_domain::{Error, Result};
use whatsapp_rust::anyhow;
use whatsapp_rust::async_channel::Receiver;
use whatsapp_rust::async_trait;
use whatsapp_rust::transport::{Transport, TransportEvent, TransportFactory, from_websocket};
use whatsapp_rust::wacore::net::{WHATSAPP_WEB_ORIGIN, WHATSAPP_WEB_WS_URL};

use crate::settings::WaSettings;

/// A connection on which nothing came for so long is dead. Upstream asks for a sign of life after at most 45 s of
/// silence, and its own verdict on one that gets no answer may take another minute.
const LONGEST_SILENCE: Duration = Duration::from_secs(55);

/// Which addresses may be dialled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    /// Any.
    Internet,
    /// This machine only: the server's identity is not proven, or the line is not encrypted.
    Loopback,
}

/// Dials for all sessions of the process.
pub(crate) struct Dialer {
    uri: Uri,
    host: String,
    port: u16,
    tls: Connector,
    reach: Reach,
    slots: Arc<Semaphore>,
    jitter: Duration,
    timeout: Duration,
}

impl Dialer {
    /// A dialer for the configured address.
    pub(crate) fn new(settings: &WaSettings, reach: Reach) -> Result<Self> {
        let simulated = settings
            .simulated
            .as_ref()
            .map(|endpoint| endpoint.websocket_url.as_str());
        let url = simulated
            .or(settings.websocket_url.as_deref())
            .unwrap_or(WHATSAPP_WEB_WS_URL);
        let bad = |reason: &str| Error::invalid("websocket_url", format!("{url:?} {reason}"));
        let uri: Uri = url.parse().map_err(|_| bad("is not an address"))?;
        let host = uri.host().ok_or_else(|| bad("names no host"))?;
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let (default_port, reach) = match uri.scheme_str() {
            Some("wss") => (443, reach),
            Some("ws") => (80, Reach::Loopback),
            _ => return Err(bad("must begin with wss: or ws:")),
        };
        let tls = if uri.scheme_str() == Some("wss") {
            tls_connector()?
        } else {
            Connector::Plain
        };
        Ok(Self {
            port: uri.port_u16().unwrap_or(default_port),
            host,
            uri,
            tls,
            reach,
            slots: Arc::new(Semaphore::new(settings.max_concurrent_dials.max(1))),
            jitter: settings.dial_jitter,
            timeout: settings.dial_timeout,
        })
    }

    /// Waits for a turn to dial. Sessions that start wait here, where no time limit runs.
    pub(crate) async fn admit(&self) -> Option<OwnedSemaphorePermit> {
        self.slots.clone().acquire_owned().await.ok()
    }

    /// Connects, within the time limit.
    async fn dial(&self) -> anyhow::Result<(Arc<dyn Transport>, Receiver<TransportEvent>)> {
        let connect = async {
            let mut stream = TimeoutReader::new(self.tcp().await?);
            stream.set_timeout(Some(LONGEST_SILENCE));
            // Pinned, because it holds a timer.
            let stream = Box::pin(stream);
            let stream = self.tls.wrap(&self.host, stream).await?;
            let (websocket, _) = ClientBuilder::from_uri(self.uri.clone())
                .add_header(header::ORIGIN, HeaderValue::from_static(WHATSAPP_WEB_ORIGIN))?
                .connect_on(stream)
                .await?;
            Ok(from_websocket(websocket))
        };
        tokio::time::timeout(self.timeout, connect)
            .await
            .map_err(|_| anyhow::anyhow!("dialling timed out"))?
    }

    /// A TCP connection that sends every frame at once.
    async fn tcp(&self) -> io::Result<TcpStream> {
        let mut last = io::Error::new(
            io::ErrorKind::NotFound,
            "the name has no address that may be dialled",
        );
        for address in lookup_host((self.host.as_str(), self.port))
            .await?
            .filter(|address| self.may_reach(address))
        {
            match TcpStream::connect(address).await {
                Ok(stream) => {
                    stream.set_nodelay(true)?;
                    return Ok(stream);
                }
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    fn may_reach(&self, address: &SocketAddr) -> bool {
        self.reach == Reach::Internet || address.ip().is_loopback()
    }

    async fn jittered_turn(&self) -> Option<OwnedSemaphorePermit> {
        let share: f64 = rand::random();
        tokio::time::sleep(self.jitter.mul_f64(share)).await;
        self.admit().await
    }
}

/// One TLS configuration for the process, with the certificates that browsers trust.
fn tls_connector() -> Result<Connector> {
    let mut roots = RootCertStore::empty();
    roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(Error::internal)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Connector::Rustls(TlsConnector::from(Arc::new(config))))
}

/// What became of a dial.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialled {
    /// There is a connection.
    Reached,
    /// There is none.
    Failed,
}

/// The factory that one session's client uses: dials in turn, and reports.
pub(crate) struct SessionTransport {
    dialer: Arc<Dialer>,
    /// The turn that was waited for before the client started; the first dial uses it.
    admitted: Mutex<Option<OwnedSemaphorePermit>>,
    report: Box<dyn Fn(Dialled) + Send + Sync>,
}

impl SessionTransport {
    pub(crate) fn new(dialer: Arc<Dialer>, report: impl Fn(Dialled) + Send + Sync + 'static) -> Self {
        Self {
            dialer,
            admitted: Mutex::new(None),
            report: Box::new(report),
        }
    }

    /// Waits for the turn of the first dial.
    pub(crate) async fn await_turn(&self) {
        let permit = self.dialer.admit().await;
        *self.admitted.lock().unwrap_or_else(PoisonError::into_inner) = permit;
    }
}

/// Reports a failure unless told otherwise: upstream drops the dial when its own clock runs out first.
struct Reporting<'a> {
    report: &'a (dyn Fn(Dialled) + Send + Sync),
    outcome: Dialled,
}

impl Drop for Reporting<'_> {
    fn drop(&mut self) {
        (self.report)(self.outcome);
    }
}

#[async_trait]
impl TransportFactory for SessionTransport {
    async fn create_transport(&self) -> anyhow::Result<(Arc<dyn Transport>, Receiver<TransportEvent>)> {
        let mut reporting = Reporting {
            report: &*self.report,
            outcome: Dialled::Failed,
        };
        let admitted = self
            .admitted
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let _turn = match admitted {
            Some(permit) => Some(permit),
            None => self.dialer.jittered_turn().await,
        };
        let connected = self.dialer.dial().await?;
        reporting.outcome = Dialled::Reached;
        Ok(connected)
    }
}

#[cfg(test)]
mod tests;
