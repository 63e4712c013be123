//! The webhook worker's way out: through the client that guards addresses. The two crates do not know
//! each other; this is where they meet.

use async_trait::async_trait;
use wagate_outbound::{GuardedClient, Refused, is_refused};
use wagate_webhooks::{Bytes, Post, PostError, Request, Response, ResponseBody};

/// Posts through a guarded client.
#[derive(Debug, Clone)]
pub struct GuardedPost(GuardedClient);

impl GuardedPost {
    /// Posts through this client.
    pub fn new(client: GuardedClient) -> Self {
        Self(client)
    }
}

#[async_trait]
impl Post for GuardedPost {
    async fn post(&self, request: Request) -> Result<Response, PostError> {
        let Request { url, headers, body } = request;
        let call = self.0.post(&url).map_err(|Refused| PostError::Refused)?;
        let mut answer = call
            .headers(headers)
            .body(body)
            .send()
            .await
            .map_err(|error| reason(&error))?;
        Ok(Response {
            version: answer.version(),
            status: answer.status(),
            headers: std::mem::take(answer.headers_mut()),
            body: Box::new(Pieces(answer)),
        })
    }
}

/// A connection whose answer was read to its end serves the next delivery.
struct Pieces(reqwest::Response);

#[async_trait]
impl ResponseBody for Pieces {
    /// What goes wrong here does not matter: the status is known.
    async fn piece(&mut self) -> Option<Bytes> {
        self.0.chunk().await.ok().flatten()
    }
}

fn reason(error: &reqwest::Error) -> PostError {
    if is_refused(error) {
        PostError::Refused
    } else if error.is_timeout() {
        PostError::TimedOut
    } else if error.is_connect() {
        PostError::Unreachable
    } else {
        PostError::Broken
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpStream};
    use wagate_outbound::{ClientSettings, TargetPolicy};

    use super::*;

    /// A receiver that answers every request of a connection with the same bytes and counts connections.
    async fn receiver(answer: &'static str) -> (SocketAddr, Arc<AtomicUsize>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, connections) = (listener.local_addr().unwrap(), Arc::new(AtomicUsize::new(0)));
        let count = connections.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(serve(stream, answer));
            }
        });
        (address, connections)
    }

    async fn serve(mut stream: TcpStream, answer: &'static str) {
        let mut seen = Vec::new();
        while let Ok(1..) = stream.read_buf(&mut seen).await {
            // All requests of these stories have this body.
            if seen.ends_with(b"{\"n\":1}") {
                seen.clear();
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
        }
    }

    fn post(timeout: Duration) -> GuardedPost {
        let policy = TargetPolicy {
            allow_loopback: true,
            allow_private: false,
            allow_cidrs: Vec::new(),
        };
        let settings = ClientSettings {
            connect_timeout: timeout,
            timeout,
            user_agent: "wagate/test".into(),
        };
        GuardedPost::new(GuardedClient::new(policy, &settings).unwrap())
    }

    fn request(address: SocketAddr) -> Request {
        Request {
            url: format!("http://{address}/hook"),
            headers: reqwest::header::HeaderMap::new(),
            body: Bytes::from_static(b"{\"n\":1}"),
        }
    }

    #[tokio::test]
    async fn one_connection_serves_all_deliveries() {
        for answer in [
            "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok",
            "HTTP/1.1 204 No Content\r\n\r\n",
            "HTTP/1.1 500 Internal Server Error\r\ntransfer-encoding: chunked\r\n\r\n2\r\nno\r\n0\r\n\r\n",
        ] {
            let (address, connections) = receiver(answer).await;
            let post = post(Duration::from_secs(10));
            for _ in 0..5 {
                let mut response = post.post(request(address)).await.unwrap();
                while response.body.piece().await.is_some() {}
            }
            assert_eq!(connections.load(Ordering::SeqCst), 1, "{answer}");
        }
    }

    #[tokio::test]
    async fn an_answer_counts_when_its_head_is_there() {
        let (address, _) = receiver("HTTP/1.1 202 Accepted\r\ncontent-length: 9\r\nx-a: b\r\n\r\npart").await;
        let mut response = post(Duration::from_secs(10))
            .post(request(address))
            .await
            .unwrap();
        assert_eq!(
            (response.status.as_u16(), &response.headers["x-a"]),
            (202, &"b".parse().unwrap())
        );
        assert_eq!(response.body.piece().await.unwrap(), "part");
    }

    #[tokio::test]
    async fn what_may_not_be_called_and_who_is_not_there() {
        let post = post(Duration::from_secs(10));
        let mut elsewhere = request("127.0.0.1:1".parse().unwrap());
        assert_eq!(
            post.post(elsewhere.clone()).await.unwrap_err(),
            PostError::Unreachable
        );
        elsewhere.url = "http://169.254.169.254/".into();
        assert_eq!(post.post(elsewhere).await.unwrap_err(), PostError::Refused);
    }
}
