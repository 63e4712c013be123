//! A webhook receiver on loopback that keeps what it got and can be told to fail.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use serde_json::Value;
use tokio::sync::watch;

/// Longest wait for something to arrive.
const PATIENCE: Duration = Duration::from_secs(30);

/// One request that arrived.
#[derive(Debug, Clone)]
pub struct Received {
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

struct Shelf {
    got: Mutex<Vec<Received>>,
    answers: Mutex<Vec<u16>>,
    count: watch::Sender<usize>,
}

/// A receiver that is listening.
#[derive(Clone)]
pub struct Receiver {
    address: SocketAddr,
    shelf: Arc<Shelf>,
    handle: actix_web::dev::ServerHandle,
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
        let address = listener.local_addr().unwrap();
        let shelf = Arc::new(Shelf {
            got: Mutex::default(),
            answers: Mutex::default(),
            count: watch::channel(0).0,
        });
        let shared = web::Data::from(shelf.clone());
        let server = HttpServer::new(move || {
            App::new()
                .app_data(shared.clone())
                .app_data(web::PayloadConfig::new(16 << 20))
                .default_service(web::to(receive))
        })
        .workers(1)
        .disable_signals()
        .listen(listener)
        .unwrap()
        .run();
        let handle = server.handle();
        tokio::spawn(server);
        Self {
            address,
            shelf,
            handle,
        }
    }

    /// Where it listens.
    pub fn url(&self) -> String {
        format!("http://{}/hook", self.address)
    }

    /// Answers the next requests with these, then 204 again.
    pub fn answer_next(&self, statuses: &[u16]) {
        self.shelf.answers.lock().unwrap().extend_from_slice(statuses);
    }

    /// Everything so far.
    pub fn all(&self) -> Vec<Received> {
        self.shelf.got.lock().unwrap().clone()
    }

    /// The first request whose body fits, waiting for it.
    pub async fn wait_for(&self, what: &str, fits: impl Fn(&Value) -> bool) -> Received {
        let mut count = self.shelf.count.subscribe();
        let found = async {
            loop {
                count.mark_unchanged();
                if let Some(found) = self.all().into_iter().find(|received| fits(&received.body)) {
                    return found;
                }
                count.changed().await.unwrap();
            }
        };
        match tokio::time::timeout(PATIENCE, found).await {
            Ok(found) => found,
            Err(_) => panic!(
                "no webhook: {what}; came: {:#?}",
                self.all()
                    .iter()
                    .map(|received| received.body.to_string())
                    .collect::<Vec<_>>()
            ),
        }
    }

    /// The first request with this classic event name.
    pub async fn wait_for_event(&self, event: &str) -> Received {
        self.wait_for(event, |body| body["event"] == event).await
    }

    /// Waits until this many requests came.
    pub async fn wait_for_count(&self, want: usize) -> Vec<Received> {
        let mut count = self.shelf.count.subscribe();
        tokio::time::timeout(PATIENCE, count.wait_for(|count| *count >= want))
            .await
            .expect("webhooks")
            .unwrap();
        self.all()
    }

    /// Stops listening.
    pub async fn stop(self) {
        self.handle.stop(false).await;
    }
}

async fn receive(request: HttpRequest, body: web::Bytes, shelf: web::Data<Shelf>) -> HttpResponse {
    let headers = request.headers().iter();
    let headers =
        headers.map(|(name, value)| (name.as_str().to_owned(), value.to_str().unwrap_or("").to_owned()));
    let received = Received {
        headers: headers.collect(),
        raw: body.to_vec(),
        body: serde_json::from_slice(&body).unwrap_or(Value::Null),
    };
    shelf.got.lock().unwrap().push(received);
    shelf.count.send_modify(|count| *count += 1);
    let status = {
        let mut answers = shelf.answers.lock().unwrap();
        if answers.is_empty() {
            204
        } else {
            answers.remove(0)
        }
    };
    HttpResponse::build(StatusCode::from_u16(status).unwrap()).finish()
}

/// Serves one file on loopback.
pub struct FileServer {
    address: SocketAddr,
    path: &'static str,
}

impl std::fmt::Debug for FileServer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FileServer")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

impl FileServer {
    /// Starts one that answers these bytes at this path, and 404 elsewhere.
    pub fn start(path: &'static str, bytes: Vec<u8>) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let bytes = web::Bytes::from(bytes);
        let server = HttpServer::new(move || {
            let bytes = bytes.clone();
            let file = move || std::future::ready(HttpResponse::Ok().body(bytes.clone()));
            App::new().route(path, web::get().to(file))
        })
        .workers(1)
        .disable_signals()
        .listen(listener)
        .unwrap();
        tokio::spawn(server.run());
        Self { address, path }
    }

    /// The file's address.
    pub fn url(&self) -> String {
        format!("http://{}{}", self.address, self.path)
    }
}
