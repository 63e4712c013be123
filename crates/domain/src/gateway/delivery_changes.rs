//! Hearing how deliveries fare. Thousands may change in a second, so whoever listens hears of a few of them at a time
//! and how many there were besides: each can be read again, and lists are asked for anew.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::{self, BoxStream, StreamExt};
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::{RecvError, TryRecvError};

use super::Gateway;
use crate::Result;
use crate::model::{DeliveryId, DeviceId, StoredDelivery, Token};
use crate::ports::{Clock, DeliveryLog};

/// Changes that are kept for a listener between two rounds; of older ones it hears the number.
const KEPT: usize = 256;
/// How long changes are gathered before some of them are told.
const GATHER: Duration = Duration::from_millis(500);
/// Most that are told of one round.
const TOLD: usize = 3;
/// Most that are read in one round, to find those of one device among them.
const READ: usize = 12;

/// How a delivery stands now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryChange {
    /// As it is stored.
    pub delivery: StoredDelivery,
    /// How many more changed in the same moment and are not told one by one.
    pub others: u64,
}

/// Where changes are announced. Costs nothing while nobody listens.
pub(super) struct DeliveryChanges(broadcast::Sender<DeliveryId>);

impl Default for DeliveryChanges {
    fn default() -> Self {
        Self(broadcast::Sender::new(KEPT))
    }
}

impl DeliveryChanges {
    /// Hears of changes from now on.
    pub(super) fn subscribe(&self) -> broadcast::Receiver<DeliveryId> {
        self.0.subscribe()
    }

    /// These may stand otherwise than before.
    pub(super) fn announce(&self, ids: impl IntoIterator<Item = DeliveryId>) {
        if self.0.receiver_count() == 0 {
            return;
        }
        for id in ids {
            // It fails when the last listener has just gone.
            let _ = self.0.send(id);
        }
    }
}

impl Gateway {
    /// How deliveries fare, from now on: those of one device, or all. At most a few come within a second; the last of
    /// them says how many more there were. Ends after an error, and with the gateway.
    pub async fn watch_deliveries(
        &self,
        device: Option<&Token>,
    ) -> Result<BoxStream<'static, Result<DeliveryChange>>> {
        let changes = self.intake.changes.subscribe();
        let device = match device {
            Some(token) => Some(self.device(token).await?.id),
            None => None,
        };
        let watching = Watching {
            log: self.parts.delivery_log.clone(),
            clock: self.parts.clock.clone(),
            changes,
            device,
            told: VecDeque::new(),
        };
        Ok(stream::try_unfold(watching, |mut watching| async move {
            let change = watching.next().await?;
            Ok(change.map(|change| (change, watching)))
        })
        .boxed())
    }
}

struct Watching {
    log: Arc<dyn DeliveryLog>,
    clock: Arc<dyn Clock>,
    changes: broadcast::Receiver<DeliveryId>,
    device: Option<DeviceId>,
    told: VecDeque<DeliveryChange>,
}

impl Watching {
    async fn next(&mut self) -> Result<Option<DeliveryChange>> {
        loop {
            if let Some(change) = self.told.pop_front() {
                return Ok(Some(change));
            }
            let mut round = Round::default();
            match self.changes.recv().await {
                Ok(id) => round.ids.push(id),
                Err(RecvError::Lagged(missed)) => round.missed += missed,
                Err(RecvError::Closed) => return Ok(None),
            }
            self.clock.sleep(GATHER).await;
            self.drain(&mut round);
            self.read(round).await?;
        }
    }

    fn drain(&mut self, round: &mut Round) {
        loop {
            match self.changes.try_recv() {
                Ok(id) => round.ids.push(id),
                Err(TryRecvError::Lagged(missed)) => round.missed += missed,
                Err(TryRecvError::Empty | TryRecvError::Closed) => return,
            }
        }
    }

    /// Reads the latest ones. What is gone meanwhile, or never came to be, is nothing to tell.
    async fn read(&mut self, round: Round) -> Result<()> {
        let (mut ids, missed) = (round.latest(), round.missed);
        let rest = ids.split_off(READ.min(ids.len()));
        let mut ids = ids.into_iter();
        for id in ids.by_ref() {
            let Some(delivery) = self.log.get(id).await? else {
                continue;
            };
            if self.device.is_none_or(|device| device == delivery.device) {
                self.told.push_front(DeliveryChange { delivery, others: 0 });
            }
            if self.told.len() == TOLD {
                break;
            }
        }
        if let Some(last) = self.told.back_mut() {
            let untold = ids.len() + rest.len();
            last.others = missed.saturating_add(u64::try_from(untold).unwrap_or(u64::MAX));
        }
        Ok(())
    }
}

/// What changed within a moment.
#[derive(Default)]
struct Round {
    ids: Vec<DeliveryId>,
    missed: u64,
}

impl Round {
    /// Each once, the latest first.
    fn latest(&self) -> Vec<DeliveryId> {
        let mut seen = HashSet::new();
        let newest_first = self.ids.iter().rev();
        newest_first.filter(|id| seen.insert(**id)).copied().collect()
    }
}
