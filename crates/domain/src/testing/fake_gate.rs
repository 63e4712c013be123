//! Where what a test holds back waits.

use tokio::sync::watch;

/// Open, until it is closed.
#[derive(Default)]
pub(super) struct FakeGate {
    state: watch::Sender<GateState>,
    waiting: watch::Sender<usize>,
}

#[derive(Default)]
struct GateState {
    closed: bool,
    /// How many may pass although it is closed.
    passes: usize,
}

impl GateState {
    fn lets_in(&self) -> bool {
        !self.closed || self.passes > 0
    }
}

/// Counts somebody who waits also when their future is dropped half-way.
struct Waiting<'a>(&'a watch::Sender<usize>);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count -= 1);
    }
}

impl FakeGate {
    pub(super) fn close(&self) {
        self.state.send_modify(|state| state.closed = true);
    }

    pub(super) fn open(&self) {
        self.state.send_replace(GateState::default());
    }

    /// Lets one more in.
    pub(super) fn let_one_in(&self) {
        self.state.send_modify(|state| state.passes += 1);
    }

    /// Returns once it is open.
    pub(super) async fn pass(&self) {
        if self.enter() {
            return;
        }
        self.waiting.send_modify(|count| *count += 1);
        let _waiting = Waiting(&self.waiting);
        let mut state = self.state.subscribe();
        while !self.enter() {
            state
                .wait_for(GateState::lets_in)
                .await
                .expect("the gate holds the sender");
        }
    }

    fn enter(&self) -> bool {
        let mut entered = false;
        self.state.send_if_modified(|state| {
            entered = state.lets_in();
            if entered && state.closed {
                state.passes -= 1;
            }
            false
        });
        entered
    }

    /// Returns once `count` or more wait.
    pub(super) async fn waiting(&self, count: usize) {
        let mut waiting = self.waiting.subscribe();
        waiting
            .wait_for(|now| *now >= count)
            .await
            .expect("the gate holds the sender");
    }
}
