//! Answers that have no end of their own, and their end when the server stops.

use std::fmt;

use tokio::sync::watch;

/// Every open stream. Clones are the same streams.
#[derive(Clone)]
pub struct Streams {
    ended: watch::Sender<bool>,
}

impl Default for Streams {
    fn default() -> Self {
        Self {
            ended: watch::Sender::new(false),
        }
    }
}

impl fmt::Debug for Streams {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Streams")
            .field("ended", &*self.ended.borrow())
            .finish_non_exhaustive()
    }
}

impl Streams {
    /// Ends all of them, and at once those that are opened later. Call it before the server is stopped, which
    /// waits for answers that are not complete.
    pub fn end(&self) {
        self.ended.send_replace(true);
    }

    /// Returns once they have to end.
    pub(crate) async fn ended(&self) {
        // It cannot fail: the sender is here.
        let _ = self.ended.subscribe().wait_for(|ended| *ended).await;
    }
}
