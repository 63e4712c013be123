//! Receivers that answer by script, and 200 after it.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard};

use async_trait::async_trait;
use tokio::sync::Semaphore;
use tokio::sync::mpsc::UnboundedSender;
use wagate_webhooks::{Bytes, Post, PostError, Request, Response, ResponseBody};

#[derive(Debug, Clone, Copy)]
pub enum Reply {
    Status(u16),
    /// A status with `Retry-After`.
    After(u16, &'static str),
    Fails(PostError),
    /// Answers with this status when the test lets it go.
    Hangs(u16),
    /// 200, the beginning of a body, and no more.
    Drips(&'static str),
    Panics,
}

#[derive(Debug, Default)]
struct Receiver {
    script: VecDeque<Reply>,
    posts: usize,
    under_way: usize,
    most_at_once: usize,
}

pub struct FakePost {
    posts: UnboundedSender<Request>,
    receivers: Mutex<HashMap<String, Receiver>>,
    gate: Semaphore,
}

impl FakePost {
    pub fn new(posts: UnboundedSender<Request>) -> Self {
        Self {
            posts,
            receivers: Mutex::default(),
            gate: Semaphore::new(0),
        }
    }

    pub fn script(&self, name: &str, replies: impl IntoIterator<Item = Reply>) {
        self.receivers()
            .entry(name.into())
            .or_default()
            .script
            .extend(replies);
    }

    /// Lets this many hanging receivers answer.
    pub fn let_go(&self, count: usize) {
        self.gate.add_permits(count);
    }

    pub fn posts(&self, name: &str) -> usize {
        self.receivers().get(name).map_or(0, |receiver| receiver.posts)
    }

    pub fn most_at_once(&self, name: &str) -> usize {
        self.receivers()[name].most_at_once
    }

    pub fn under_way(&self) -> usize {
        self.receivers().values().map(|receiver| receiver.under_way).sum()
    }

    fn receivers(&self) -> MutexGuard<'_, HashMap<String, Receiver>> {
        self.receivers.lock().unwrap()
    }
}

/// Counts a POST as over also when the worker drops it.
struct UnderWay<'a>(&'a FakePost, String);

impl<'a> UnderWay<'a> {
    fn begin(client: &'a FakePost, name: String) -> (Self, Reply) {
        let mut receivers = client.receivers();
        let receiver = receivers.entry(name.clone()).or_default();
        receiver.posts += 1;
        receiver.under_way += 1;
        receiver.most_at_once = receiver.most_at_once.max(receiver.under_way);
        let reply = receiver.script.pop_front().unwrap_or(Reply::Status(200));
        (Self(client, name), reply)
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        if let Some(receiver) = self.0.receivers().get_mut(&self.1) {
            receiver.under_way -= 1;
        }
    }
}

/// The name in `https://NAME.example/hook`.
fn name(request: &Request) -> String {
    let host = request.url.trim_start_matches("https://");
    host.split('.').next().unwrap_or_default().to_owned()
}

fn answer(status: u16, header: Option<&'static str>, body: impl ResponseBody + 'static) -> Response {
    let built = http::Response::builder().status(status);
    let built = match header {
        Some(wish) => built.header("retry-after", wish),
        None => built,
    };
    let (parts, ()) = built.body(()).unwrap().into_parts();
    Response {
        version: parts.version,
        status: parts.status,
        headers: parts.headers,
        body: Box::new(body),
    }
}

fn plain(status: u16) -> Response {
    answer(status, None, Some(Bytes::from_static(b"thanks")))
}

struct Dripping(Option<&'static str>);

#[async_trait]
impl ResponseBody for Dripping {
    async fn piece(&mut self) -> Option<Bytes> {
        match self.0.take() {
            Some(start) => Some(Bytes::from_static(start.as_bytes())),
            None => std::future::pending().await,
        }
    }
}

#[async_trait]
impl Post for FakePost {
    async fn post(&self, request: Request) -> Result<Response, PostError> {
        let (_under_way, reply) = UnderWay::begin(self, name(&request));
        let _heard = self.posts.send(request);
        match reply {
            Reply::Status(status) => Ok(plain(status)),
            Reply::After(status, wish) => Ok(answer(status, Some(wish), None)),
            Reply::Fails(error) => Err(error),
            Reply::Hangs(status) => {
                self.gate.acquire().await.unwrap().forget();
                Ok(plain(status))
            }
            Reply::Drips(start) => Ok(answer(200, None, Dripping(Some(start)))),
            Reply::Panics => panic!("a client that is broken"),
        }
    }
}
