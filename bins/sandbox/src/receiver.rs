//! A webhook receiver for those who have none yet: it takes whatever comes and shows the latest to whoever is signed in.
//! Its address is the sandbox's own, which listens on loopback alone.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use actix_web::guard;
use actix_web::web::{self, Bytes, Data, PayloadConfig, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use serde_json::{Value, json};
use wagate_domain::ports::Clock;

/// Where endpoints point to, and where it is looked at.
pub(crate) const PATH: &str = "/sandbox/receiver";

/// What is kept, and how much of each.
const KEPT: usize = 50;
const MAX_BODY_BYTES: usize = 1024 * 1024;

/// What came, the latest first.
pub(crate) struct Receiver {
    clock: Arc<dyn Clock>,
    received: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    count: u64,
    latest: VecDeque<Value>,
}

impl Receiver {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Data<Self> {
        Data::new(Self {
            clock,
            received: Mutex::default(),
        })
    }

    fn keep(&self, request: &HttpRequest, body: &[u8]) {
        let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
        let said = serde_json::from_slice(body)
            .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(body).into_owned()));
        let mut kept = self.received.lock().unwrap_or_else(PoisonError::into_inner);
        kept.count += 1;
        let received = json!({
            "number": kept.count,
            "received_at": self.clock.now().0,
            "webhook_id": header("webhook-id"),
            "body": said,
        });
        kept.latest.push_front(received);
        kept.latest.truncate(KEPT);
    }

    fn latest(&self) -> Vec<Value> {
        let kept = self.received.lock().unwrap_or_else(PoisonError::into_inner);
        kept.latest.iter().cloned().collect()
    }
}

/// Takes what endpoints are sent, from anybody. Asked in any other way, the path belongs to those who come after it.
pub(crate) fn receives(app: &mut ServiceConfig, receiver: &Data<Receiver>) {
    app.service(
        web::resource(PATH)
            .guard(guard::Post())
            .app_data(receiver.clone())
            .app_data(PayloadConfig::new(MAX_BODY_BYTES))
            .to(receive),
    );
}

async fn receive(receiver: Data<Receiver>, request: HttpRequest, body: Bytes) -> HttpResponse {
    receiver.keep(&request, &body);
    HttpResponse::NoContent().finish()
}

/// `GET`: the receiver's address, and what came, the latest first. `received_at` is in milliseconds since 1970.
pub(crate) async fn received(receiver: Data<Receiver>, request: HttpRequest) -> HttpResponse {
    let url = format!("http://{}{PATH}", request.app_config().local_addr());
    HttpResponse::Ok().json(json!({ "url": url, "data": receiver.latest() }))
}
