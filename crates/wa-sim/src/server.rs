//! One port for everything: plain or TLS by the first byte, then HTTP/1.1 with WebSocket, media, control and page.

use std::convert::Infallible;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ws::{WebSocket, WebSocketUpgrade};
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{Request, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt as _;

use crate::fault::Faults;
use crate::ledger::Ledger;
use crate::media::{self, MediaStore};
use crate::world::SharedWorld;
use crate::{connection, control, tls};

/// Stanzas are at most 2^24 bytes on the wire; a little more covers framing.
const MAX_FRAME: usize = 17 * 1024 * 1024;
/// A client that says nothing at all is let go after this long.
const FIRST_BYTE: Duration = Duration::from_secs(15);
/// Pause after the system refused a new socket, so that the loop does not spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// What clients read to learn the current version; any number will do.
const SW_JS: &str = r#"self.__swData={"dynamic_data":{"SiteData":{"client_revision":1000000}}};"#;

/// What every handler may use.
#[derive(Debug)]
pub(crate) struct Site {
    pub(crate) world: SharedWorld,
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) faults: Arc<Faults>,
    pub(crate) media: Arc<MediaStore>,
    /// Whether a message's `media_url` may leave this machine.
    pub(crate) remote_media: bool,
    /// Cancelled when the simulator ends.
    pub(crate) stop: CancellationToken,
    /// Upgraded sockets, which their HTTP connection no longer owns.
    sockets: TaskTracker,
}

impl Site {
    pub(crate) fn new(
        world: SharedWorld,
        ledger: Arc<Ledger>,
        faults: Arc<Faults>,
        media: Arc<MediaStore>,
        remote_media: bool,
    ) -> Self {
        let (stop, sockets) = (CancellationToken::new(), TaskTracker::new());
        Self {
            world,
            ledger,
            faults,
            media,
            remote_media,
            stop,
            sockets,
        }
    }
}

/// Lets a handler cut the connection that it answers on.
#[derive(Clone, Debug, Default)]
pub(crate) struct Hangup(CancellationToken);

impl Hangup {
    /// Cuts the connection; the caller goes with it.
    pub(crate) async fn hang_up<T>(&self) -> T {
        self.0.cancel();
        std::future::pending().await
    }
}

/// `host:port` under which clients reach a listener at `address`.
pub(crate) fn host_of(address: SocketAddr) -> String {
    let ip = match address.ip() {
        ip if !ip.is_unspecified() => ip,
        ip if ip.is_ipv4() => Ipv4Addr::LOCALHOST.into(),
        _ => Ipv6Addr::LOCALHOST.into(),
    };
    SocketAddr::new(ip, address.port()).to_string()
}

/// Accepts until the site stops, then waits for every connection to end.
pub(crate) async fn serve(listener: TcpListener, acceptor: TlsAcceptor, site: Arc<Site>) {
    let router = router(site.clone());
    let connections = TaskTracker::new();
    loop {
        let accepted = tokio::select! {
            () = site.stop.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, _)) => {
                let (router, acceptor, stop) = (router.clone(), acceptor.clone(), site.stop.clone());
                connections.spawn(async move {
                    // A socket that breaks is a client's business; it shows in the client and in the ledger.
                    if let Err(error) = connection(stream, &acceptor, router, stop).await {
                        tracing::debug!(%error, "connection ended");
                    }
                });
            }
            Err(error) => {
                tracing::warn!(%error, "no new connection");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop(listener);
    for tracker in [&connections, &site.sockets] {
        tracker.close();
        tracker.wait().await;
    }
}

async fn connection(
    stream: TcpStream,
    acceptor: &TlsAcceptor,
    router: Router,
    stop: CancellationToken,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    stream.set_nodelay(true)?;
    let mut first = [0];
    let peeked = tokio::select! {
        () = stop.cancelled() => return Ok(()),
        peeked = tokio::time::timeout(FIRST_BYTE, stream.peek(&mut first)) => peeked??,
    };
    if peeked == 0 {
        return Ok(());
    }
    if first[0] == tls::HANDSHAKE {
        let stream = tokio::select! {
            () = stop.cancelled() => return Ok(()),
            stream = tokio::time::timeout(FIRST_BYTE, acceptor.accept(stream)) => stream??,
        };
        Ok(http(stream, router, stop).await?)
    } else {
        Ok(http(stream, router, stop).await?)
    }
}

async fn http(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    router: Router,
    stop: CancellationToken,
) -> Result<(), hyper::Error> {
    let hangup = Hangup::default();
    let cut = hangup.0.clone();
    let service = hyper::service::service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(hangup.clone());
        let router = router.clone();
        async move {
            let reply = router.oneshot(request.map(Body::new)).await;
            Ok::<_, Infallible>(reply.unwrap_or_else(|never| match never {}))
        }
    });
    let mut serving = std::pin::pin!(
        hyper::server::conn::http1::Builder::new()
            .serve_connection(TokioIo::new(stream), service)
            .with_upgrades()
    );
    tokio::select! {
        served = serving.as_mut() => served,
        () = cut.cancelled() => Ok(()),
        () = stop.cancelled() => Ok(()),
    }
}

fn router(site: Arc<Site>) -> Router {
    Router::new()
        .route("/", get(async || "A simulated WhatsApp. People look at /sim/\n"))
        .route(
            "/sw.js",
            get(async || ([(header::CONTENT_TYPE, "text/javascript")], SW_JS)),
        )
        .route("/ws/chat", any(chat))
        .merge(control::routes())
        // Every other path belongs to the media hosts.
        .fallback_service(get(media::download).post(media::upload).with_state(site.clone()))
        .layer(DefaultBodyLimit::disable())
        .with_state(site)
}

/// WhatsApp's own socket, from any origin.
async fn chat(State(site): State<Arc<Site>>, upgrade: WebSocketUpgrade) -> Response {
    let upgrade = upgrade.max_message_size(MAX_FRAME).max_frame_size(MAX_FRAME);
    upgrade
        .on_upgrade(move |socket| {
            let tracked = site.sockets.clone();
            tracked.track_future(talk(socket, site))
        })
        .into_response()
}

async fn talk(socket: WebSocket, site: Arc<Site>) {
    tokio::select! {
        () = site.stop.cancelled() => {}
        () = connection::serve(socket, site.world.clone()) => {}
    }
}
