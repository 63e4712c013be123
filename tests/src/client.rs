//! A client of the gateway's HTTP API, as a user would write one.

use std::net::SocketAddr;
use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::stream::Stream;

/// The key that test gateways are configured with.
pub const API_KEY: &str = "test-key-0123456789";

/// Longest wait for an answer where none may come; longer than the gateway waits for WhatsApp.
const PATIENCE: Duration = Duration::from_secs(45);

/// What came back.
#[derive(Debug, Clone)]
pub struct Reply {
    /// Status.
    pub status: StatusCode,
    /// Headers.
    pub headers: reqwest::header::HeaderMap,
    /// Body; `null` when it was not JSON.
    pub body: Value,
}

impl Reply {
    /// The body of an answer that must be 200.
    #[track_caller]
    pub fn ok(self) -> Value {
        assert_eq!(self.status, StatusCode::OK, "{}", self.body);
        self.body
    }

    /// The code of an answer that must have this status.
    #[track_caller]
    pub fn refused(self, status: u16) -> String {
        assert_eq!(self.status.as_u16(), status, "{}", self.body);
        self.body["code"].as_str().unwrap_or_default().to_owned()
    }
}

/// A client for one gateway.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    base: String,
    key: String,
}

impl Client {
    /// Talks to the gateway at this address.
    pub fn new(address: SocketAddr) -> Self {
        Self::with_key(address, API_KEY)
    }

    /// Talks to the gateway at this address, which has a key of its own.
    pub fn with_key(address: SocketAddr, key: &str) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder().build().unwrap();
        Self {
            http,
            base: format!("http://{address}"),
            key: key.to_owned(),
        }
    }

    /// Where the gateway listens.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// The key that it presents.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Any call; `null` sends no body.
    pub async fn call(&self, method: Method, path: &str, body: Value, headers: &[(&str, &str)]) -> Reply {
        let request = self.request(method, path, &body, headers);
        read(request.send().await.unwrap()).await.unwrap()
    }

    /// As [`Client::call`], of a gateway that may be gone.
    pub async fn try_call(
        &self,
        method: Method,
        path: &str,
        body: Value,
        headers: &[(&str, &str)],
    ) -> reqwest::Result<Reply> {
        let request = self.request(method, path, &body, headers).timeout(PATIENCE);
        read(request.send().await?).await
    }

    fn request(
        &self,
        method: Method,
        path: &str,
        body: &Value,
        headers: &[(&str, &str)],
    ) -> reqwest::RequestBuilder {
        let mut request = self
            .http
            .request(method, format!("{}{path}", self.base))
            .header("apikey", &self.key);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if !body.is_null() {
            request = request.json(body);
        }
        request
    }

    /// GET.
    pub async fn get(&self, path: &str) -> Reply {
        self.call(Method::GET, path, Value::Null, &[]).await
    }

    /// PUT.
    pub async fn put(&self, path: &str, body: Value) -> Reply {
        self.call(Method::PUT, path, body, &[]).await
    }

    /// Opens `/v1/stream` with this query.
    pub async fn stream(&self, query: &str) -> Stream {
        let request = self.request(Method::GET, &format!("/v1/stream{query}"), &Value::Null, &[]);
        Stream::open(request.send().await.unwrap()).await
    }

    /// POST.
    pub async fn post(&self, path: &str, body: Value) -> Reply {
        self.call(Method::POST, path, body, &[]).await
    }

    /// DELETE.
    pub async fn delete(&self, path: &str) -> Reply {
        self.call(Method::DELETE, path, Value::Null, &[]).await
    }

    /// Sends text, which must be accepted, and returns the message's id.
    pub async fn send_text(&self, token: &str, to: &str, text: &str) -> String {
        let body = self
            .post(
                "/api/send",
                json!({ "token": token, "phone": to, "message": text }),
            )
            .await
            .ok();
        assert_eq!(body["status"], true, "{body}");
        body["data"]["id"].as_str().unwrap().to_owned()
    }
}

async fn read(response: reqwest::Response) -> reqwest::Result<Reply> {
    let (status, headers) = (response.status(), response.headers().clone());
    let body = serde_json::from_slice(&response.bytes().await?).unwrap_or(Value::Null);
    Ok(Reply {
        status,
        headers,
        body,
    })
}
