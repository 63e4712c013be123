//! `GET /v1/stream` as a client reads it.

use serde_json::Value;

use crate::sandbox::PATIENCE;

/// A stream that is open.
#[derive(Debug)]
pub struct Stream {
    response: reqwest::Response,
    text: String,
}

impl Stream {
    /// Reads the comment that says that it is open.
    pub(crate) async fn open(response: reqwest::Response) -> Self {
        let mut stream = Self {
            response,
            text: String::new(),
        };
        assert_eq!(stream.block().await, ": open");
        stream
    }

    /// What the next event of this name says.
    pub async fn next(&mut self, event: &str) -> Value {
        let head = format!("event: {event}\ndata: ");
        loop {
            if let Some(data) = self.block().await.strip_prefix(&head) {
                return serde_json::from_str(data).unwrap();
            }
        }
    }

    /// What stands before the next empty line.
    async fn block(&mut self) -> String {
        loop {
            if let Some(end) = self.text.find("\n\n") {
                let block = self.text[..end].to_owned();
                self.text.drain(..end + 2);
                return block;
            }
            let chunk = tokio::time::timeout(PATIENCE, self.response.chunk()).await;
            let chunk = chunk.unwrap().unwrap().unwrap();
            self.text.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }
}
