//! A webhook receiver on loopback that keeps what it got, fails as it is told, and can be switched off.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::http::{HeaderValue, Request, Response};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

/// Longest wait for something to arrive.
const PATIENCE: Duration = Duration::from_secs(30);
/// Largest body taken.
const MAX_BODY: usize = 16 << 20;
/// Between two bytes of an answer that drips.
const DRIP: Duration = Duration::from_secs(1);

/// One request that arrived.
#[derive(Debug, Clone)]
pub struct Received {
    /// When it was there as a whole.
    pub at: Instant,
    /// The path that was asked for.
    pub path: String,
    /// Headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// Body as it came.
    pub raw: Vec<u8>,
    /// Body as JSON.
    pub body: Value,
}

impl Received {
    /// A header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }
}

/// What the receiver answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// This status.
    Status(u16),
    /// This status, and the wish to be left alone for so many seconds.
    RetryAfter(u16, u64),
    /// 302 to there.
    Redirect(String),
    /// Nothing, ever.
    Hang,
    /// 200 at once, then one byte of body a second.
    Drip,
    /// A connection reset.
    Reset,
}

type Script = Box<dyn Fn(&Received) -> Answer + Send + Sync>;

struct Shelf {
    got: Mutex<Vec<Received>>,
    answers: Mutex<Vec<u16>>,
    script: Mutex<Option<Script>>,
    count: watch::Sender<usize>,
}

/// A receiver that is listening.
#[derive(Clone)]
pub struct Receiver {
    address: SocketAddr,
    shelf: Arc<Shelf>,
    serving: Arc<Mutex<Option<JoinHandle<()>>>>,
}

impl std::fmt::Debug for Receiver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Receiver")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

impl Receiver {
    /// Starts one that answers 204.
    pub fn start() -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let listener = TcpListener::from_std(listener).unwrap();
        let address = listener.local_addr().unwrap();
        let shelf = Arc::new(Shelf {
            got: Mutex::default(),
            answers: Mutex::default(),
            script: Mutex::default(),
            count: watch::channel(0).0,
        });
        let serving = tokio::spawn(serve(listener, shelf.clone()));
        Self {
            address,
            shelf,
            serving: Arc::new(Mutex::new(Some(serving))),
        }
    }

    /// Where it listens.
    pub fn url(&self) -> String {
        format!("http://{}/hook", self.address)
    }

    /// Answers the next requests with these, then as before.
    pub fn answer_next(&self, statuses: &[u16]) {
        self.shelf.answers.lock().unwrap().extend_from_slice(statuses);
    }

    /// Answers each request as the script says.
    pub fn answer_by(&self, script: impl Fn(&Received) -> Answer + Send + Sync + 'static) {
        *self.shelf.script.lock().unwrap() = Some(Box::new(script));
    }

    /// Everything so far.
    pub fn all(&self) -> Vec<Received> {
        self.look(<[Received]>::to_vec)
    }

    /// A look at everything so far.
    pub fn look<T>(&self, look: impl FnOnce(&[Received]) -> T) -> T {
        look(&self.shelf.got.lock().unwrap())
    }

    /// Whether it came to fit within this time; looks after every arrival.
    pub async fn fits_within(&self, limit: Duration, fits: impl Fn(&[Received]) -> bool) -> bool {
        let mut count = self.shelf.count.subscribe();
        let fitting = async {
            loop {
                count.mark_unchanged();
                if self.look(&fits) {
                    return;
                }
                count.changed().await.unwrap();
            }
        };
        tokio::time::timeout(limit, fitting).await.is_ok()
    }

    /// The first request whose body fits, waiting for it.
    pub async fn wait_for(&self, what: &str, fits: impl Fn(&Value) -> bool) -> Received {
        let find = |got: &[Received]| got.iter().find(|received| fits(&received.body)).cloned();
        self.fits_within(PATIENCE, |got| find(got).is_some()).await;
        self.look(find).unwrap_or_else(|| {
            let bodies = self.look(|got| got.iter().map(|one| one.body.to_string()).collect::<Vec<_>>());
            panic!("no webhook: {what}; came: {bodies:#?}")
        })
    }

    /// The first request with this classic event name.
    pub async fn wait_for_event(&self, event: &str) -> Received {
        self.wait_for(event, |body| body["event"] == event).await
    }

    /// Waits until the classic event `event` came after an `earlier` one.
    pub async fn wait_for_event_after(&self, event: &str, earlier: &str) {
        let came = |got: &[Received]| {
            got.iter()
                .skip_while(|received| received.body["event"] != earlier)
                .any(|received| received.body["event"] == event)
        };
        let came = self.fits_within(PATIENCE, came).await;
        assert!(came, "no {event} came after {earlier}");
    }

    /// Waits until this many requests came.
    pub async fn wait_for_count(&self, want: usize) -> Vec<Received> {
        assert!(
            self.fits_within(PATIENCE, |got| got.len() >= want).await,
            "{} of {want} webhooks came",
            self.look(<[Received]>::len)
        );
        self.all()
    }

    /// Closes the port and every connection; what was received is kept.
    pub async fn stop(&self) {
        let serving = self.serving.lock().unwrap().take();
        if let Some(serving) = serving {
            serving.abort();
            let _ = serving.await;
        }
    }

    /// Listens again where it did before [`Receiver::stop`].
    pub async fn resume(&self) {
        let listener = TcpListener::bind(self.address).await.unwrap();
        let serving = tokio::spawn(serve(listener, self.shelf.clone()));
        *self.serving.lock().unwrap() = Some(serving);
    }
}

async fn serve(listener: TcpListener, shelf: Arc<Shelf>) {
    // Aborting this task ends its connections with it.
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let Ok((stream, _)) = accepted else { continue };
                connections.spawn(connection(stream, shelf.clone()));
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn connection(stream: TcpStream, shelf: Arc<Shelf>) {
    let service = hyper::service::service_fn(|request| Box::pin(receive(request, shelf.clone())));
    let mut serving =
        hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    if std::future::poll_fn(|context| serving.poll_without_shutdown(context))
        .await
        .is_err()
    {
        // Without lingering the close is a reset, which is what a script that fails asks for.
        let _ = serving.into_parts().io.into_inner().set_zero_linger();
    }
}

async fn receive(request: Request<Incoming>, shelf: Arc<Shelf>) -> Result<Response<Body>, std::io::Error> {
    let (head, body) = request.into_parts();
    let raw = axum::body::to_bytes(Body::new(body), MAX_BODY)
        .await
        .map_err(std::io::Error::other)?;
    let text = |value: &HeaderValue| value.to_str().unwrap_or("").to_owned();
    let received = Received {
        at: Instant::now(),
        path: head.uri.path().to_owned(),
        headers: head
            .headers
            .iter()
            .map(|(name, value)| (name.as_str().to_owned(), text(value)))
            .collect(),
        raw: raw.to_vec(),
        body: serde_json::from_slice(&raw).unwrap_or(Value::Null),
    };
    let answer = shelf.answer(&received);
    shelf.got.lock().unwrap().push(received);
    shelf.count.send_modify(|count| *count += 1);
    respond(answer).await
}

impl Shelf {
    fn answer(&self, received: &Received) -> Answer {
        let mut listed = self.answers.lock().unwrap();
        if !listed.is_empty() {
            return Answer::Status(listed.remove(0));
        }
        drop(listed);
        let script = self.script.lock().unwrap();
        script
            .as_ref()
            .map_or(Answer::Status(204), |script| script(received))
    }
}

async fn respond(answer: Answer) -> Result<Response<Body>, std::io::Error> {
    let response = Response::builder();
    let response = match answer {
        Answer::Status(status) => response.status(status).body(Body::empty()),
        Answer::RetryAfter(status, seconds) => response
            .status(status)
            .header("retry-after", seconds)
            .body(Body::empty()),
        Answer::Redirect(to) => response.status(302).header("location", to).body(Body::empty()),
        Answer::Hang => std::future::pending().await,
        Answer::Drip => response.body(Body::from_stream(drip())),
        Answer::Reset => return Err(std::io::Error::other("reset on purpose")),
    };
    Ok(response.unwrap())
}

fn drip() -> impl futures_util::Stream<Item = Result<&'static [u8], Infallible>> + Send {
    futures_util::stream::unfold((), |()| async {
        tokio::time::sleep(DRIP).await;
        Some((Ok(b".".as_slice()), ()))
    })
}
