//! The task that owns a session's client: it alone builds and ends clients, so that two never live on
//! one store. It takes commands and signals, asks the state machine, and does what that says.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};
use tracing::Instrument as _;
use wagate_domain::{Error, Needs, Result};
use whatsapp_rust::Client;
use whatsapp_rust::wacore::store::traits::DeviceStore as _;

use crate::keys::{VaultBackend, unreadable};
use crate::live::{Live, Running};
use crate::machine::{Effect, Machine};
use crate::pairing::CODE_LIFETIME;
use crate::profile::{be_quiet, tell_picture, welcome};
use crate::shared::Shared;
use crate::signal::{Signal, Signals};

/// How often the client is looked at between signals.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// Pause before another client is built when one could not be, or ended by itself.
const RESTART_PAUSE: Duration = Duration::from_secs(5);
/// First and longest pause before WhatsApp is asked for unrecorded messages again.
const REDELIVER_PAUSE: Duration = Duration::from_secs(5);
const LONGEST_REDELIVER_PAUSE: Duration = Duration::from_mins(5);
/// How long the last events of a session may take to be written.
const FLUSH_LIMIT: Duration = Duration::from_millis(1_500);
/// How long the account is shown as online after it typed: whoever writes reads the answer.
const SEEN_AFTER_TYPING: Duration = Duration::from_mins(1);
/// How long saving a new link may take before the person hears of it all the same.
const SAVE_LIMIT: Duration = Duration::from_secs(5);
/// What upstream's count of failures jumps to when it is told to connect anew, and one more.
const COUNTED_AFTER_RECONNECT: u32 = Client::RECONNECT_BACKOFF_STEP + 1;

/// What a session's owner wants of its client.
pub(crate) enum Command {
    /// A client that can ask for a pairing code.
    PrepareToPair(oneshot::Sender<Result<Arc<Live>>>),
    /// Drop the connection and connect anew, also from rest.
    Reconnect(oneshot::Sender<()>),
    /// Unlink the device.
    Logout(oneshot::Sender<()>),
    /// The account types: it is shown as online, for a while.
    Typed,
    /// Disconnect and end.
    Close(oneshot::Sender<()>),
}

/// What is due later.
#[derive(Debug, Default)]
struct Due {
    restart: Option<Instant>,
    redeliver: Option<Instant>,
    typed_code: Option<Instant>,
    quiet: Option<Instant>,
}

impl Due {
    fn next(&self) -> Option<Instant> {
        [self.restart, self.redeliver, self.typed_code, self.quiet]
            .into_iter()
            .flatten()
            .min()
    }

    /// Whether `at` is due, which makes it not due any more.
    fn take(at: &mut Option<Instant>) -> bool {
        at.take_if(|at| *at <= Instant::now()).is_some()
    }
}

/// The task's own things.
pub(crate) struct Actor {
    shared: Arc<Shared>,
    commands: mpsc::Receiver<Command>,
    signals_in: mpsc::UnboundedSender<(u64, Signal)>,
    signals: mpsc::UnboundedReceiver<(u64, Signal)>,
    generation: u64,
    running: Option<Running>,
    machine: Machine,
    due: Due,
    redeliver_pause: Duration,
}

impl Actor {
    pub(crate) fn new(shared: Arc<Shared>, commands: mpsc::Receiver<Command>) -> Self {
        let (signals_in, signals) = mpsc::unbounded_channel();
        Self {
            shared,
            commands,
            signals_in,
            signals,
            generation: 0,
            running: None,
            machine: Machine::new(),
            due: Due::default(),
            redeliver_pause: REDELIVER_PAUSE,
        }
    }

    /// Connects, and then does what it is told until it is closed or forgotten.
    pub(crate) async fn run(mut self) {
        self.start().await;
        let mut looks = interval(LOOK_EVERY);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let due = self.due.next();
            tokio::select! {
                biased;
                command = self.commands.recv() => match command {
                    Some(Command::Close(done)) => return self.close(Some(done)).await,
                    Some(command) => self.obey(command).await,
                    None => return self.close(None).await,
                },
                signal = self.signals.recv() => if let Some((generation, signal)) = signal
                    && generation == self.generation
                {
                    let effects = self.machine.on(signal, self.shared.clock.now());
                    self.apply(effects).await;
                },
                () = wait(due) => self.wake().await,
                _ = looks.tick() => self.look().await,
            }
        }
    }

    async fn obey(&mut self, command: Command) {
        match command {
            Command::PrepareToPair(reply) => drop(reply.send(self.prepare_to_pair().await)),
            Command::Reconnect(reply) => {
                self.restart().await;
                let _ = reply.send(());
            }
            Command::Logout(reply) => {
                self.log_out().await;
                let _ = reply.send(());
            }
            Command::Typed => self.due.quiet = Some(Instant::now() + SEEN_AFTER_TYPING),
            Command::Close(reply) => {
                let _ = reply.send(());
            }
        }
    }

    /// Builds a client, or says when to try again.
    async fn start(&mut self) {
        self.due = Due::default();
        self.generation += 1;
        self.machine.starting();
        self.show();
        let signals = Signals::new(self.generation, self.signals_in.clone());
        match Running::start(&self.shared, signals).await {
            Ok(running) => {
                self.shared.publish(Some(running.live.clone()));
                self.running = Some(running);
            }
            Err(error) => {
                tracing::warn!(%error, "the session cannot start; trying again");
                self.due.restart = Some(Instant::now() + RESTART_PAUSE);
                let effects = self.machine.failed(self.shared.clock.now());
                Box::pin(self.apply(effects)).await;
            }
        }
    }

    /// Ends the client, if there is one. What it says from now on is late.
    async fn stop(&mut self) {
        if let Some(running) = self.retire() {
            running.stop().await;
        }
    }

    fn retire(&mut self) -> Option<Running> {
        self.generation += 1;
        self.due = Due::default();
        self.shared.publish(None);
        self.running.take()
    }

    async fn restart(&mut self) {
        self.stop().await;
        self.start().await;
    }

    async fn prepare_to_pair(&mut self) -> Result<Arc<Live>> {
        let shared = &self.shared;
        let keys = VaultBackend::new(
            shared.device,
            shared.vault.clone(),
            shared.clock.clone(),
            shared.parts.world,
        );
        let paired = match &self.running {
            Some(running) => running.live.client.pn().is_some(),
            None => keys
                .load()
                .await
                .map_err(unreadable)?
                .is_some_and(|row| row.pn.is_some()),
        };
        if paired {
            let is = self.machine.state().as_str().to_owned();
            return Err(Error::WrongState {
                needs: Needs::Unpaired,
                is,
            });
        }
        if self.running.is_none() {
            self.start().await;
        }
        let live = self.running.as_ref().map(|running| running.live.clone());
        live.ok_or_else(|| Error::unavailable("database", "the session cannot start"))
    }

    async fn log_out(&mut self) {
        let mut was_paired = false;
        if let Some(running) = self.retire() {
            was_paired = running.live.client.pn().is_some();
            if was_paired {
                running.log_out().await;
            } else {
                running.stop().await;
            }
        }
        let effects = self.machine.logged_out(was_paired);
        self.apply(effects).await;
    }

    async fn close(mut self, done: Option<oneshot::Sender<()>>) {
        self.stop().await;
        self.shared.journal.flush(FLUSH_LIMIT).await;
        self.machine.closed();
        self.show();
        if let Some(done) = done {
            let _ = done.send(());
        }
    }

    async fn apply(&mut self, effects: Vec<Effect>) {
        // Shown first: who is told of an event finds the state that it speaks of.
        self.show();
        for effect in effects {
            match effect {
                Effect::Save => self.save().await,
                Effect::Report(body) => self.shared.journal.report(self.shared.clock.now(), body),
                Effect::TakeDown => self.stop().await,
                Effect::Restart => self.due.restart = Some(Instant::now() + RESTART_PAUSE),
                Effect::Welcome => self.with_client(welcome),
                Effect::BeQuiet => self.with_client(be_quiet),
                Effect::FetchPicture => self.with_client(tell_picture),
                Effect::AwaitTypedCode => self.due.typed_code = Some(Instant::now() + CODE_LIFETIME),
                Effect::Redeliver => {
                    self.due
                        .redeliver
                        .get_or_insert(Instant::now() + self.redeliver_pause);
                }
                Effect::Recovered => self.redeliver_pause = REDELIVER_PAUSE,
            }
        }
    }

    async fn save(&self) {
        let Some(running) = &self.running else { return };
        let store = running.live.client.persistence_manager();
        match tokio::time::timeout(SAVE_LIMIT, store.flush()).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::error!(%error, "the new link could not be saved yet"),
            Err(_) => tracing::error!("the new link could not be saved in time"),
        }
    }

    async fn wake(&mut self) {
        if Due::take(&mut self.due.restart) {
            return self.restart().await;
        }
        if Due::take(&mut self.due.typed_code) {
            let effects = self.machine.typed_code_expired();
            self.apply(effects).await;
        }
        if Due::take(&mut self.due.quiet) {
            self.with_client(be_quiet);
        }
        // A connection that was lost meanwhile brings the messages by itself when it comes back.
        if Due::take(&mut self.due.redeliver) && self.machine.state().is_connected() {
            self.redeliver_pause = (self.redeliver_pause * 2).min(LONGEST_REDELIVER_PAUSE);
            tracing::info!("connecting anew, so that WhatsApp gives unrecorded messages again");
            self.machine.reconnecting(COUNTED_AFTER_RECONNECT);
            self.show();
            self.with_client(|_, live| async move { live.client.reconnect().await });
        }
    }

    /// Looks at the client: some failures come without a signal.
    async fn look(&mut self) {
        let Some(running) = &self.running else { return };
        if running.stopped_saving() {
            tracing::error!("the client has given up saving its own row; starting it again");
            return self.restart().await;
        }
        let client = &running.live.client;
        let effects = self.machine.look(
            client.is_connected(),
            client.stats().reconnect_errors,
            self.shared.clock.now(),
        );
        self.apply(effects).await;
    }

    /// Does something with the client beside this task, until the client goes away.
    fn with_client<F, W>(&self, work: W)
    where
        F: Future<Output = ()> + Send + 'static,
        W: FnOnce(Arc<Shared>, Arc<Live>) -> F,
    {
        let Some(running) = &self.running else { return };
        let live = running.live.clone();
        let work = work(self.shared.clone(), live.clone());
        let guarded = async move {
            let done = async {
                work.await;
                Ok(())
            };
            let done = live.work(done, Shared::went_away).await;
            if done.is_err() {
                tracing::debug!("the client went away meanwhile");
            }
        };
        tokio::spawn(guarded.instrument(self.shared.span.clone()));
    }

    /// Shows the machine's state to everybody who watches.
    fn show(&self) {
        let state = self.machine.state();
        self.shared.state.send_if_modified(|shown| {
            let changed = shown != state;
            // A further failed attempt is the same state with another count: no line of its own.
            if shown.as_str() != state.as_str() {
                tracing::info!(from = shown.as_str(), to = state.as_str(), "session state");
            }
            if changed {
                shown.clone_from(state);
            }
            changed
        });
    }
}

async fn wait(due: Option<Instant>) {
    match due {
        Some(at) => sleep_until(at).await,
        None => std::future::pending().await,
    }
}
