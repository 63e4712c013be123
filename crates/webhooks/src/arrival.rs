//! Waiting for either of the two things that an inbox tells: each of its waits borrows all of it, so that
//! they take turns.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

use wagate_domain::{Inbox, Parcel};

/// What an inbox tells.
#[derive(Debug)]
pub(crate) enum Arrival {
    /// A delivery came the short way.
    Parcel(Box<Parcel>),
    /// Something was put into the queue.
    Queued,
}

/// The next of them. Nothing is lost when the future is dropped.
pub(crate) async fn arrival(inbox: &mut Inbox) -> Arrival {
    loop {
        // Polled once. The channel goes on to wake this task after the future is gone.
        let parcel = {
            let mut parcel = pin!(inbox.receive());
            poll_fn(|cx| Poll::Ready(parcel.as_mut().poll(cx))).await
        };
        if let Poll::Ready(parcel) = parcel {
            return Arrival::Parcel(Box::new(parcel));
        }
        // Polled until this task is woken, by whichever of the two.
        let mut queued = pin!(inbox.queued());
        let mut waited = false;
        let queued = poll_fn(|cx| match queued.as_mut().poll(cx) {
            Poll::Ready(()) => Poll::Ready(true),
            Poll::Pending if waited => Poll::Ready(false),
            Poll::Pending => {
                waited = true;
                Poll::Pending
            }
        });
        if queued.await {
            return Arrival::Queued;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use wagate_domain::Dispatch;

    use super::*;

    #[tokio::test]
    async fn an_announcement_is_heard_before_and_while_somebody_waits() {
        let (dispatch, mut inbox) = Dispatch::new(1);
        dispatch.announce();
        assert!(matches!(arrival(&mut inbox).await, Arrival::Queued));
        let waiting = tokio::spawn(async move { arrival(&mut inbox).await });
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        dispatch.announce();
        let heard = tokio::time::timeout(Duration::from_secs(10), waiting).await;
        assert!(matches!(heard.unwrap().unwrap(), Arrival::Queued));
    }
}
