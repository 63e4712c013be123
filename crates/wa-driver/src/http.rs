//! HTTP for all sessions: one pool of connections with time limits, which upstream's own client does
//! not set. In a simulation it reaches the simulator and nothing else.

use std::sync::Arc;
use std::time::Duration;

use http::Uri;
use tokio::sync::Mutex;
use wagate_domain::model::Timestamp;
use wagate_domain::ports::Clock;
use wagate_domain::{Error, Result};
use whatsapp_rust::anyhow;
use whatsapp_rust::async_trait;
use whatsapp_rust::http::{HttpClient, HttpRequest, HttpResponse, UreqHttpClient};
use whatsapp_rust::wacore::net::{StreamingHttpResponse, UploadBody};
use whatsapp_rust::wacore::stats::HttpResourceReport;

use crate::settings::WaSettings;

/// Where WhatsApp tells the current client version. Every session asks when it first connects; one
/// answer serves them all for a while.
const VERSION_URL: &str = "https://web.whatsapp.com/sw.js";
const VERSION_LIFETIME: Duration = Duration::from_hours(6);
const OK: u16 = 200;

/// Buffers per connection: WhatsApp's answers are small and media are streamed.
const BUFFER_BYTES: usize = 16 * 1024;

/// The shared client.
pub(crate) struct WaHttp {
    inner: UreqHttpClient,
    simulator: Option<Simulator>,
    version: Mutex<Option<(Timestamp, Vec<u8>)>>,
    clock: Arc<dyn Clock>,
}

/// The simulator's media hosts.
struct Simulator {
    base: String,
    authority: String,
}

impl Simulator {
    fn new(base: &str) -> Result<Self> {
        let bad = || {
            Error::invalid(
                "http_base",
                format!("{base:?} is not an address like http://127.0.0.1:8081"),
            )
        };
        let uri: Uri = base.parse().map_err(|_| bad())?;
        let authority = uri.authority().ok_or_else(bad)?.to_string();
        Ok(Self {
            base: base.trim_end_matches('/').to_owned(),
            authority,
        })
    }

    /// Upstream always writes `https:`; the simulator speaks plain HTTP on the same host and port.
    fn rewrite(&self, url: &str) -> anyhow::Result<String> {
        let uri: Uri = url.parse()?;
        if uri
            .authority()
            .is_none_or(|authority| authority.as_str() != self.authority)
        {
            anyhow::bail!("a simulated session reaches the simulator only");
        }
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        Ok(format!("{}{path}", self.base))
    }
}

impl WaHttp {
    pub(crate) fn new(settings: &WaSettings, clock: Arc<dyn Clock>) -> Result<Self> {
        let config = ureq::Agent::config_builder()
            .timeout_connect(Some(settings.http_connect_timeout))
            .timeout_global(Some(settings.http_timeout))
            .https_only(settings.simulated.is_none())
            .input_buffer_size(BUFFER_BYTES)
            .output_buffer_size(BUFFER_BYTES)
            .build();
        let simulator = settings
            .simulated
            .as_ref()
            .map(|endpoint| Simulator::new(&endpoint.http_base))
            .transpose()?;
        Ok(Self {
            inner: UreqHttpClient::with_agent(config.into()).with_max_body_bytes(settings.max_body_bytes),
            simulator,
            version: Mutex::new(None),
            clock,
        })
    }

    fn address(&self, mut request: HttpRequest) -> anyhow::Result<HttpRequest> {
        if let Some(simulator) = &self.simulator {
            request.url = simulator.rewrite(&request.url)?;
        }
        Ok(request)
    }

    /// Sessions that start together ask once: the others wait for the answer.
    async fn version(&self, request: HttpRequest) -> anyhow::Result<HttpResponse> {
        let mut known = self.version.lock().await;
        let now = self.clock.now();
        if let Some((at, body)) = &*known
            && now.since(*at) < VERSION_LIFETIME
        {
            return Ok(HttpResponse {
                status_code: OK,
                body: body.clone(),
            });
        }
        let response = self.inner.execute(request).await?;
        if response.status_code == OK {
            *known = Some((now, response.body.clone()));
        }
        Ok(response)
    }
}

#[async_trait]
impl HttpClient for WaHttp {
    async fn execute(&self, request: HttpRequest) -> anyhow::Result<HttpResponse> {
        let request = self.address(request)?;
        if request.url == VERSION_URL {
            return self.version(request).await;
        }
        self.inner.execute(request).await
    }

    fn supports_streaming(&self) -> bool {
        self.inner.supports_streaming()
    }

    fn execute_streaming(&self, request: HttpRequest) -> anyhow::Result<StreamingHttpResponse> {
        self.inner.execute_streaming(self.address(request)?)
    }

    fn supports_upload_streaming(&self) -> bool {
        self.inner.supports_upload_streaming()
    }

    fn execute_upload(
        &self,
        request: HttpRequest,
        body: UploadBody,
        length: u64,
    ) -> anyhow::Result<HttpResponse> {
        self.inner.execute_upload(self.address(request)?, body, length)
    }

    fn resource_report(&self) -> Option<HttpResourceReport> {
        self.inner.resource_report()
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Read as _};

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;
    use wagate_domain::testing::FakeClock;

    use super::*;
    use crate::settings::SimulatedEndpoint;

    /// Answers one request per connection with `answer`, and tells what it was sent.
    async fn server(answer: &'static str) -> (String, tokio::sync::mpsc::UnboundedReceiver<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let authority = listener.local_addr().unwrap().to_string();
        let (seen, requests) = tokio::sync::mpsc::unbounded_channel();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut request = Vec::new();
                while !request.ends_with(b"\r\n\r\n") && !request.ends_with(b"payload") {
                    let mut chunk = [0; 1024];
                    let read = stream.read(&mut chunk).await.unwrap();
                    request.extend_from_slice(&chunk[..read]);
                    if read == 0 {
                        break;
                    }
                }
                seen.send(String::from_utf8(request).unwrap()).unwrap();
                let head = format!(
                    "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                    answer.len()
                );
                stream.write_all(head.as_bytes()).await.unwrap();
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
        });
        (authority, requests)
    }

    fn simulated(authority: &str) -> Arc<WaHttp> {
        let endpoint = SimulatedEndpoint {
            websocket_url: format!("ws://{authority}/ws/chat"),
            http_base: format!("http://{authority}/"),
        };
        let settings = WaSettings {
            simulated: Some(endpoint),
            ..WaSettings::default()
        };
        Arc::new(WaHttp::new(&settings, Arc::new(FakeClock::default())).unwrap())
    }

    #[tokio::test]
    async fn a_simulation_reaches_the_simulator_in_plain_http() {
        let (authority, mut requests) = server("sesame").await;
        let http = simulated(&authority);
        let request = HttpRequest::get(format!("https://{authority}/mms/image/x?auth=1"));
        let response = http.execute(request.clone()).await.unwrap();
        assert_eq!((response.status_code, response.body), (200, b"sesame".to_vec()));
        assert!(
            requests
                .recv()
                .await
                .unwrap()
                .starts_with("GET /mms/image/x?auth=1 HTTP/1.1")
        );
        let streaming = http.clone();
        let body = tokio::task::spawn_blocking(move || {
            let mut text = String::new();
            streaming
                .execute_streaming(request)
                .unwrap()
                .body
                .read_to_string(&mut text)
                .unwrap();
            text
        });
        assert_eq!(body.await.unwrap(), "sesame");
    }

    #[tokio::test]
    async fn uploads_are_rewritten_too_and_tell_their_length() {
        let (authority, mut requests) = server("{}").await;
        let http = simulated(&authority);
        let url = format!("https://{authority}/mms/document/y");
        let sent = tokio::task::spawn_blocking(move || {
            http.execute_upload(
                HttpRequest::post(url),
                Box::new(Cursor::new(b"payload".to_vec())),
                7,
            )
        });
        assert_eq!(sent.await.unwrap().unwrap().status_code, 200);
        let request = requests.recv().await.unwrap().to_ascii_lowercase();
        assert!(request.starts_with("post /mms/document/y"), "{request}");
        assert!(request.contains("content-length: 7"), "{request}");
    }

    #[tokio::test]
    async fn a_simulation_reaches_nothing_else() {
        let http = simulated("127.0.0.1:1");
        for url in [VERSION_URL, "https://mmg.whatsapp.net/x", "https://127.0.0.1:2/x"] {
            assert!(http.execute(HttpRequest::get(url)).await.is_err(), "{url}");
        }
    }

    #[tokio::test]
    async fn a_production_client_speaks_https_only() {
        let (authority, _requests) = server("no").await;
        let http = WaHttp::new(&WaSettings::default(), Arc::new(FakeClock::default())).unwrap();
        assert!(
            http.execute(HttpRequest::get(format!("http://{authority}/")))
                .await
                .is_err()
        );
    }

    #[tokio::test]
    async fn the_version_is_asked_for_once_in_six_hours() {
        let clock = Arc::new(FakeClock::default());
        let http = WaHttp::new(&WaSettings::default(), clock.clone()).unwrap();
        *http.version.lock().await = Some((clock.now(), b"sw".to_vec()));
        let response = http.execute(HttpRequest::get(VERSION_URL)).await.unwrap();
        assert_eq!(response.body, b"sw");
    }
}
