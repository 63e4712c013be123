//! What the worker has under way, and what every event in its life changes about that. One task owns it;
//! nothing here waits.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use rand::RngExt;
use rand::rngs::StdRng;
use tokio::sync::mpsc;
use tokio::task::{Id, JoinError, JoinSet};
use tracing::error;
use wagate_domain::Parcel;
use wagate_domain::model::{DeliveryOutcome, EndpointVerdict, Settlement, Timestamp, WebhookId};
use wagate_domain::ports::Clock;

use crate::attempt::Courier;
use crate::backoff::Schedule;
use crate::endpoints::{Ended, Endpoints};
use crate::reserved::{Landed, Lease, Reserved};
use crate::settling::{Report, Round};

/// Deliveries on their way from the queue and back to it.
pub(crate) struct Pipeline {
    pub courier: Arc<Courier>,
    pub schedule: Arc<Schedule>,
    pub clock: Arc<dyn Clock>,
    pub rng: StdRng,
    pub endpoints: Endpoints,
    /// Most deliveries between being reserved and being settled.
    pub concurrency: usize,
    /// How long a reserved delivery is ours.
    pub lease: Duration,
    /// What must be left of a lease when a POST begins.
    pub margin: Duration,
    /// To the settler.
    pub landed: mpsc::UnboundedSender<Landed>,
    /// POSTs under way.
    pub flying: JoinSet<Settlement>,
    pub flights: HashMap<Id, Flight>,
    /// Given to the settler and not yet stored.
    pub unsettled: usize,
    /// Asked of the queue just now.
    pub asked: usize,
    /// When to ask the queue again.
    pub look_at: Timestamp,
    pub state: State,
}

/// Whether new POSTs begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// They do.
    Running,
    /// Not while no outcome can be stored.
    Stuck,
    /// Never again: what is ours goes back.
    Stopping,
}

/// A POST under way.
pub(crate) struct Flight {
    webhook: WebhookId,
    retried: bool,
    lease: Lease,
}

impl Pipeline {
    /// How many more may be taken on.
    pub(crate) fn room(&self) -> usize {
        let taken = self.flights.len() + self.unsettled + self.asked + self.endpoints.held();
        match self.state {
            State::Running => self.concurrency.saturating_sub(taken),
            State::Stuck | State::Stopping => 0,
        }
    }

    /// The queue is to be asked then, if not before.
    pub(crate) fn look_by(&mut self, at: Timestamp) {
        self.look_at = self.look_at.min(at);
    }

    /// Takes on what came the short way. An endpoint that has enough to do gets it from the queue later: a
    /// slot is not for waiting.
    pub(crate) fn take_parcel(&mut self, parcel: Parcel) {
        let (delivery, slot) = parcel.unpack();
        let reserved = Reserved {
            lease: Lease {
                // It was reserved when it was recorded, for longer than this.
                until: delivery.queued_at + self.lease,
                slot: Some(slot),
            },
            delivery,
        };
        if self.may_start(&reserved) {
            self.start(reserved);
        } else {
            self.give_back(reserved);
        }
    }

    /// Takes on what was reserved: now, or when its endpoint has room.
    pub(crate) fn take(&mut self, reserved: Reserved) {
        if self.may_start(&reserved) {
            self.start(reserved);
        } else if self.state == State::Stopping {
            self.give_back(reserved);
        } else if let Some(surplus) = self.endpoints.hold(reserved) {
            self.give_back(surplus);
        }
    }

    /// A POST has ended.
    pub(crate) fn land(&mut self, ended: Result<(Id, Settlement), JoinError>) {
        let id = match &ended {
            Ok((id, _)) => *id,
            Err(error) => error.id(),
        };
        let Some(flight) = self.flights.remove(&id) else {
            return;
        };
        let how = match &ended {
            Ok((_, settlement)) => says(&settlement.outcome),
            Err(error) => {
                error!(%error, "a webhook attempt crashed: its lease brings it back");
                Ended::Unsaid
            }
        };
        let freed = self.endpoints.end(flight.webhook, how);
        if freed.look {
            self.look_by(self.clock.now());
        }
        for surplus in freed.surplus {
            self.give_back(surplus);
        }
        if let Ok((_, settlement)) = ended {
            // After an outage the queue hurries on what waits for the endpoint.
            let stirs = how == Ended::Took && (freed.recovered || flight.retried);
            self.settle(Landed {
                settlement,
                webhook: flight.webhook,
                lease: flight.lease,
                stirs,
            });
        }
        self.start_held(flight.webhook);
    }

    /// The settler has something to say.
    pub(crate) fn hear(&mut self, report: Report) {
        match report {
            Report::Failing if self.state == State::Running => self.state = State::Stuck,
            Report::Failing => {}
            Report::Settled(round) => self.follow_up(round),
            Report::Dropped(count) => {
                self.unsettled = self.unsettled.saturating_sub(count);
                if self.unsettled == 0 {
                    self.go_on();
                }
            }
        }
    }

    fn follow_up(&mut self, round: Round) {
        self.unsettled = self.unsettled.saturating_sub(round.count);
        for webhook in round.disabled {
            for reserved in self.endpoints.take_held(webhook) {
                self.give_back(reserved);
            }
        }
        self.go_on();
        for reserved in round.next {
            self.take(reserved);
        }
        if let Some(due) = round.due {
            self.look_by(due);
        }
        for webhook in round.returned {
            if self.endpoints.has_backlog(webhook) {
                self.look_by(self.clock.now());
            }
        }
    }

    /// Begins POSTs again.
    fn go_on(&mut self) {
        if self.state == State::Stuck {
            self.state = State::Running;
            self.look_by(self.clock.now());
            for webhook in self.endpoints.holding() {
                self.start_held(webhook);
            }
        }
    }

    /// Begins no POST any more and gives back what waits for one.
    pub(crate) fn stop(&mut self) {
        self.state = State::Stopping;
        for webhook in self.endpoints.holding() {
            for reserved in self.endpoints.take_held(webhook) {
                self.give_back(reserved);
            }
        }
    }

    /// Cuts off POSTs under way and says how many.
    pub(crate) fn cut(&mut self) -> usize {
        self.flying.abort_all();
        self.flights.drain().count()
    }

    fn start_held(&mut self, webhook: WebhookId) {
        while self.state == State::Running
            && let Some(reserved) = self.endpoints.next_held(webhook)
        {
            if self.may_start(&reserved) {
                self.start(reserved);
            } else {
                self.give_back(reserved);
            }
        }
    }

    fn may_start(&self, reserved: &Reserved) -> bool {
        self.state == State::Running
            && self.endpoints.has_room(reserved.delivery.webhook)
            && reserved.lease.until.since(self.clock.now()) >= self.margin
    }

    fn start(&mut self, reserved: Reserved) {
        let Reserved { delivery, lease } = reserved;
        let flight = Flight {
            webhook: delivery.webhook,
            retried: delivery.attempts > 0,
            lease,
        };
        self.endpoints.begin(delivery.webhook);
        let (courier, schedule) = (self.courier.clone(), self.schedule.clone());
        let chance = self.rng.random();
        let task = self
            .flying
            .spawn(async move { courier.deliver(&delivery, &schedule, chance).await });
        self.flights.insert(task.id(), flight);
    }

    fn give_back(&mut self, reserved: Reserved) {
        // Past its lease it is not ours to give.
        if self.clock.now() < reserved.lease.until {
            metrics::counter!("wagate_webhook_deliveries_returned_total").increment(1);
            self.settle(reserved.returned());
        }
    }

    fn settle(&mut self, landed: Landed) {
        if self.landed.send(landed).is_ok() {
            self.unsettled += 1;
        }
    }
}

/// What an outcome says about the endpoint.
fn says(outcome: &DeliveryOutcome) -> Ended {
    match outcome {
        DeliveryOutcome::Delivered => Ended::Took,
        DeliveryOutcome::Returned
        | DeliveryOutcome::Dead {
            endpoint: EndpointVerdict::Sound,
            ..
        } => Ended::Unsaid,
        DeliveryOutcome::Retry { .. } | DeliveryOutcome::Dead { .. } => Ended::Failed,
    }
}
