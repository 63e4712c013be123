//! The queue of deliveries in memory. Only what is next in its lane has a due time, as in the databases:
//! that keeps the order, and the others out of the way.

use std::collections::HashMap;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;

use super::memory::{MemoryStore, State};
use crate::model::{
    Attempt, Delivery, DeliveryId, DeliveryOutcome, DeliveryStanding, DeviceId, EndpointVerdict, EventId,
    Setback, Settlement, Timestamp, WebhookId, WebhookState,
};
use crate::ports::{DeliveryQueue, Express, NewEvent, OUTAGE, Reservation, Settled};
use crate::{Error, Result};

/// A delivery and how it stands.
#[derive(Debug, Clone)]
pub(super) struct Row {
    pub device: DeviceId,
    pub webhook: WebhookId,
    pub event: EventId,
    pub lane: String,
    pub body: Bytes,
    pub standing: DeliveryStanding,
    /// Its lane goes on without it.
    pub aside: bool,
    /// When it may be handed out; `None` while it waits for its lane or its endpoint.
    pub due_at: Option<Timestamp>,
    pub leased: bool,
    pub attempts: u32,
    /// Attempts before it was asked for again.
    pub baseline: u32,
    pub error: Option<String>,
    pub created_at: Timestamp,
    pub queued_at: Timestamp,
    pub settled_at: Option<Timestamp>,
    pub log: Vec<Attempt>,
}

impl Row {
    fn is_pending(&self) -> bool {
        self.standing == DeliveryStanding::Pending
    }

    fn in_lane(&self, webhook: WebhookId, lane: &str) -> bool {
        self.is_pending() && !self.aside && self.webhook == webhook && self.lane == lane
    }

    fn lease(&mut self, until: Timestamp) {
        self.due_at = Some(until);
        self.leased = true;
    }
}

impl MemoryStore {
    /// How many deliveries are still to be made.
    pub fn pending_deliveries(&self) -> usize {
        self.state()
            .deliveries
            .values()
            .filter(|row| row.is_pending())
            .count()
    }

    /// How a delivery stands, and what went wrong last.
    pub fn standing(&self, id: DeliveryId) -> Option<(DeliveryStanding, Option<String>)> {
        self.state()
            .deliveries
            .get(&id)
            .map(|row| (row.standing, row.error.clone()))
    }
}

impl State {
    /// Queues what goes to endpoints that still exist; returns what is reserved for the caller, and whether
    /// anything else became due.
    pub fn queue_deliveries(
        &mut self,
        device: DeviceId,
        event: &NewEvent,
        express: &mut Express,
    ) -> (Vec<Delivery>, bool) {
        let (mut reserved, mut queued) = (Vec::new(), false);
        for new in &event.deliveries {
            let Some(webhook) = self.webhooks.get(&new.webhook) else {
                continue;
            };
            let active = webhook.state == WebhookState::Active;
            let lane = format!("{device}/{}", event.lane);
            let waits = self.heads(new.webhook, &lane).next().is_some();
            let mut row = Row {
                device,
                webhook: new.webhook,
                event: event.id,
                lane,
                body: new.body.clone(),
                standing: DeliveryStanding::Pending,
                aside: false,
                due_at: (active && !waits).then_some(event.recorded_at),
                leased: false,
                attempts: 0,
                baseline: 0,
                error: None,
                created_at: event.recorded_at,
                queued_at: event.recorded_at,
                settled_at: None,
                log: Vec::new(),
            };
            let takes = row.due_at.is_some() && express.limit > 0;
            if takes {
                express.limit -= 1;
                row.lease(event.recorded_at + express.lease);
            }
            queued |= row.due_at.is_some() && !takes;
            self.deliveries.insert(new.id, row);
            if takes {
                reserved.extend(self.delivery(new.id, event.recorded_at));
            }
        }
        (reserved, queued)
    }

    /// What is pending in a lane, oldest first.
    fn heads<'a>(&'a self, webhook: WebhookId, lane: &'a str) -> impl Iterator<Item = DeliveryId> + 'a {
        self.deliveries
            .iter()
            .filter(move |(_, row)| row.in_lane(webhook, lane))
            .map(|(id, _)| *id)
    }

    fn is_active(&self, webhook: WebhookId) -> bool {
        self.webhooks
            .get(&webhook)
            .is_some_and(|webhook| webhook.state == WebhookState::Active)
    }

    fn delivery(&self, id: DeliveryId, now: Timestamp) -> Option<Delivery> {
        let row = self.deliveries.get(&id)?;
        let webhook = self.webhooks.get(&row.webhook)?;
        Some(Delivery {
            id,
            event: row.event,
            webhook: row.webhook,
            device: row.device,
            url: webhook.url.clone(),
            headers: webhook.headers.clone(),
            secrets: webhook.secrets(now),
            body: row.body.clone(),
            attempts: row.attempts - row.baseline,
            queued_at: row.queued_at,
        })
    }

    /// Lets nothing of the endpoint be handed out.
    pub fn hold(&mut self, webhook: WebhookId) {
        for row in self.deliveries.values_mut() {
            if row.webhook == webhook && row.is_pending() && !row.leased {
                row.due_at = None;
            }
        }
    }

    /// Lets the oldest of every lane of the endpoint be handed out, and what stands aside.
    pub fn release(&mut self, webhook: WebhookId, now: Timestamp) {
        let mut lanes = std::collections::HashSet::new();
        for row in self.deliveries.values_mut() {
            if row.webhook != webhook || !row.is_pending() {
                continue;
            }
            if (row.aside || lanes.insert(row.lane.clone())) && row.due_at.is_none() {
                row.due_at = Some(now);
            }
        }
    }

    fn settle_one(&mut self, settlement: Settlement, now: Timestamp, settled: &mut Settling) {
        let Settlement { id, outcome, attempt } = settlement;
        let Some(row) = self.deliveries.get(&id).filter(|row| row.is_pending()).cloned() else {
            return;
        };
        let active = self.is_active(row.webhook);
        let head = self.heads(row.webhook, &row.lane).next();
        let is_probe = !row.aside && head != Some(id);
        let mut after = row.clone();
        after.leased = false;
        if !matches!(outcome, DeliveryOutcome::Returned) {
            after.attempts += 1;
        }
        after.log.extend(attempt);
        match outcome {
            DeliveryOutcome::Returned => after.due_at = active.then_some(now),
            DeliveryOutcome::Delivered => {
                after.standing = DeliveryStanding::Delivered;
                (after.due_at, after.error, after.settled_at) = (None, None, Some(now));
                settled.successes.push(row.webhook);
                if let Some(passed) = head.filter(|_| is_probe) {
                    // One that was never handed out was not passed: it is next.
                    self.deliveries
                        .entry(passed)
                        .and_modify(|row| row.aside = row.due_at.is_some());
                }
                settled.lanes.push((row.webhook, row.lane.clone()));
            }
            DeliveryOutcome::Retry { at, setback, error } => {
                after.error = Some(error);
                after.due_at = (active && !is_probe).then_some(at);
                settled.failures.push(row.webhook);
                let refused = setback == Setback::Refused && after.attempts - after.baseline >= 2;
                if is_probe {
                    settled.lanes.push((row.webhook, row.lane.clone()));
                } else if refused && !row.aside {
                    settled.refused.push((row.webhook, row.lane.clone()));
                }
            }
            DeliveryOutcome::Dead { error, endpoint } => {
                after.standing = DeliveryStanding::Dead;
                after.error = Some(error.clone());
                (after.due_at, after.settled_at) = (None, Some(now));
                settled.failures.push(row.webhook);
                settled.lanes.push((row.webhook, row.lane.clone()));
                settled.verdicts.push((row.webhook, row.device, endpoint, error));
            }
        }
        self.deliveries.insert(id, after);
    }

    /// What successes and failures mean for endpoints.
    fn judge(&mut self, settling: &Settling, now: Timestamp, settled: &mut Settled) {
        let mut latest: HashMap<WebhookId, bool> = HashMap::new();
        for failed in &settling.failures {
            latest.insert(*failed, false);
        }
        for succeeded in &settling.successes {
            latest.insert(*succeeded, true);
        }
        for (id, succeeded) in latest {
            let Some(webhook) = self.webhooks.get_mut(&id) else {
                continue;
            };
            if !succeeded {
                webhook.failing_since.get_or_insert(now);
            } else if webhook
                .failing_since
                .take()
                .is_some_and(|since| now.since(since) >= OUTAGE)
            {
                for row in self.deliveries.values_mut() {
                    if row.webhook == id && !row.leased && row.due_at.is_some_and(|due| due > now) {
                        row.due_at = Some(now);
                    }
                }
            }
        }
        for (id, device, verdict, reason) in &settling.verdicts {
            let Some(webhook) = self.webhooks.get_mut(id) else {
                continue;
            };
            let hopeless = match verdict {
                EndpointVerdict::Sound => false,
                EndpointVerdict::Gone => true,
                EndpointVerdict::Exhausted { since } => webhook.failing_since.is_some_and(|at| at <= *since),
            };
            if hopeless && webhook.state == WebhookState::Active {
                webhook.state = WebhookState::Disabled {
                    reason: reason.clone(),
                    at: now,
                };
                self.hold(*id);
                settled.disabled.push((*id, *device, reason.clone()));
            }
        }
    }
}

/// What a round of settling has to follow up on.
#[derive(Default)]
struct Settling {
    successes: Vec<WebhookId>,
    failures: Vec<WebhookId>,
    /// Lanes that may go on.
    lanes: Vec<(WebhookId, String)>,
    /// Lanes whose head is refused: the next one is tried beside it.
    refused: Vec<(WebhookId, String)>,
    verdicts: Vec<(WebhookId, DeviceId, EndpointVerdict, String)>,
}

#[async_trait]
impl DeliveryQueue for MemoryStore {
    async fn recover(&self, now: Timestamp) -> Result<u64> {
        let mut state = self.lock()?;
        let mut count = 0;
        for row in state
            .deliveries
            .values_mut()
            .filter(|row| row.leased && row.is_pending())
        {
            (row.leased, row.due_at) = (false, Some(now));
            count += 1;
        }
        Ok(count)
    }

    async fn reserve(&self, reservation: Reservation) -> Result<Vec<Delivery>> {
        let Reservation {
            now,
            lease,
            limit,
            per_webhook,
            busy,
        } = reservation;
        let mut state = self.lock()?;
        let mut due: Vec<(Timestamp, DeliveryId, WebhookId)> = state
            .deliveries
            .iter()
            .filter_map(|(id, row)| Some((row.due_at?, *id, row.webhook)))
            .filter(|(at, _, webhook)| *at <= now && !busy.contains(webhook))
            .collect();
        due.sort_unstable();
        let mut counts: HashMap<WebhookId, u32> = HashMap::new();
        due.retain(|(_, _, webhook)| {
            let count = counts.entry(*webhook).or_default();
            *count += 1;
            *count <= per_webhook
        });
        due.truncate(limit as usize);
        for (_, id, _) in &due {
            if let Some(row) = state.deliveries.get_mut(id) {
                row.lease(now + lease);
            }
        }
        Ok(due
            .into_iter()
            .filter_map(|(_, id, _)| state.delivery(id, now))
            .collect())
    }

    async fn settle(&self, settlements: Vec<Settlement>, now: Timestamp, lease: Duration) -> Result<Settled> {
        let mut state = self.lock()?;
        let mut settling = Settling::default();
        let mut settled = Settled::default();
        for settlement in settlements {
            state.settle_one(settlement, now, &mut settling);
        }
        state.judge(&settling, now, &mut settled);
        for (webhook, lane) in &settling.lanes {
            let next = state.heads(*webhook, lane).next();
            let Some(next) = next.filter(|_| state.is_active(*webhook)) else {
                continue;
            };
            if let Some(row) = state.deliveries.get_mut(&next).filter(|row| row.due_at.is_none()) {
                row.lease(now + lease);
                settled.next.extend(state.delivery(next, now));
            }
        }
        for (webhook, lane) in &settling.refused {
            let second = state.heads(*webhook, lane).nth(1);
            let Some(second) = second.filter(|_| state.is_active(*webhook)) else {
                continue;
            };
            if let Some(row) = state
                .deliveries
                .get_mut(&second)
                .filter(|row| row.due_at.is_none())
            {
                row.due_at = Some(now);
            }
        }
        Ok(settled)
    }

    async fn next_due(&self, busy: &[WebhookId]) -> Result<Option<Timestamp>> {
        let state = self.lock()?;
        Ok(state
            .deliveries
            .values()
            .filter(|row| !busy.contains(&row.webhook))
            .filter_map(|row| row.due_at)
            .min())
    }
}

pub(super) fn no_delivery(id: DeliveryId) -> Error {
    Error::NotFound {
        what: "delivery",
        id: id.to_string(),
    }
}
