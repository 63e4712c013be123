//! The short way from recording to delivering: what was recorded a moment ago goes to the worker of the
//! same process by memory, reserved already, so that a healthy endpoint costs no search in the queue. Slots
//! bound how much is under way like that; what finds no slot waits in the queue.

use std::sync::Arc;

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, mpsc};

use crate::model::Delivery;

/// A reserved delivery and the slot that it takes. Dropping it frees the slot.
#[derive(Debug)]
pub struct Parcel {
    /// What is to be made now.
    pub delivery: Delivery,
    slot: OwnedSemaphorePermit,
}

impl Parcel {
    /// Takes it apart: the slot is free once the second part is dropped.
    pub fn unpack(self) -> (Delivery, OwnedSemaphorePermit) {
        (self.delivery, self.slot)
    }
}

/// The end of those who record.
#[derive(Debug, Clone)]
pub struct Dispatch {
    slots: Arc<Semaphore>,
    parcels: mpsc::UnboundedSender<Parcel>,
    queued: Arc<Notify>,
}

/// The end of the worker.
#[derive(Debug)]
pub struct Inbox {
    parcels: mpsc::UnboundedReceiver<Parcel>,
    queued: Arc<Notify>,
}

/// Slots that are kept for deliveries about to be recorded.
#[derive(Debug)]
pub(crate) struct Booking {
    slots: Option<OwnedSemaphorePermit>,
    parcels: mpsc::UnboundedSender<Parcel>,
}

impl Dispatch {
    /// Both ends, with so many slots.
    pub fn new(slots: usize) -> (Self, Inbox) {
        let (parcels, received) = mpsc::unbounded_channel();
        let queued = Arc::new(Notify::new());
        let dispatch = Self {
            slots: Arc::new(Semaphore::new(slots)),
            parcels,
            queued: queued.clone(),
        };
        let inbox = Inbox {
            parcels: received,
            queued,
        };
        (dispatch, inbox)
    }

    /// As many slots as are free now, at most `wanted`; none when nobody is at the other end.
    pub(crate) fn book(&self, wanted: usize) -> Booking {
        let free = if self.parcels.is_closed() {
            0
        } else {
            wanted.min(self.slots.available_permits())
        };
        let slots = u32::try_from(free)
            .ok()
            .filter(|free| *free > 0)
            .and_then(|free| self.slots.clone().try_acquire_many_owned(free).ok());
        Booking {
            slots,
            parcels: self.parcels.clone(),
        }
    }

    /// Says that there is something in the queue.
    pub fn announce(&self) {
        self.queued.notify_one();
    }
}

impl Booking {
    pub(crate) fn len(&self) -> usize {
        self.slots.as_ref().map_or(0, OwnedSemaphorePermit::num_permits)
    }

    /// Sends what was recorded; slots that are not needed are free again.
    pub(crate) fn send(mut self, deliveries: Vec<Delivery>) {
        for delivery in deliveries {
            let slot = self.slots.as_mut().and_then(|slots| slots.split(1));
            // Nobody at the other end any more: the lease brings it back.
            if let Some(slot) = slot {
                let _ = self.parcels.send(Parcel { delivery, slot });
            }
        }
    }
}

impl Inbox {
    /// The next delivery that came the short way; never returns when nobody records any more.
    pub async fn receive(&mut self) -> Parcel {
        match self.parcels.recv().await {
            Some(parcel) => parcel,
            None => std::future::pending().await,
        }
    }

    /// What came meanwhile, without waiting.
    pub fn try_receive(&mut self) -> Option<Parcel> {
        self.parcels.try_recv().ok()
    }

    /// Returns once something was put into the queue.
    pub async fn queued(&self) {
        self.queued.notified().await;
    }
}
