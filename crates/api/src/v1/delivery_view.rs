//! What clients see of deliveries.

use serde::Serialize;
use utoipa::ToSchema;
use wagate_domain::model::{Attempt, DeliveryId, DeviceId, EventId, StoredDelivery, WebhookId};

use super::view::time;

/// Most bytes that are shown of a body.
const SHOWN_BODY: usize = 20_000;

/// One event on its way to one endpoint.
#[derive(Serialize, ToSchema)]
#[schema(as = Delivery)]
pub(super) struct DeliveryView {
    /// Its id.
    #[schema(value_type = String, example = "dlv_01K0000000000000000000000A")]
    id: DeliveryId,
    /// The event's id; also the `webhook-id` that the receiver sees.
    #[schema(value_type = String)]
    event: EventId,
    /// The event's type.
    #[serde(rename = "type")]
    kind: &'static str,
    /// The endpoint's id.
    #[schema(value_type = String)]
    webhook: WebhookId,
    /// The id of the device whose event it is.
    #[schema(value_type = String)]
    device: DeviceId,
    /// `pending`, `delivered`, or `dead`: given up.
    status: &'static str,
    /// Attempts so far.
    attempt_count: u32,
    /// When it is tried next; null when it waits for another delivery or for its endpoint, and when it is over.
    #[schema(format = DateTime, required = true)]
    next_attempt_at: Option<String>,
    /// What went wrong last, in a few words.
    #[schema(required = true)]
    error: Option<String>,
    /// When the event was recorded.
    #[schema(format = DateTime)]
    created_at: String,
    /// When it was delivered or given up.
    #[schema(format = DateTime, required = true)]
    settled_at: Option<String>,
}

/// A delivery with its attempts and its body.
#[derive(Serialize, ToSchema)]
#[schema(as = DeliveryDetail)]
pub(super) struct DeliveryDetailView {
    #[serde(flatten)]
    delivery: DeliveryView,
    /// The attempts that are kept, oldest first.
    attempts: Vec<AttemptView>,
    /// The first 20,000 bytes of what is sent, as text.
    request_body: String,
    /// How long all of it is, in bytes.
    request_body_bytes: usize,
}

/// One try.
#[derive(Serialize, ToSchema)]
#[schema(as = Attempt)]
pub(super) struct AttemptView {
    /// When it began.
    #[schema(format = DateTime)]
    at: String,
    /// How long it took, in milliseconds.
    took_ms: u64,
    /// The receiver's status, when it answered.
    #[schema(required = true)]
    status: Option<u16>,
    /// What went wrong, in a few words.
    #[schema(required = true)]
    error: Option<String>,
    /// The head of the request; values of the endpoint's own headers are hidden.
    request_head: String,
    /// The head of the answer.
    response_head: String,
    /// The first 20,000 bytes of the answer's body, as text.
    response_body: String,
}

impl From<StoredDelivery> for DeliveryView {
    fn from(delivery: StoredDelivery) -> Self {
        Self {
            id: delivery.id,
            event: delivery.event,
            kind: delivery.kind.as_str(),
            webhook: delivery.webhook,
            device: delivery.device,
            status: delivery.standing.as_str(),
            attempt_count: delivery.attempts,
            next_attempt_at: delivery.due_at.map(time),
            error: delivery.error,
            created_at: time(delivery.created_at),
            settled_at: delivery.settled_at.map(time),
        }
    }
}

impl From<(StoredDelivery, Vec<Attempt>)> for DeliveryDetailView {
    fn from((delivery, attempts): (StoredDelivery, Vec<Attempt>)) -> Self {
        Self {
            request_body: shown(&delivery.body),
            request_body_bytes: delivery.body.len(),
            attempts: attempts.into_iter().map(AttemptView::from).collect(),
            delivery: delivery.into(),
        }
    }
}

impl From<Attempt> for AttemptView {
    fn from(attempt: Attempt) -> Self {
        Self {
            at: time(attempt.at),
            took_ms: u64::try_from(attempt.took.as_millis()).unwrap_or(u64::MAX),
            status: attempt.status,
            error: attempt.error,
            request_head: attempt.request_head,
            response_head: attempt.response_head,
            response_body: shown(&attempt.response_body),
        }
    }
}

/// The beginning of a body; what is no text, or was cut in the middle of a character, shows as U+FFFD.
fn shown(body: &[u8]) -> String {
    String::from_utf8_lossy(&body[..body.len().min(SHOWN_BODY)]).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_are_shown_as_text_and_cut() {
        assert_eq!(shown(b"ok"), "ok");
        assert_eq!(shown(b"\xff!"), "\u{fffd}!");
        assert_eq!(shown(&vec![b'x'; SHOWN_BODY + 1]).len(), SHOWN_BODY);
    }
}
