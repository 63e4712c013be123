//! Who waits for the server's word on a message. A message counts as sent when the server has accepted
//! it, not when it was written to the socket.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;
use wagate_domain::model::{MessageId, Timestamp};
use wagate_domain::{Error, Needs, Result};
use whatsapp_rust::wacore::types::events::ServerAck;

/// What the server said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ack {
    /// When it accepted the message, by its own clock.
    pub at: Option<Timestamp>,
    /// Its code when it did not.
    pub error: Option<String>,
}

type Waiters = HashMap<String, oneshot::Sender<Ack>>;

/// The sends of one session that wait.
#[derive(Clone, Default)]
pub(crate) struct Acks {
    waiters: Arc<Mutex<Waiters>>,
}

impl Acks {
    /// Begins to wait: to be called before the message is sent, so that no answer is missed.
    pub(crate) fn expect(&self, id: &MessageId) -> Result<Expected> {
        let (told, answer) = oneshot::channel();
        match self.lock().entry(id.0.clone()) {
            Entry::Occupied(_) => {
                return Err(Error::WrongState {
                    needs: Needs::PreviousRequestEnded,
                    is: "sending".into(),
                });
            }
            Entry::Vacant(entry) => drop(entry.insert(told)),
        }
        Ok(Expected {
            acks: self.clone(),
            id: id.0.clone(),
            answer,
        })
    }

    /// Passes the server's word on to whoever waits for it. False when it is about a message for which nobody
    /// waits any more: it comes late, and has to be recorded.
    pub(crate) fn resolve(&self, ack: &ServerAck) -> bool {
        if ack.class.as_deref().is_some_and(|class| class != "message") {
            return true;
        }
        let Some(waiter) = self.lock().remove(&ack.id) else {
            return false;
        };
        let at = ack.timestamp.map(|at| Timestamp(at.timestamp_millis()));
        waiter
            .send(Ack {
                at,
                error: ack.error.clone(),
            })
            .is_ok()
    }

    fn lock(&self) -> MutexGuard<'_, Waiters> {
        self.waiters.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One wait. Dropping it gives up.
pub(crate) struct Expected {
    acks: Acks,
    id: String,
    answer: oneshot::Receiver<Ack>,
}

impl Expected {
    /// The server's word; never returns if it does not come.
    pub(crate) async fn answer(&mut self) -> Ack {
        match (&mut self.answer).await {
            Ok(ack) => ack,
            // Nobody drops the other end without answering.
            Err(_) => std::future::pending().await,
        }
    }
}

impl Drop for Expected {
    fn drop(&mut self) {
        self.acks.lock().remove(&self.id);
    }
}

#[cfg(test)]
mod tests {
    use whatsapp_rust::chrono::DateTime;

    use super::*;

    fn ack(id: &str, class: &str, error: Option<&str>) -> ServerAck {
        ServerAck::builder()
            .id(id.into())
            .class(class.into())
            .timestamp(DateTime::from_timestamp(1_700_000_000, 0).unwrap())
            .maybe_error(error.map(Into::into))
            .build()
    }

    #[tokio::test]
    async fn the_answer_reaches_the_one_who_waits() {
        let acks = Acks::default();
        let mut first = acks.expect(&MessageId("A".into())).unwrap();
        let mut second = acks.expect(&MessageId("B".into())).unwrap();
        assert!(acks.resolve(&ack("A", "receipt", None)));
        assert!(acks.resolve(&ack("B", "message", Some("463"))));
        assert!(acks.resolve(&ack("A", "message", None)));
        assert!(!acks.resolve(&ack("A", "message", None)), "nobody waits any more");
        assert_eq!(
            first.answer().await,
            Ack {
                at: Some(Timestamp::from_secs(1_700_000_000)),
                error: None
            }
        );
        assert_eq!(second.answer().await.error.as_deref(), Some("463"));
    }

    #[test]
    fn nobody_sends_the_same_id_twice_at_once() {
        let acks = Acks::default();
        let id = MessageId("A".into());
        let waiting = acks.expect(&id).unwrap();
        assert!(matches!(acks.expect(&id), Err(Error::WrongState { .. })));
        drop(waiting);
        assert!(acks.expect(&id).is_ok());
    }
}
