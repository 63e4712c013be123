//! How much each endpoint has under way, so that one that hangs never takes all there is. An endpoint that
//! fails again and again gets one delivery at a time until it takes one.

use std::collections::{HashMap, VecDeque};

use wagate_domain::model::WebhookId;

use crate::reserved::Reserved;

/// Failures in a row after which an endpoint gets one at a time.
const STREAK: u32 = 5;
/// Endpoints that are remembered for their failures alone.
const MAX_KNOWN: usize = 10_000;

/// What is known of endpoints that have something under way, or fail.
#[derive(Debug)]
pub(crate) struct Endpoints {
    lanes: usize,
    known: HashMap<WebhookId, Endpoint>,
    held: usize,
}

#[derive(Debug, Default)]
struct Endpoint {
    under_way: usize,
    /// In a row.
    failures: u32,
    /// Ours already, waiting for their turn.
    held: VecDeque<Reserved>,
    /// The queue has more for it, and was or will be asked without it.
    left_out: bool,
}

/// What an attempt says about its endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    /// It took the delivery.
    Took,
    /// It did not.
    Failed,
    /// Nothing.
    Unsaid,
}

/// What follows from an attempt's end.
#[derive(Debug, Default)]
pub(crate) struct Freed {
    /// The endpoint takes something again.
    pub recovered: bool,
    /// The queue has more for it.
    pub look: bool,
    /// Held for an endpoint that gets one at a time from now on: too long a wait.
    pub surplus: VecDeque<Reserved>,
}

impl Endpoint {
    fn is_wary(&self) -> bool {
        self.failures >= STREAK
    }

    fn lanes(&self, most: usize) -> usize {
        if self.is_wary() { 1 } else { most }
    }

    fn has_room(&self, most: usize) -> bool {
        self.under_way < self.lanes(most)
    }

    fn is_idle(&self) -> bool {
        self.under_way == 0 && self.held.is_empty()
    }
}

impl Endpoints {
    /// None known yet; each may have so many under way.
    pub(crate) fn new(lanes: usize) -> Self {
        Self {
            lanes: lanes.max(1),
            known: HashMap::new(),
            held: 0,
        }
    }

    /// Most for one endpoint.
    pub(crate) fn lanes(&self) -> usize {
        self.lanes
    }

    /// How many deliveries are held, over all endpoints.
    pub(crate) fn held(&self) -> usize {
        self.held
    }

    /// Whether one more may be made now.
    pub(crate) fn has_room(&self, id: WebhookId) -> bool {
        self.known.get(&id).is_none_or(|known| known.has_room(self.lanes))
    }

    /// One more is under way.
    pub(crate) fn begin(&mut self, id: WebhookId) {
        if self.known.len() >= MAX_KNOWN {
            self.known.retain(|_, known| !known.is_idle());
        }
        self.known.entry(id).or_default().under_way += 1;
    }

    /// One has ended.
    pub(crate) fn end(&mut self, id: WebhookId, how: Ended) -> Freed {
        let Some(known) = self.known.get_mut(&id) else {
            return Freed::default();
        };
        known.under_way = known.under_way.saturating_sub(1);
        let mut freed = Freed::default();
        match how {
            Ended::Took => freed.recovered = std::mem::take(&mut known.failures) > 0,
            Ended::Failed => known.failures = known.failures.saturating_add(1),
            Ended::Unsaid => {}
        }
        if known.is_wary() {
            freed.surplus = std::mem::take(&mut known.held);
            self.held -= freed.surplus.len();
        }
        freed.look = known.left_out && known.held.is_empty() && known.has_room(self.lanes);
        known.left_out &= !freed.look;
        self.forget(id);
        freed
    }

    /// Keeps a delivery until the endpoint has room; hands back one too many.
    pub(crate) fn hold(&mut self, reserved: Reserved) -> Option<Reserved> {
        let known = self.known.entry(reserved.delivery.webhook).or_default();
        if known.held.len() >= known.lanes(self.lanes) {
            return Some(reserved);
        }
        known.held.push_back(reserved);
        self.held += 1;
        None
    }

    /// What is held for the endpoint and may be made now.
    pub(crate) fn next_held(&mut self, id: WebhookId) -> Option<Reserved> {
        let known = self.known.get_mut(&id)?;
        let next = known.has_room(self.lanes).then(|| known.held.pop_front())??;
        self.held -= 1;
        Some(next)
    }

    /// All that is held for the endpoint.
    pub(crate) fn take_held(&mut self, id: WebhookId) -> VecDeque<Reserved> {
        let held = self
            .known
            .get_mut(&id)
            .map_or_else(VecDeque::new, |known| std::mem::take(&mut known.held));
        self.held -= held.len();
        self.forget(id);
        held
    }

    /// Endpoints for which something is held.
    pub(crate) fn holding(&self) -> Vec<WebhookId> {
        self.matching(|known| !known.held.is_empty())
    }

    /// Endpoints that may have no more: the queue is asked without them.
    pub(crate) fn leave_out_full(&mut self) -> Vec<WebhookId> {
        let lanes = self.lanes;
        let full = self.known.iter_mut().filter(|(_, known)| !known.has_room(lanes));
        full.map(|(id, known)| {
            known.left_out = true;
            *id
        })
        .collect()
    }

    /// Endpoints that get one at a time, and may have one.
    pub(crate) fn wary(&self) -> Vec<WebhookId> {
        self.matching(|known| known.is_wary() && known.has_room(self.lanes))
    }

    /// The queue has something for the endpoint. Says whether to ask now; otherwise its next end will.
    pub(crate) fn has_backlog(&mut self, id: WebhookId) -> bool {
        let lanes = self.lanes;
        match self.known.get_mut(&id) {
            Some(known) if !known.has_room(lanes) => {
                known.left_out = true;
                false
            }
            _ => true,
        }
    }

    fn matching(&self, fits: impl Fn(&Endpoint) -> bool) -> Vec<WebhookId> {
        let matching = self.known.iter().filter(|(_, known)| fits(known));
        matching.map(|(id, _)| *id).collect()
    }

    /// What is idle and sound is like what was never known.
    fn forget(&mut self, id: WebhookId) {
        if let Some(known) = self.known.get(&id)
            && known.is_idle()
            && known.failures == 0
        {
            self.known.remove(&id);
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use wagate_domain::model::{Delivery, DeliveryId, DeviceId, EventId, Timestamp};
    use wagate_domain::ports::IdSource;
    use wagate_domain::testing::FakeIds;

    use super::*;
    use crate::reserved::Lease;

    fn id() -> WebhookId {
        WebhookId::new(FakeIds::new().next())
    }

    fn reserved(webhook: WebhookId) -> Reserved {
        let ids = FakeIds::new();
        Reserved {
            delivery: Delivery {
                id: DeliveryId::new(ids.next()),
                event: EventId::new(ids.next()),
                webhook,
                device: DeviceId::new(ids.next()),
                url: String::new(),
                headers: Vec::new(),
                secrets: Vec::new(),
                body: Bytes::new(),
                attempts: 0,
                queued_at: Timestamp(0),
            },
            lease: Lease {
                until: Timestamp(0),
                slot: None,
            },
        }
    }

    #[test]
    fn an_endpoint_has_so_many_lanes_and_a_failing_one_has_one() {
        let (mut endpoints, id) = (Endpoints::new(3), id());
        for _ in 0..3 {
            assert!(endpoints.has_room(id));
            endpoints.begin(id);
        }
        assert!(!endpoints.has_room(id));
        for failures in 1..=5 {
            assert!(endpoints.wary().is_empty(), "{failures}");
            endpoints.end(id, Ended::Failed);
            endpoints.begin(id);
        }
        endpoints.end(id, Ended::Unsaid);
        endpoints.end(id, Ended::Unsaid);
        assert!(!endpoints.has_room(id), "one is under way");
        endpoints.end(id, Ended::Unsaid);
        assert_eq!(endpoints.wary(), [id]);
        endpoints.begin(id);
        assert!(!endpoints.has_room(id));
        assert!(endpoints.end(id, Ended::Took).recovered);
        assert!(endpoints.known.is_empty(), "idle and sound");
    }

    #[test]
    fn what_is_held_waits_for_room_and_is_bounded() {
        let (mut endpoints, id) = (Endpoints::new(2), id());
        endpoints.begin(id);
        endpoints.begin(id);
        assert!(endpoints.hold(reserved(id)).is_none());
        assert!(endpoints.hold(reserved(id)).is_none());
        assert!(endpoints.hold(reserved(id)).is_some(), "one too many");
        assert_eq!((endpoints.held(), endpoints.holding()), (2, vec![id]));
        assert!(endpoints.next_held(id).is_none());
        endpoints.end(id, Ended::Took);
        assert!(endpoints.next_held(id).is_some());
        endpoints.begin(id);
        assert!(endpoints.next_held(id).is_none());
        assert_eq!(endpoints.take_held(id).len(), 1);
        assert_eq!(endpoints.held(), 0);
    }

    #[test]
    fn a_streak_gives_back_what_is_held() {
        let (mut endpoints, id) = (Endpoints::new(2), id());
        endpoints.begin(id);
        assert!(endpoints.hold(reserved(id)).is_none());
        for failures in 1..=5 {
            endpoints.begin(id);
            let freed = endpoints.end(id, Ended::Failed);
            assert_eq!(freed.surplus.len(), usize::from(failures == 5));
        }
        assert_eq!(endpoints.held(), 0);
    }

    #[test]
    fn who_was_left_out_is_asked_for_once_there_is_room() {
        let (mut endpoints, id) = (Endpoints::new(2), id());
        assert!(endpoints.has_backlog(id), "now");
        endpoints.begin(id);
        assert!(endpoints.leave_out_full().is_empty());
        endpoints.begin(id);
        assert_eq!(endpoints.leave_out_full(), [id]);
        assert!(endpoints.end(id, Ended::Took).look);
        endpoints.begin(id);
        assert!(!endpoints.end(id, Ended::Took).look, "once");
        endpoints.begin(id);
        assert!(!endpoints.has_backlog(id), "later");
        assert!(endpoints.end(id, Ended::Took).look);
    }

    #[test]
    fn failing_endpoints_do_not_fill_the_memory() {
        let (mut endpoints, ids) = (Endpoints::new(2), FakeIds::new());
        let busy = id();
        endpoints.begin(busy);
        for _ in 0..2 * MAX_KNOWN {
            let id = WebhookId::new(ids.next());
            endpoints.begin(id);
            endpoints.end(id, Ended::Failed);
        }
        assert!(endpoints.known.len() <= MAX_KNOWN);
        assert!(endpoints.known.contains_key(&busy));
    }
}
