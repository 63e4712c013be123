//! Typing, both ways: telling a conversation that the account types, and passing on that others do.

use std::sync::Arc;

use tokio::sync::mpsc;
use wagate_domain::Result;
use wagate_domain::model::{DeviceId, Jid, TypingState};
use wagate_domain::ports::EventSink;
use whatsapp_rust::Client;
use whatsapp_rust::wacore::types::events::Event as WaEvent;

use crate::convert::typing::{to_domain, to_wa};
use crate::error;
use crate::live::Live;
use crate::profile::be_seen;
use crate::reading::as_written;
use crate::shared::Shared;

/// Words of others that wait to be passed on; what comes while so many wait is lost.
const WAITING: usize = 32;

/// Tells the conversation what the account does. WhatsApp shows it only of those who are online.
pub(crate) async fn tell(shared: &Shared, live: &Live, chat: &Jid, state: TypingState) -> Result<()> {
    if state != TypingState::Paused {
        be_seen(shared, live).await;
    }
    let to = as_written(&*live.client, chat).await;
    let told = live.client.chatstate().send(&to, to_wa(state)).await;
    told.map_err(|failed| error::request("told that somebody types", &failed))
}

/// The way of others' words to those who listen: beside upstream's own paths, which never wait, and beside the journal,
/// which waits for the database. Clones lead to the same task.
#[derive(Clone)]
pub(crate) struct Overheard(mpsc::Sender<(Arc<WaEvent>, Arc<Client>)>);

impl Overheard {
    /// Starts the task; it ends when the last clone is gone.
    pub(crate) fn start(device: DeviceId, sink: Arc<dyn EventSink>) -> (Self, impl Future<Output = ()>) {
        let (words, mut heard) = mpsc::channel::<(Arc<WaEvent>, Arc<Client>)>(WAITING);
        let passing_on = async move {
            while let Some((event, client)) = heard.recv().await {
                if let WaEvent::ChatPresence(update) = &*event
                    && let Some(typing) = to_domain(update, &*client).await
                {
                    sink.typing(device, typing);
                }
            }
        };
        (Self(words), passing_on)
    }

    /// Takes a word without waiting.
    pub(crate) fn offer(&self, event: Arc<WaEvent>, client: Arc<Client>) {
        // Too many at once: this one is worth nothing later.
        drop(self.0.try_send((event, client)));
    }
}
