//! Files to be sent, on loopback.

use std::net::SocketAddr;

use actix_web::{App, HttpResponse, HttpServer, web};

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
